// What is being worked on, and what has ended, from progress events to lines. Pure: the time comes in as an argument,
// and writing the lines to a terminal is somebody else's.

import type { Progress } from '../apply/progress.ts'
import type { Plan, Verdict } from '../plan/verdict.ts'
import type { Table } from '../plan/step.ts'
import { bytes } from './bytes.ts'
import { cut, padEnd, padStart, plain, width } from './columns.ts'
import { duration } from './durations.ts'
import type { Palette } from './palette.ts'
import { leafOf, phaseOf } from './progress-words.ts'
import { settledLines } from './settled-lines.ts'

export interface ProgressView {
  /** The plan whose tables are run from now on, for generations and reasons. */
  planned(plan: Plan): void
  /** Takes an event in; gives the lines that are final from now on. */
  take(progress: Progress, now: number): string[]
  /** The lines of what is being worked on, cut to so many columns and at most so many lines. */
  live(now: number, columns: number, rows: number): string[]
}

interface Working {
  readonly name: string
  /** Table that works on it. */
  readonly table: string
  readonly since: number
  phase: string
  phaseSince: number
  pull: { current: number; total: number; status: string } | null
  probe: { healthy: boolean; output: string } | null
}

export function createProgressView(palette: Palette): ProgressView {
  const working = new Map<string, Working>()
  const verdicts = new Map<string, Verdict>()
  let total = 0
  let ended = 0

  function begin(table: Table, now: number): void {
    for (const name of namesOf(table)) {
      working.set(name, {
        name,
        table: table.id,
        since: now,
        phase: 'waits for its turn',
        phaseSince: now,
        pull: null,
        probe: null,
      })
    }
  }

  return {
    planned(plan) {
      for (const verdict of plan.verdicts) verdicts.set(verdict.leaf, verdict)
      const open = plan.verdicts.filter(({ kind, awaits }) => awaits !== null || WORK.has(kind)).length
      total = Math.max(total, ended + open)
    },
    take(progress, now) {
      switch (progress.kind) {
        case 'table-started':
          begin(progress.table, now)
          return []
        case 'step': {
          const { action, table, undo } = progress
          const phase = phaseOf(action, undo)
          const row = working.get(leafOf(action) ?? table.id)
          if (row === undefined || phase === null) return []
          if (row.phase !== phase) row.phaseSince = now
          row.phase = phase
          row.pull = null
          if (phase !== 'gate') row.probe = null
          return []
        }
        case 'pull': {
          const row = working.get(progress.leaf)
          if (row !== undefined)
            row.pull = { current: progress.current, total: progress.total, status: progress.status }
          return []
        }
        case 'probe': {
          const row = working.get(progress.leaf)
          if (row !== undefined) row.probe = { healthy: progress.healthy, output: progress.output }
          return []
        }
        case 'left-out':
          return [
            `${palette.waiting('!')} ${progress.leaf}  ${palette.dim(`the ingress does not take its ports: ${plain(progress.because)}`)}`,
          ]
        case 'table-ended': {
          const { table, outcome } = progress.result
          for (const name of namesOf(table)) working.delete(name)
          if (!isFetch(table) || outcome.kind !== 'done') ended += table.leaves.length
          return settledLines(progress.result, verdicts, palette)
        }
        case 'table-held':
          return [
            `${palette.waiting('!')} ${namesOf(progress.table).join(', ')}  ${palette.dim(`not begun: ${plain(progress.because)}`)}`,
          ]
      }
    },
    live(now, columns, rows) {
      const active = [...working.values()]
      if (active.length === 0) return []
      const names = Math.min(32, Math.max(...active.map(({ name }) => width(name))))
      // The last row is the cursor's, the one before it sums up.
      const room = Math.max(2, rows - 2)
      const shown = active.length > room ? active.slice(0, room - 1) : active
      const lines = shown.map((row) => rowLine(row, now, names, palette))
      if (shown.length < active.length) lines.push(palette.dim(`  and ${active.length - shown.length} more`))
      if (total > 0) lines.push(palette.dim(`  ${Math.min(ended, total)} of ${total}`))
      return lines.map((line) => cut(line, columns - 1))
    },
  }
}

const WORK: ReadonlySet<Verdict['kind']> = new Set(['create', 'replace', 'restore', 'run', 'remove', 'stop', 'recover'])

/** Fetching an image is half of a leaf's way; it is planned whole once the image is there. */
export function isFetch({ prepare, commit, cleanup }: Table): boolean {
  return commit.length === 0 && cleanup.length === 0 && prepare.every(({ action }) => action.do === 'image')
}

export function namesOf(table: Table): readonly string[] {
  return table.leaves.length === 0 ? [table.id] : table.leaves
}

function rowLine(row: Working, now: number, names: number, palette: Palette): string {
  const elapsed = padStart(duration(Math.round((now - row.since) / 100) * 100), 7)
  const name = padEnd(cut(row.name, names), names)
  return `${palette.accent(spinner(now))} ${name}  ${palette.dim(elapsed)}  ${phaseText(row, now, palette)}`
}

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

function spinner(now: number): string {
  return SPINNER[Math.floor(now / 100) % SPINNER.length] ?? ''
}

function phaseText({ phase, phaseSince, pull, probe }: Working, now: number, palette: Palette): string {
  if (phase === 'image' && pull !== null) return `pull  ${pullText(pull, palette)}`
  if (phase === 'gate') {
    const seen =
      probe === null
        ? ''
        : `  ${palette.dim(plain(probe.output).slice(0, 200) || (probe.healthy ? 'healthy' : 'not healthy yet'))}`
    return `${palette.changed('gate')} ${duration(Math.round((now - phaseSince) / 100) * 100)}${seen}`
  }
  return phase
}

const BAR = 20

function pullText(
  { current, total, status }: { current: number; total: number; status: string },
  palette: Palette,
): string {
  if (total === 0) return palette.dim(plain(status))
  const part = Math.min(1, current / total)
  const full = Math.round(part * BAR)
  const bar = `${palette.accent('━'.repeat(full))}${palette.dim('─'.repeat(BAR - full))}`
  return `${bar} ${padStart(`${Math.floor(part * 100)}`, 3)} %  ${palette.dim(`${bytes(current)} of ${bytes(total)}`)}`
}
