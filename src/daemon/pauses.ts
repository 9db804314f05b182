// How long the daemon waits between two looks: after faults, for leaves that wait, and at most. Milliseconds.

import type { Turn } from './reconcile.ts'

export const FIRST_RETRY = 1_000
const LONGEST_RETRY = 60_000
/** Without any event: drift that no event told of is found within this time. */
export const LOOK_AT_LEAST = 60_000

/** After so many failures in a row, the first being 1: it doubles up to a minute. */
export function pauseAfter(failures: number): number {
  return Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** (failures - 1))
}

/** Until a hold of the turn ends by itself. */
export function untilRetry(turn: Turn, now: number): number {
  const times = turn.plan.verdicts.map(({ retryAt }) => retryAt).filter((time) => time !== null)
  const waits = turn.plan.verdicts.some(({ awaits }) => awaits !== null) ? [now + 1_000] : []
  return Math.max(100, Math.min(LOOK_AT_LEAST, ...times.map((time) => time - now), ...waits.map((time) => time - now)))
}

/** Many hosts that follow one repository do not all ask in the same second. */
export function jittered(milliseconds: number): number {
  return milliseconds * (0.9 + Math.random() * 0.2)
}
