// Waits until somebody wakes it, or a time is over. A wake that comes while nobody waits is not lost.

import type { Clock } from '../apply/clock.ts'

export interface Waker {
  /** `now`: without gathering, for what comes alone and is waited for. */
  wake(how?: 'now'): void
  /** Waits at most `milliseconds`; after a wake, `gather` more, so that a burst of wakes counts once. */
  wait(milliseconds: number, gather: number): Promise<void>
}

export function createWaker(clock: Clock, signal: AbortSignal): Waker {
  let woken = false
  let now = false
  let sleeper: AbortController | null = null
  signal.addEventListener('abort', () => sleeper?.abort(), { once: true })
  return {
    wake(how) {
      woken = true
      if (how === 'now') now = true
      sleeper?.abort()
    },
    async wait(milliseconds, gather) {
      if (!woken && !signal.aborted) {
        sleeper = new AbortController()
        await clock.sleep(milliseconds, sleeper.signal)
        sleeper = null
      }
      if (woken && !now && !signal.aborted) await clock.sleep(gather, signal)
      woken = false
      now = false
    },
  }
}
