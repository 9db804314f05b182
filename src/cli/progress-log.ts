// What happens to containers, as log entries: one when work on a leaf begins, one for each step at level debug, one when
// it ends with what came of it.

import type { Progress } from '../apply/progress.ts'
import type { TableResult } from '../apply/outcome.ts'
import type { Verdict } from '../plan/verdict.ts'
import { plain } from '../report/columns.ts'
import { duration } from '../report/durations.ts'
import { generationText } from '../report/plan-lines.ts'
import { leafOf } from '../report/progress-words.ts'
import type { LogEntry } from './log.ts'

/** Null for what is not worth a line: the bytes of a pull. `verdicts`: why each leaf is worked on. */
export function progressEntry(progress: Progress, verdicts: ReadonlyMap<string, Verdict>): LogEntry | null {
  switch (progress.kind) {
    case 'table-started':
      return {
        level: 'debug',
        fields: { event: 'begun', leaves: progress.table.leaves },
        message: `${progress.table.id}: begun`,
      }
    case 'step': {
      const { action, table, undo } = progress
      const name = leafOf(action) ?? table.id
      const fields = { event: 'step', leaf: leafOf(action), step: action.do, undo }
      return {
        level: action.do === 'gate' && !undo ? 'info' : 'debug',
        fields,
        message: `${name}: ${undo ? 'takes back: ' : ''}${action.do}`,
      }
    }
    case 'pull':
      return null
    case 'probe': {
      const { leaf, healthy, output } = progress
      return {
        level: 'debug',
        fields: { event: 'probe', leaf, healthy, output: plain(output) },
        message: `${leaf}: ${healthy ? 'healthy' : plain(output) || 'not healthy yet'}`,
      }
    }
    case 'left-out': {
      const { leaf, because } = progress
      return {
        level: 'warn',
        fields: { event: 'left-out', leaf, because: plain(because) },
        message: `${leaf}: the ingress does not take its ports, ${plain(because)}`,
      }
    }
    case 'table-ended':
      return endEntry(progress.result, verdicts)
    case 'table-held': {
      const { table, because } = progress
      return {
        level: 'warn',
        fields: { event: 'not-begun', leaves: table.leaves, because },
        message: `${table.id}: not begun, ${plain(because)}`,
      }
    }
  }
}

function endEntry(result: TableResult, verdicts: ReadonlyMap<string, Verdict>): LogEntry {
  const { table, outcome, leftovers, startedAt, endedAt, gates, gaps, drains, availability } = result
  const changes = table.leaves.flatMap((leaf) => verdicts.get(leaf) ?? [])
  const first = changes.length === 1 ? changes[0] : undefined
  const name = first === undefined ? table.id : `${table.id} ${generationText(first)}`
  const took = duration(endedAt - startedAt)
  const facts = {
    leaves: changes.map(({ leaf, kind, fromGeneration, toGeneration, because }) => ({
      leaf,
      kind,
      fromGeneration,
      toGeneration,
      because,
    })),
    milliseconds: endedAt - startedAt,
    gates: Object.fromEntries(gates),
    gaps: Object.fromEntries(gaps),
    drains: Object.fromEntries(drains),
    availability: Object.fromEntries(availability),
    ...(leftovers.length > 0 ? { leftovers } : {}),
  }
  switch (outcome.kind) {
    case 'done': {
      const gap = Math.max(0, ...gaps.values())
      const words = gap === 0 ? took : `${took}, gap ${duration(gap)}`
      return {
        level: leftovers.length > 0 ? 'warn' : 'info',
        fields: { event: 'done', ...facts },
        message: `${name}: done in ${words}${leftovers.length > 0 ? `; left for the next turn: ${leftovers.map(plain).join('; ')}` : ''}`,
      }
    }
    case 'failed': {
      const { leaf, message, log } = outcome
      const tail = log.map((line) => `\n    │ ${plain(line)}`).join('')
      return {
        level: 'error',
        fields: { event: 'failed', leaf, reason: message, log, ...facts },
        message: `${leaf}: ${plain(message)}; kept as ${leaf}.failed${tail}`,
      }
    }
    case 'fault': {
      const { message, remedy, replan } = outcome
      const level = replan ? 'debug' : 'warn'
      return {
        level,
        fields: { event: 'fault', fault: message, remedy, replan, ...facts },
        message: `${name}: ${plain(message)}; ${plain(remedy)}`,
      }
    }
    case 'superseded':
      return {
        level: 'info',
        fields: { event: 'superseded', reason: outcome.message, ...facts },
        message: `${name}: ${plain(outcome.message)}`,
      }
  }
}
