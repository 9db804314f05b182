// A lock that was taken, and goes away under its holder.

import { describe, expect, it } from 'vitest'

import { keepLock, type Taken } from '../../../src/daemon/keep-lock.ts'
import type { LockResult } from '../../../src/engine/lock-container.ts'
import { virtualClock } from '../../../src/engine/memory/clock.ts'

const STALE_AFTER = 60_000

/** An engine with one lock; `prune` takes it away, as `docker container prune` does. */
function engine() {
  const clock = virtualClock()
  let there: number | null = null
  let made = 0
  const take = (fromSilent = false): LockResult => {
    const own = ++made
    there = own
    return {
      taken: true,
      fromSilent,
      stillHeld: () => Promise.resolve(there === own),
      beat: () => Promise.resolve(there === own ? 'held' : 'gone'),
      release: () => {
        if (there === own) there = null
        return Promise.resolve()
      },
    }
  }
  const other: LockResult = { taken: false, holder: { host: 'other', pid: 1, startedAt: 0 } }
  return {
    clock,
    first: take() as Taken,
    prune: () => (there = null),
    retake: async () => {
      await clock.sleep(100)
      return there === null ? take() : other
    },
    holds: () => there,
    made: () => made,
  }
}

describe('a lock that is gone', () => {
  it('is taken again once, whoever asks for it at the same time', async () => {
    const { clock, first, prune, retake, made } = engine()
    const keeper = keepLock(first, { staleAfter: STALE_AFTER, clock, retake })
    prune()
    const asked = Promise.all([keeper.isOurs(), keeper.isOurs(), keeper.isOurs()])
    expect(await clock.run(asked)).toEqual([true, true, true])
    expect(made()).toBe(2)
    expect(await keeper.isSure()).toBe(true)
    await keeper.end()
  })

  it('leaves none behind where it ends meanwhile', async () => {
    const { clock, first, prune, retake, holds } = engine()
    const keeper = keepLock(first, { staleAfter: STALE_AFTER, clock, retake })
    prune()
    const asked = keeper.isOurs()
    await clock.advance(50)
    await clock.run(Promise.all([asked, keeper.end()]))
    expect(holds()).toBeNull()
    expect(await keeper.isSure()).toBe(false)
  })

  it('may have been another’s where it was read all the time, and not shown', async () => {
    const { clock, first, prune, retake } = engine()
    const silent: Taken = { ...first, beat: () => Promise.reject(new Error('the engine refuses updates')) }
    const keeper = keepLock(silent, { staleAfter: STALE_AFTER, clock, retake })
    for (let passed = 0; passed < STALE_AFTER; passed += 10_000) {
      await clock.advance(10_000)
      expect(await keeper.isOurs()).toBe(true)
    }
    prune()
    expect(await clock.run(keeper.isOurs())).toBe(false)
    await keeper.end()
  })
})
