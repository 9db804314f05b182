// A page of history as lines, newest first: each commit with its outcome's mark, when it was, which generations it moved
// and its subject; below it who wrote it, what it touched and what came of it on each host.

import { shortDate } from './calendar.ts'
import { cut, padStart, plain, width } from './columns.ts'
import { age } from './durations.ts'
import type { HistoryEntry, HistoryPage, LeafTouch } from './history.ts'
import { commitMark, outcomeLines } from './outcome-words.ts'
import type { Palette } from './palette.ts'
import { count } from './plurals.ts'

export interface HistoryOptions {
  readonly palette: Palette
  /** Milliseconds since 1970. */
  readonly now: number
  /** Columns of the terminal; Infinity: nothing is cut. */
  readonly columns: number
  /** How to ask for what follows; told where something does. */
  readonly more: (before: string) => string
  /** Where a file of the deployment lies, as seen from the person's current folder. */
  readonly place: (file: string) => string
}

export function historyLines(page: HistoryPage, options: HistoryOptions): string[] {
  const { palette, more, columns } = options
  const { entries, next, complete } = page
  const lines = [...headLines(page, options), '']
  if (entries.length === 0) lines.push(palette.dim('no commit touched it'))
  const spans = columnsFor(page, options)
  for (const entry of entries) lines.push(...entryLines(entry, page, spans, options))
  if (next !== null) lines.push('', palette.dim(`older: ${more(next.slice(0, 12))}`))
  else if (!complete) lines.push('', palette.dim('the clone is shallow: what was before is not known here'))
  return lines.map((line) => cut(line, columns))
}

function headLines({ node, deployment, entries }: HistoryPage, { palette, place }: HistoryOptions): string[] {
  const [newest] = entries
  switch (node.kind) {
    case 'deployment':
      return [palette.bold(node.name)]
    case 'set':
      return [`${palette.bold(`${node.name}/`)}  ${palette.dim(`a set of ${deployment}`)}`]
    case 'leaf': {
      const now = node.generation === null ? 'gone' : `generation ${node.generation}`
      const state = node.generation === null && newest !== undefined ? palette.bad(now) : now
      return [
        `${palette.bold(node.name)}  ${state}  ${palette.dim(node.file === null ? '' : place(node.file))}`.trimEnd(),
      ]
    }
  }
}

interface Spans {
  readonly age: number
  /** Of the generations; 0 where each commit names its leaves below. */
  readonly generations: number
  /** Where the subject begins. */
  readonly indent: number
}

function columnsFor({ entries, node }: HistoryPage, { now }: HistoryOptions): Spans {
  const widest = (texts: readonly string[]): number => Math.max(0, ...texts.map(width))
  const ages = widest(entries.map(({ commit }) => age(now - commit.time)))
  const generations = node.kind === 'leaf' ? widest(entries.map(generationsOf)) : 0
  const indent = 2 + 12 + 2 + ages + 2 + 7 + 2 + (generations === 0 ? 0 : generations + 2)
  return { age: ages, generations, indent }
}

function entryLines(entry: HistoryEntry, { node }: HistoryPage, spans: Spans, options: HistoryOptions): string[] {
  const { palette, now } = options
  const { commit, outcomes } = entry
  const leaf = node.kind === 'leaf' ? node.name : null
  const { sign, paint } = commitMark(outcomes, leaf, palette)
  const head = [
    `${paint(sign)} ${palette.dim(shortDate(commit.time, now))}`,
    palette.dim(padStart(age(now - commit.time), spans.age)),
    palette.changed(commit.id.slice(0, 7)),
    ...(spans.generations === 0 ? [] : [palette.accent(padStart(generationsOf(entry), spans.generations))]),
    plain(commit.subject) || palette.dim('(no message)'),
  ]
  const below = [
    [palette.dim(plain(commit.author)), touchedText(entry, leaf, palette)].filter((part) => part !== '').join('  '),
    ...outcomeLines(outcomes, leaf, palette),
  ]
  const indent = ' '.repeat(spans.indent)
  return [head.join('  '), ...below.map((line) => indent + line)]
}

/** `8 → 9`, `9`, `new 1`, `gone`; empty where no generation was touched. */
function generationsOf({ leaves: [touch], reads }: HistoryEntry): string {
  if (touch === undefined) return reads ? '' : '?'
  return touchText(touch)
}

function touchText({ from, to }: LeafTouch): string {
  if (to === null) return 'gone'
  if (from === null) return `new ${to}`
  return from === to ? `${to}` : `${from} → ${to}`
}

/** Leaves that are named in one line. */
const NAMED = 6

function touchedText({ leaves, files, reads }: HistoryEntry, leaf: string | null, palette: Palette): string {
  if (!reads) return palette.bad('does not read; it changed nothing')
  if (leaf !== null) return leaves[0] === undefined ? '' : howText(leaves[0], palette)
  // Generations first: they are what was deployed.
  const sorted = leaves.toSorted((a, b) => Number(isQuiet(a)) - Number(isQuiet(b)))
  const named = sorted.slice(0, NAMED).map((touch) => `${touch.leaf} ${palette.accent(wordsOf(touch))}`)
  const rest = sorted.length > NAMED ? [`${sorted.length - NAMED} more`] : []
  if (named.length > 0) return [...named, ...rest].join(', ')
  const [file] = files
  return palette.dim(files.length === 1 && file !== undefined ? `only ${file}` : `only ${count(files.length, 'file')}`)
}

function isQuiet({ how }: LeafTouch): boolean {
  return how === 'settings' || how === 'text' || how === 'moved'
}

function wordsOf(touch: LeafTouch): string {
  const { how } = touch
  if (how === 'renamed') return `${touchText(touch)} (was ${touch.formerly ?? ''})`
  if (how === 'moved' || how === 'settings' || how === 'text') return HOW[how]
  return touch.from === touch.to ? `${touchText(touch)}, another spec` : touchText(touch)
}

const HOW = { moved: 'moved', settings: 'settings', text: 'text only' } as const

/** What a commit did to a leaf where its generations do not say it. */
function howText({ how, from, to, formerly, fromSet, set }: LeafTouch, palette: Palette): string {
  switch (how) {
    case 'renamed':
      return palette.dim(`renamed from ${formerly ?? ''}`)
    case 'moved':
      return palette.dim(
        `moved ${fromSet === undefined ? '' : `from ${fromSet || 'the root'} `}to ${set || 'the root'}`,
      )
    case 'settings':
      return palette.dim('settings that need no generation')
    case 'text':
      return palette.dim('text only')
    case 'spec':
      return from === to ? palette.bad('another spec under the same generation') : ''
    default:
      return ''
  }
}
