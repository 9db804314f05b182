// A swap told step by step, with the time since the push before each line.

import type { Palette } from '../report/palette.ts'
import { padStart, plain } from '../report/columns.ts'
import { duration } from '../report/durations.ts'
import type { DaemonEvent } from './daemon-events.ts'

export interface SwapTelling {
  /** Null for what is not worth a line. */
  take(event: DaemonEvent): string | null
}

/** `leaves`: whose swaps are told, those of `jobs` as runs; `since`: milliseconds since 1970 of the push. */
export function tellSwaps(
  leaves: readonly string[],
  jobs: ReadonlySet<string>,
  since: number,
  palette: Palette,
): SwapTelling {
  const renames = new Map<string, number>()
  const at = (time: number, text: string): string =>
    `  ${palette.dim(padStart(`+${(Math.max(0, time - since) / 1000).toFixed(1)} s`, 8))}  ${text}`
  return {
    take(event) {
      const { leaf, step, undo, time } = event
      if (event.event === 'commit')
        return at(time, `graft sees the commit ${palette.changed(event.commit?.slice(0, 7) ?? '')}`)
      const own =
        event.event === 'done' ? event.leaves.find((name) => leaves.includes(name) && name in event.gates) : leaf
      if (own === undefined || own === null || !leaves.includes(own)) return null
      const name = palette.bold(own)
      if (event.event === 'done')
        return at(time, `${palette.good('✓')} ${name} ${palette.dim(doneWords(event, own, jobs.has(own)))}`)
      if (event.event === 'failed')
        return at(time, `${palette.bad('✗')} ${name} ${palette.bad('refused at its gate')}: ${plain(event.reason)}`)
      if (event.event !== 'step' || undo || (jobs.has(own) && step !== 'wait-job')) return null
      switch (step) {
        case 'start':
          return at(time, `${palette.bold(`${own}.next`)} starts, beside ${name}, which goes on working`)
        case 'gate':
          return at(time, `${palette.bold(`${own}.next`)} at its gate`)
        case 'wait-job':
          return at(time, `${name} runs: a migration, once for this generation`)
        case 'rename': {
          renames.set(own, (renames.get(own) ?? 0) + 1)
          return renames.get(own) === 2 ? at(time, `${palette.good('passed')}: it takes the name ${name}`) : null
        }
        case 'drain':
          return at(time, 'the old one finishes what it has open')
        default:
          return null
      }
    },
  }
}

function doneWords({ gates, gaps }: DaemonEvent, leaf: string, job: boolean): string {
  const gap = gaps[leaf]
  if (job) return `ran ${duration(gates[leaf] ?? 0)}`
  return [`gate ${duration(gates[leaf] ?? 0)}`, ...(gap === undefined ? [] : [`gap ${duration(gap)}`])].join(', ')
}
