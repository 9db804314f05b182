// How long the daemon waits between two looks: after faults, for leaves that wait, and at most. Milliseconds.

import type { Clock } from '../apply/clock.ts'
import type { Turn } from './reconcile.ts'

export const FIRST_RETRY = 1_000
const LONGEST_RETRY = 60_000
/** Without any event: drift that no event told of is found within this time. */
export const LOOK_AT_LEAST = 60_000

/** A pause may be shortened by this much, so that many hosts do not ask at once, and is still a whole one. */
const WHOLE = 0.8

/** The pauses of a loop whose turns may fail. */
export interface Retries {
  /** A turn failed: the pause until the next one. It doubles up to a minute. */
  failed(): number
  /** A turn went well; whether one had failed before. */
  succeeded(): boolean
}

/**
 * Only a failure after a whole pause makes the next one longer. What wakes a loop before may come in bursts: they would
 * make a fault of some seconds one of a minute.
 */
export function createRetries(clock: Clock): Retries {
  let pause = 0
  let wholeAt = 0
  return {
    failed() {
      const now = clock.steady()
      if (pause === 0) pause = FIRST_RETRY
      else if (now >= wholeAt) pause = Math.min(LONGEST_RETRY, pause * 2)
      wholeAt = now + pause * WHOLE
      return pause
    },
    succeeded() {
      const hadFailed = pause > 0
      pause = 0
      return hadFailed
    },
  }
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
