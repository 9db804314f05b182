// Whether somebody who holds a lock still works: what counts, and what does not.

import { describe, expect, it } from 'vitest'

import { BEATS, lifeOfHolder } from '../../../src/daemon/lock-life.ts'
import type { FoundLock, LockHolder } from '../../../src/engine/lock-container.ts'
import { virtualClock } from '../../../src/engine/memory/clock.ts'

const STALE_AFTER = 60_000
const own: LockHolder = { host: 'alpha', pid: 1, startedAt: 0, place: 'here', home: 'mine', staleAfter: STALE_AFTER }
const other: LockHolder = {
  host: 'beta',
  pid: 1,
  startedAt: 0,
  place: 'there',
  home: 'theirs',
  staleAfter: STALE_AFTER,
}

/** A lock whose beat is what `beat` says at a time, in milliseconds from the first look. */
function lockOf(holder: LockHolder, beat: (at: number) => number | null, lookTakes = 0) {
  const clock = virtualClock(0)
  const begun = clock.steady()
  let looks = 0
  const lock: FoundLock = {
    holder,
    beat: beat(0) ?? 0,
    async look() {
      looks++
      if (lookTakes > 0) await clock.sleep(lookTakes)
      return beat(clock.steady() - begun)
    },
  }
  const life = clock.run(lifeOfHolder(own, clock)(lock))
  return { life, looks: () => looks, waited: () => clock.steady() - begun }
}

describe('a holder', () => {
  it('of our own state folder has ended, because its lock file is ours; of our own place, when its process is gone', async () => {
    expect(await lockOf({ ...other, host: 'alpha', home: 'mine' }, () => 5).life).toBe('dead')
    expect(await lockOf({ ...other, place: 'here', pid: 2 ** 22 + 1 }, () => 5).life).toBe('dead')
  })

  it('of a state folder that was copied to another host does not count as ended', async () => {
    const { life } = lockOf({ ...other, home: 'mine' }, (at) => (at > 0 ? 6 : 5))
    expect(await life).toBe('lives')
  })

  it('lives as soon as its beat moves', async () => {
    const { life, waited } = lockOf(other, (at) => (at >= STALE_AFTER / BEATS ? 6 : 5))
    expect(await life).toBe('lives')
    expect(waited()).toBeLessThan(STALE_AFTER / 3)
  })

  it('is silent when its beat has not moved for as long as it allows itself', async () => {
    const { life, waited } = lockOf(other, () => 5)
    expect(await life).toBe('silent')
    expect(waited()).toBeGreaterThanOrEqual(STALE_AFTER)
    expect(waited()).toBeLessThan(STALE_AFTER * 1.2)
  })

  it('that never beat, or does not say for how long it may be silent, is left alone at once', async () => {
    const { staleAfter: _none, ...mute } = other
    expect(await lockOf(other, () => 0).life).toBe('lives')
    expect(await lockOf(mute, () => 5).life).toBe('lives')
  })

  it('is not silent because the engine was: looks that are far apart count little', async () => {
    // Each answer takes ten seconds: in the sixty seconds that six of them take, little was seen.
    const { life, looks, waited } = lockOf(other, (at) => (at > 3 * STALE_AFTER ? 6 : 5), 10_000)
    expect(await life).toBe('lives')
    expect(waited()).toBeGreaterThan(3 * STALE_AFTER)
    expect(looks()).toBeLessThan(20)
  })

  it('whose lock is gone is nobody to wait for', async () => {
    expect(await lockOf(other, (at) => (at > 5_000 ? null : 5)).life).toBe('silent')
  })
})
