// Waits until somebody wakes it, or a time is over. A wake that comes while nobody waits is not lost.

import type { Clock } from '../apply/clock.ts'

export interface Waker {
  wake(): void
  /** Waits at most `milliseconds`; after a wake, `gather` more, so that a burst of wakes counts once. */
  wait(milliseconds: number, gather: number): Promise<void>
}

export function createWaker(clock: Clock, signal: AbortSignal): Waker {
  let woken = false
  let sleeper: AbortController | null = null
  signal.addEventListener('abort', () => sleeper?.abort(), { once: true })
  return {
    wake() {
      woken = true
      sleeper?.abort()
    },
    async wait(milliseconds, gather) {
      if (!woken && !signal.aborted) {
        sleeper = new AbortController()
        await clock.sleep(milliseconds, sleeper.signal)
        sleeper = null
      }
      if (woken && !signal.aborted) await clock.sleep(gather, signal)
      woken = false
    },
  }
}
