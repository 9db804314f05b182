// A status as lines: how graft, repository and engine are doing, the problems, and the tree with what runs.

import type { CommitFacts } from '../repository/snapshot.ts'
import { align, cut, plain } from './columns.ts'
import { age } from './durations.ts'
import { shortImage } from './image-words.ts'
import type { Paint, Palette } from './palette.ts'
import { problemLines, type ProblemOptions } from './problem-lines.ts'
import { removalLines } from './removal-lines.ts'
import type { LastSwap, LeafStatus, SetStatus, Status } from './status.ts'
import { swapText } from './swap-words.ts'

export interface StatusOptions extends ProblemOptions {
  /** Milliseconds since 1970. */
  readonly now: number
  /** What the removal limit asks the person to do. */
  readonly removalRemedy?: string
}

export function statusLines(status: Status, options: StatusOptions): string[] {
  const { palette } = options
  return [
    ...headLines(status, options),
    '',
    ...problemLines(status.problems, options),
    ...(status.problems.length > 0 ? [''] : []),
    ...treeLines(status, options),
    ...removalLines(status.removalHeld, options),
    ...status.notes.map((note) => `${palette.changed('!')} ${plain(note)}`),
  ]
}

function headLines(
  { deployment, repository, engine, commit, daemon }: Status,
  { palette, now }: StatusOptions,
): string[] {
  const row = (label: string, text: string) => [palette.dim(label), text]
  const tip = repository.tip
  const behind = tip !== null && tip.id !== commit?.id
  const seen = repository.seenAt === null ? 'not seen yet' : `seen ${age(now - repository.seenAt)} ago`
  const fault = repository.fault
  return align([
    row('deployment', deployment === null ? palette.dim('not known yet') : palette.bold(deployment)),
    row(
      'repository',
      `${plain(repository.description)}  ${fault === null ? palette.dim(seen) : palette.bad(`${plain(fault.message)} (${seen})`)}`,
    ),
    ...(fault === null ? [] : [row('', `${palette.accent('→')} ${plain(fault.remedy)}`)]),
    row('commit', commit === null ? palette.dim('none that reads yet') : commitText(commit, palette, now)),
    ...(behind ? [row('', `${palette.changed('not taken over')} ${commitText(tip, palette, now)}`)] : []),
    row(
      'engine',
      `${engine.url}  ${engine.reachable ? palette.good('reachable') : palette.bad(plain(engine.message ?? 'not reachable'))}`,
    ),
    row(
      'daemon',
      daemon === null ? palette.dim('none is running') : `process ${daemon.pid}, for ${age(now - daemon.since)}`,
    ),
  ])
}

export function commitText(commit: CommitFacts, palette: Palette, now: number): string {
  const id = palette.changed(commit.id.slice(0, 7))
  const by = palette.dim(`${plain(commit.author)}, ${age(now - commit.time)} ago`)
  return `${id} ${cut(plain(commit.subject), 60)}  ${by}`
}

function treeLines({ tree, departed, engine }: Status, options: StatusOptions): string[] {
  const { palette } = options
  if (tree === null)
    return [palette.dim(engine.reachable ? 'the engine was not looked at yet' : 'what runs is not known')]
  const leaves = [...leavesOf(tree), ...departed]
  const rows = [
    HEADER.map(palette.dim),
    ...setRows(tree, 0, options),
    ...departed.map((leaf) => leafRow(leaf, 0, options)),
  ].map((row) => (leaves.some(({ lastSwap }) => lastSwap !== null) ? row : row.toSpliced(SWAP, 1)))
  return [...align(rows), '', palette.bold(sumOf(leaves))]
}

const HEADER = ['NAME', 'GEN', 'IMAGE', 'SYNC', 'HEALTH', 'AGE', 'LAST SWAP', 'REASON']
/** Shown only where there was one. */
const SWAP = HEADER.indexOf('LAST SWAP')

function setRows(set: SetStatus, depth: number, options: StatusOptions): string[][] {
  const { palette } = options
  const inner = set.path === '' ? depth : depth + 1
  const marks = [...(set.suspend ? ['suspended'] : []), ...(set.state === 'stopped' ? ['stopped'] : [])].join(', ')
  const head =
    set.path === '' ? [] : [[`${'  '.repeat(depth)}${palette.bold(`${set.name}/`)}`, '', '', palette.waiting(marks)]]
  return [
    ...head,
    ...set.leaves.map((leaf) => leafRow(leaf, inner, options)),
    ...set.sets.flatMap((child) => setRows(child, inner, options)),
  ]
}

function leafRow(leaf: LeafStatus, depth: number, { palette, now }: StatusOptions): string[] {
  const paint = syncPaint(leaf, palette)
  return [
    `${'  '.repeat(depth)}${leaf.name}`,
    generationText(leaf),
    cut(shortImage(leaf.image), 36),
    paint(leaf.sync),
    healthText(leaf, palette),
    leaf.since === null ? '' : age(now - leaf.since),
    leaf.lastSwap === null ? '' : swapPaint(leaf.lastSwap, palette)(swapText(leaf.lastSwap)),
    reasonText(leaf, palette, now),
  ]
}

function swapPaint({ availability }: LastSwap, palette: Palette): Paint {
  return availability !== null && availability.lost > 0 ? palette.bad : palette.dim
}

function generationText({ generation: { wanted, running } }: LeafStatus): string {
  if (running === null || wanted === null || running === wanted) return `${wanted ?? running ?? ''}`
  return `${running} → ${wanted}`
}

function syncPaint(leaf: LeafStatus, palette: Palette): Paint {
  switch (leaf.sync) {
    case 'synced':
      return palette.good
    case 'changing':
      return palette.accent
    case 'out-of-sync':
    case 'leaving':
      return palette.changed
    case 'held':
    case 'suspended':
      return palette.waiting
    case 'refused':
      return palette.bad
  }
}

/** Health where there is a check, else the state. */
function healthText({ health, state }: LeafStatus, palette: Palette): string {
  if (state === 'completed') return palette.good('completed')
  if (state !== 'running') return state === 'absent' ? palette.dim('absent') : palette.bad(state)
  switch (health) {
    case 'healthy':
      return palette.good('healthy')
    case 'unhealthy':
      return palette.bad('unhealthy')
    case 'starting':
      return palette.changed('starting')
    case 'none':
      return palette.dim('running')
  }
}

function reasonText({ because, retryAt, restart }: LeafStatus, palette: Palette, now: number): string {
  const failed = restart?.state === 'failed' ? `not restarted: ${plain(restart.message ?? '')}` : ''
  const words = because === 'as declared' || because === 'completed' ? '' : plain(because)
  const again = retryAt === null || retryAt <= now ? '' : `again in ${age(retryAt - now)}`
  return palette.dim([words, failed, again].filter((part) => part !== '').join('; '))
}

function leavesOf(set: SetStatus): LeafStatus[] {
  return [...set.leaves, ...set.sets.flatMap(leavesOf)]
}

const SUMMED: readonly (readonly [LeafStatus['sync'], string])[] = [
  ['refused', 'refused'],
  ['held', 'held'],
  ['out-of-sync', 'out of sync'],
  ['leaving', 'leaving'],
  ['changing', 'changing'],
  ['suspended', 'suspended'],
  ['synced', 'in sync'],
]

function sumOf(leaves: readonly LeafStatus[]): string {
  const parts = SUMMED.flatMap(([sync, words]) => {
    const number = leaves.filter((leaf) => leaf.sync === sync).length
    return number === 0 ? [] : [`${number} ${words}`]
  })
  const unhealthy = leaves.filter(({ health, state }) => health === 'unhealthy' && state === 'running').length
  return [...parts, ...(unhealthy > 0 ? [`${unhealthy} unhealthy`] : [])].join(', ') || 'nothing declared'
}
