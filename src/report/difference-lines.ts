// The difference between two commits as lines: each leaf with its generations, below it its fields, old → new; gains in
// privilege first.

import type { LeafDifference, TreeDifference } from '../plan/tree-difference.ts'
import { align, padEnd, plain, width } from './columns.ts'
import { gainLines } from './gain-lines.ts'
import type { Palette } from './palette.ts'
import { changeLines } from './plan-lines.ts'

export function differenceLines(difference: TreeDifference, palette: Palette): string[] {
  const { leaves, sets, rest } = difference
  const lines = gainLines(leaves, palette)
  const names = Math.max(0, ...leaves.map((leaf) => width(pathOf(leaf))))
  const generations = Math.max(0, ...leaves.map((leaf) => width(generationsOf(leaf))))
  for (const leaf of leaves) {
    const { sign, paint } = signOf(leaf, palette)
    const head = `${paint(sign)} ${padEnd(pathShown(leaf, palette), names)}`
    lines.push(
      `${head}  ${paint(padEnd(generationsOf(leaf), generations))}  ${palette.dim(remark(leaf))}`.trimEnd(),
      ...changeLines(leaf.changes, palette).map((line) => `    ${line}`),
    )
  }
  for (const [title, changes] of [
    ['sets', sets],
    ['deployment', rest],
  ] as const) {
    if (changes.length === 0) continue
    lines.push(palette.bold(title), ...changeLines(changes, palette).map((line) => `    ${line}`))
  }
  if (lines.length === 0) return ['nothing differs that graft acts on']
  return [...lines, '', palette.bold(sumOf(difference))]
}

/** The two commits that are compared, one below the other. */
export function comparedLines(from: string, to: string, palette: Palette): string[] {
  return align([
    [palette.dim('from'), from],
    [palette.dim('to'), to],
  ])
}

function pathOf({ set, leaf }: LeafDifference): string {
  return set === '' ? leaf : `${set}/${leaf}`
}

function pathShown({ set, leaf }: LeafDifference, palette: Palette): string {
  return `${set === '' ? '' : palette.dim(`${set}/`)}${palette.bold(leaf)}`
}

function generationsOf({ from, to }: LeafDifference): string {
  if (from === null || to === null) return `${to ?? from ?? ''}`
  return from === to ? `${to}` : `${from} → ${to}`
}

function signOf({ how }: LeafDifference, palette: Palette): { sign: string; paint: Palette['good'] } {
  if (how === 'added') return { sign: '+', paint: palette.good }
  return how === 'removed' ? { sign: '-', paint: palette.bad } : { sign: '~', paint: palette.changed }
}

function remark({ how, formerly, from, to, changes }: LeafDifference): string {
  if (how === 'added') return 'new'
  if (how === 'removed') return 'gone'
  if (formerly !== null) return `renamed from ${plain(formerly)}`
  return changes.length === 0 && from !== to ? 'the same in every field' : ''
}

function sumOf({ leaves, sets, rest }: TreeDifference): string {
  const number = (how: LeafDifference['how']): number => leaves.filter((leaf) => leaf.how === how).length
  const parts = [
    [number('changed'), 'changed'],
    [number('added'), 'new'],
    [number('removed'), 'gone'],
  ] as const
  const said = parts.filter(([amount]) => amount > 0).map(([amount, word]) => `${amount} ${word}`)
  if (sets.length > 0) said.push('sets')
  if (rest.length > 0) said.push('the deployment itself')
  return said.join(', ')
}
