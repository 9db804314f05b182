// Keeps a lock that was taken on an engine: beats for it, and knows when it was last seen to be ours.

import type { Clock } from '../apply/clock.ts'
import type { LockResult } from '../engine/lock-container.ts'
import { BEATS } from './lock-life.ts'

export type Taken = Extract<LockResult, { taken: true }>

export interface LockKeeper {
  /** Whether it is ours; asks the engine where it was not seen for a while. Throws EngineFault. */
  isSure(): Promise<boolean>
  /** Asks the engine. Once lost it stays lost, until `keep`. Throws EngineFault. */
  isOurs(): Promise<boolean>
  /** Another one was taken in place of it. */
  keep(taken: Taken): void
  /** Gives it back. */
  end(): Promise<void>
}

interface Ways {
  /** Milliseconds without a beat after which another graft may take it. */
  readonly staleAfter: number
  readonly clock: Clock
  /** Takes it where nobody has it. */
  readonly retake: () => Promise<LockResult>
}

/** A lock that was seen to be ours within this part of `staleAfter` is ours. */
const SURE = 1 / 4
/** Within this part nobody else can have found it silent and given it back: one that is not there was pruned. */
const PRUNED = 1 / 2

export function keepLock(first: Taken, { staleAfter, clock, retake }: Ways): LockKeeper {
  let lock = first
  let seen = stamp()
  /** When it was last shown; reading it shows nobody anything. Null where this engine shows no beats. */
  let shown: ReturnType<typeof stamp> | null = seen
  let lost = false
  let isBeating = false
  let taking: Promise<void> | null = null
  let timer: NodeJS.Timeout | null = null

  function stamp(): { readonly steady: number; readonly now: number } {
    return { steady: clock.steady(), now: clock.now() }
  }

  /** By both clocks, because one of them stands still while a machine sleeps. */
  function age(since = seen): number {
    return Math.max(clock.steady() - since.steady, Math.abs(clock.now() - since.now))
  }

  function start(): void {
    if (timer !== null) clearInterval(timer)
    timer = setInterval(() => void beat(), staleAfter / BEATS)
    timer.unref()
    void beat()
  }

  async function beat(): Promise<void> {
    if (isBeating || lost) return
    isBeating = true
    const [current, at] = [lock, stamp()]
    try {
      const result = await current.beat()
      if (current !== lock) return
      if (result === 'held') seen = shown = at
      else if (result === 'gone') await isOurs()
      else {
        shown = null
        if (timer !== null) clearInterval(timer)
      }
    } catch {
      // An engine that does not answer is found by whoever wants to act.
    } finally {
      isBeating = false
    }
  }

  async function isOurs(): Promise<boolean> {
    if (lost) return false
    const [current, at] = [lock, stamp()]
    const isThere = await current.stillHeld()
    if (current !== lock || lost) return !lost
    if (isThere) seen = at
    else await takeAgain()
    return !lost
  }

  /** Whoever finds it gone meanwhile waits for the same one: a second try would find the first one's lock. */
  function takeAgain(): Promise<void> {
    taking ??= takeOnce().finally(() => (taking = null))
    return taking
  }

  async function takeOnce(): Promise<void> {
    if (age(shown ?? seen) < staleAfter * PRUNED) {
      const again = await retake()
      if (again.taken && !again.fromSilent) return keep(again)
      if (again.taken) await again.release().catch(() => undefined)
    }
    lost = true
  }

  function keep(taken: Taken): void {
    lock = taken
    seen = stamp()
    shown = seen
    lost = false
    start()
  }

  start()
  return {
    isOurs,
    keep,
    isSure: async () => (!lost && age() < staleAfter * SURE ? true : isOurs()),
    async end() {
      lost = true
      await taking?.catch(() => undefined)
      if (timer !== null) clearInterval(timer)
      lost = true
      await lock.release().catch(() => undefined)
    },
  }
}
