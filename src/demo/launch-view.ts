// The tree while it comes up: one line for each set with a dot for each leaf, what is worked on beside it, and a bar.
// Pure: the time comes in as an argument.

import type { ContainerSet } from '../desired/tree.ts'
import { cut, padEnd, padStart } from '../report/columns.ts'
import { duration } from '../report/durations.ts'
import type { Palette } from '../report/palette.ts'
import type { DaemonEvent } from './daemon-events.ts'

export interface LaunchView {
  /** Takes an event in; gives the sets that it completed. */
  take(event: DaemonEvent): readonly CompletedSet[]
  lines(now: number, columns: number, rows: number): string[]
  readonly done: () => number
  readonly total: number
}

export interface CompletedSet {
  readonly path: string
  readonly leaves: number
  /** Milliseconds since its first leaf began. */
  readonly took: number
}

interface Dot {
  readonly name: string
  state: 'waiting' | 'working' | 'done' | 'failed'
  phase: string
}

interface Row {
  readonly name: string
  readonly path: string
  readonly depth: number
  readonly dots: readonly Dot[]
  /** Its own and those of the sets below it. */
  readonly all: readonly Dot[]
  begun: number | null
  ended: number | null
}

const PHASES: ReadonlyMap<string, string> = new Map([
  ['create', 'is created'],
  ['put-files', 'gets its files'],
  ['start', 'starts'],
  ['gate', 'at its gate'],
  ['wait-job', 'runs'],
  ['rename', 'goes live'],
])
const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

export function createLaunchView(root: ContainerSet, palette: Palette, begun: number): LaunchView {
  const dots = new Map<string, Dot>()
  const rows = root.sets.flatMap((set) => rowsOf(set, 0, dots))
  const total = dots.size
  const done = (): number => [...dots.values()].filter(({ state }) => state === 'done').length
  const widest = Math.max(...rows.map(({ name, depth }) => name.length + 2 * depth))
  const most = Math.max(...rows.map((row) => row.dots.length))

  return {
    total,
    done,
    take(event) {
      const names = event.leaf === null ? event.leaves : [event.leaf]
      for (const name of names) {
        const dot = dots.get(name)
        if (dot === undefined) continue
        if (event.event === 'begun' || event.event === 'step') dot.state = dot.state === 'done' ? 'done' : 'working'
        if (event.event === 'step') dot.phase = PHASES.get(event.step ?? '') ?? dot.phase
        if (event.event === 'done' && Object.hasOwn(event.gates, name)) dot.state = 'done'
        if (event.event === 'failed') dot.state = 'failed'
      }
      const completed: CompletedSet[] = []
      for (const row of rows) {
        if (row.begun === null && row.all.some(({ state }) => state !== 'waiting')) row.begun = event.time
        if (row.ended === null && row.begun !== null && row.all.every(({ state }) => state === 'done')) {
          row.ended = event.time
          completed.push({ path: row.path, leaves: row.all.length, took: event.time - row.begun })
        }
      }
      return completed
    },
    lines(now, columns, height) {
      const shown = rows.length + 3 < height ? rows : rows.filter(({ depth }) => depth === 0)
      const folded = shown.length < rows.length
      const lines = shown.map((row) => rowLine(row, { now, palette, widest, most, folded }))
      return [...lines, '', barLine(done(), total, now - begun, palette)].map((line) => cut(line, columns - 1))
    },
  }
}

function rowsOf(set: ContainerSet, depth: number, dots: Map<string, Dot>): Row[] {
  const own = set.leaves.map((name): Dot => ({ name, state: 'waiting', phase: '' }))
  for (const dot of own) dots.set(dot.name, dot)
  const inner = set.sets.flatMap((child) => rowsOf(child, depth + 1, dots))
  const all = [...own, ...inner.flatMap((row) => row.dots)]
  return [{ name: set.name, path: set.path, depth, dots: own, all, begun: null, ended: null }, ...inner]
}

interface RowLook {
  readonly now: number
  readonly palette: Palette
  readonly widest: number
  readonly most: number
  /** Sets below are not shown: their leaves stand in this row. */
  readonly folded: boolean
}

function rowLine(row: Row, { now, palette, widest, most, folded }: RowLook): string {
  const dots = folded ? row.all : row.dots
  const sign =
    row.ended !== null
      ? palette.good('✓')
      : row.begun === null
        ? palette.dim('·')
        : palette.accent(SPINNER[Math.floor(now / 100) % SPINNER.length] ?? '')
  const indent = '  '.repeat(row.depth)
  const name = padEnd(`${indent}${row.begun === null ? palette.dim(row.name) : row.name}`, widest)
  const line = padEnd(dots.map((dot) => dotText(dot, palette)).join(''), folded ? dots.length : most)
  const number = row.all.filter(({ state }) => state === 'done').length
  const count = palette.dim(padStart(`${number}/${row.all.length}`, 5))
  const active = dots.filter(({ state }) => state === 'working' || state === 'failed')
  const took = row.ended === null || row.begun === null ? '' : palette.dim(duration(row.ended - row.begun))
  const doing = active
    .map(({ name: leaf, phase, state }) => `${leaf} ${palette.dim(state === 'failed' ? 'failed' : phase)}`)
    .join(palette.dim(', '))
  return `  ${sign} ${name}  ${line}  ${count}  ${doing === '' ? took : doing}`.trimEnd()
}

function dotText({ state }: Dot, palette: Palette): string {
  switch (state) {
    case 'waiting':
      return palette.dim('·')
    case 'working':
      return palette.changed('◐')
    case 'done':
      return palette.good('●')
    case 'failed':
      return palette.bad('✗')
  }
}

const BAR = 40

function barLine(done: number, total: number, elapsed: number, palette: Palette): string {
  const full = Math.round((done / total) * BAR)
  const bar = `${palette.good('━'.repeat(full))}${palette.dim('━'.repeat(BAR - full))}`
  return `  ${bar}  ${palette.bold(`${done} of ${total}`)}  ${palette.dim(duration(elapsed))}`
}
