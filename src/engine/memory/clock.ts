// Virtual time: it stands still until somebody moves it, so that hours of a daemon's life pass in milliseconds and the
// same run always goes the same way.

import type { Clock } from '../../apply/clock.ts'

export interface VirtualClock extends Clock {
  /** Moves time on by so many milliseconds, waking sleepers in the order of their times and letting each go on. */
  advance(milliseconds: number): Promise<void>
  /** Sets the host's clock by so many milliseconds, forwards or back; nothing sleeps longer or shorter for it. */
  jump(milliseconds: number): void
  /** Moves time on, from sleeper to sleeper, until `work` is done. Throws where nothing is left to wake. */
  run<T>(work: Promise<T>): Promise<T>
}

interface Sleeper {
  readonly at: number
  readonly sequence: number
  readonly wake: () => void
}

/** Work that neither sleeps nor ends gets this many turns of the event loop before it counts as stuck. */
const PATIENCE = 1000

export function virtualClock(start = Date.UTC(2030, 0, 1)): VirtualClock {
  let now = start
  let set = 0
  let sequence = 0
  const sleepers = new Set<Sleeper>()

  function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) return resolve()
      const wake = () => {
        sleepers.delete(sleeper)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      const sleeper: Sleeper = { at: now + Math.max(0, milliseconds), sequence: sequence++, wake }
      sleepers.add(sleeper)
      signal?.addEventListener('abort', wake)
    })
  }

  function next(): Sleeper | null {
    let first: Sleeper | null = null
    for (const sleeper of sleepers) {
      if (first === null || sleeper.at < first.at || (sleeper.at === first.at && sleeper.sequence < first.sequence)) {
        first = sleeper
      }
    }
    return first
  }

  function wakeNext(sleeper: Sleeper): void {
    now = Math.max(now, sleeper.at)
    sleeper.wake()
  }

  return {
    now: () => now + set,
    steady: () => now,
    jump(milliseconds) {
      set += milliseconds
    },
    sleep,
    async advance(milliseconds) {
      const end = now + milliseconds
      await others()
      for (let sleeper = next(); sleeper !== null && sleeper.at <= end; sleeper = next()) {
        wakeNext(sleeper)
        await others()
      }
      now = end
    },
    async run(work) {
      let done = false
      const settled = work.finally(() => {
        done = true
      })
      // The caller gets the failure from `settled` below.
      settled.catch(() => {})
      for (let idle = 0; !done;) {
        await others()
        const sleeper = done ? null : next()
        if (sleeper !== null) wakeNext(sleeper)
        idle = sleeper === null ? idle + 1 : 0
        if (idle > PATIENCE) throw new Error('nothing sleeps, and the work is not done: it waits for what never comes')
      }
      return settled
    },
  }
}

/** Lets everything that is ready go on, promises and immediates alike. */
function others(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
