// Waits, waker and state folder: small things that everything else leans on.

import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { openStateFolder } from '../../../src/daemon/state-folder.ts'
import { createWaits } from '../../../src/daemon/waits.ts'
import { createRetries } from '../../../src/daemon/pauses.ts'
import { createWaker } from '../../../src/daemon/waker.ts'
import { virtualClock } from '../../../src/engine/memory/clock.ts'

const SPEC = { generation: 3, digest: 'abc', state: 'running' } as const

describe('waits', () => {
  it('grow with each fault up to five minutes, and are forgotten when things go well', () => {
    const waits = createWaits()
    const pauses: number[] = []
    for (let i = 0; i < 10; i++) {
      waits.fault('web', SPEC, 'no registry', 1000)
      pauses.push((waits.current().get('web')?.until ?? 0) - 1000)
    }
    expect(pauses).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map((seconds) => seconds * 1000))
    expect(waits.current().get('web')).toMatchObject({ ...SPEC, because: 'no registry' })
    waits.succeeded('web')
    expect(waits.current().size).toBe(0)
    waits.fault('web', SPEC, 'no registry', 0)
    expect(waits.current().get('web')?.until).toBe(2000)
  })

  it('begin anew for another spec, and after an hour without a fault', () => {
    const waits = createWaits()
    const pause = (generation: number, now: number) => {
      waits.fault('web', { ...SPEC, generation }, 'no registry', now)
      return (waits.current().get('web')?.until ?? 0) - now
    }
    expect([pause(3, 0), pause(3, 0), pause(3, 0), pause(4, 0), pause(4, 0)]).toEqual(
      [2, 4, 8, 2, 4].map((s) => s * 1000),
    )
    expect(pause(4, 3_600_001)).toBe(2000)
  })

  it('cost nothing for the first two mends in ten minutes, and grow from the third on', () => {
    const waits = createWaits()
    const after = (minute: number) => {
      waits.mended('web', SPEC, minute * 60_000)
      const until = waits.current().get('web')?.until
      waits.succeeded('web')
      return until === undefined ? null : until - minute * 60_000
    }
    expect([after(0), after(1), after(2), after(3)]).toEqual([null, null, 2000, 4000])
    expect(after(30)).toBeNull()
  })

  it('are forgotten for one name or for all when somebody asks', () => {
    const waits = createWaits()
    for (const name of ['web', 'db']) waits.fault(name, SPEC, 'x', 0)
    waits.forget('web')
    expect([...waits.current().keys()]).toEqual(['db'])
    waits.forget(null)
    expect(waits.current().size).toBe(0)
  })

  it('give a copy: a plan that was made keeps what it was made from', () => {
    const waits = createWaits()
    const before = waits.current()
    waits.fault('web', SPEC, 'x', 0)
    expect(before.size).toBe(0)
  })
})

describe('the pauses after faults', () => {
  it('double only after a whole pause, up to a minute, and begin anew when all is well', async () => {
    const clock = virtualClock()
    const retries = createRetries(clock)
    expect(retries.succeeded()).toBe(false)
    // A burst of wakes in a fault of some seconds.
    const burst: number[] = []
    for (let wakes = 0; wakes < 10; wakes++) {
      burst.push(retries.failed())
      await clock.advance(100)
    }
    expect(burst).toEqual(Array.from({ length: 10 }, () => 1_000))
    const alone: number[] = []
    for (let turns = 0; turns < 8; turns++) {
      await clock.advance(alone.at(-1) ?? 1_000)
      alone.push(retries.failed())
    }
    expect(alone).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
    expect(retries.succeeded()).toBe(true)
    expect(retries.succeeded()).toBe(false)
    expect(retries.failed()).toBe(1_000)
  })
})

describe('the waker', () => {
  const at = async (act: (waker: ReturnType<typeof createWaker>, abort: AbortController) => void) => {
    const clock = virtualClock(0)
    const abort = new AbortController()
    const waker = createWaker(clock, abort.signal)
    act(waker, abort)
    await clock.run(waker.wait(1000, 50))
    const first = clock.now()
    await clock.run(waker.wait(1000, 50))
    return [first, clock.now()]
  }

  it('waits its time, then again', async () => {
    expect(await at(() => {})).toEqual([1000, 2000])
  })

  it('loses no wake that comes while nobody waits, and counts a burst once', async () => {
    expect(
      await at((waker) => {
        waker.wake()
        waker.wake()
      }),
    ).toEqual([50, 1050])
  })

  it('does not gather for what is waited for', async () => {
    expect(await at((waker) => waker.wake('now'))).toEqual([0, 1000])
    expect(
      await at((waker) => {
        waker.wake('now')
        waker.wake()
      }),
    ).toEqual([0, 1000])
  })

  it('ends at once when it is over', async () => {
    expect(await at((_waker, abort) => abort.abort())).toEqual([0, 0])
  })

  it('is woken in the middle', async () => {
    const clock = virtualClock(0)
    const waker = createWaker(clock, new AbortController().signal)
    const waiting = waker.wait(1000, 50)
    await clock.advance(300)
    waker.wake()
    await clock.run(waiting)
    expect(clock.now()).toBe(350)
  })
})

describe('the state folder', () => {
  const inFolder = async (act: (root: string) => Promise<void>) => {
    const root = mkdtempSync(join(tmpdir(), 'graft-state-'))
    try {
      await act(join(root, 'state'))
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  }

  it('makes a key once, for its owner only, whoever asks first', () =>
    inFolder(async (root) => {
      const folders = await Promise.all(Array.from({ length: 8 }, () => openStateFolder(root)))
      const keys = await Promise.all(folders.map((folder) => folder.hostKey()))
      expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(1)
      expect(keys[0]).toHaveLength(32)
      expect(statSync(join(root, 'host.key')).mode & 0o777).toBe(0o600)
      expect(statSync(root).mode & 0o777).toBe(0o700)
      expect(readdirSync(root)).toEqual(['host.key'])
    }))

  it('never makes another key in place of a damaged one', () =>
    inFolder(async (root) => {
      const state = await openStateFolder(root)
      writeFileSync(join(root, 'host.key'), 'short')
      await expect(state.hostKey()).rejects.toThrow('holds 5 bytes instead of 32')
    }))

  it('keeps repositories, paths in them, and engines apart', () =>
    inFolder(async (root) => {
      const state = await openStateFolder(root)
      const folders = [
        state.repository('https://git.example/a/shop.git', ''),
        state.repository('https://git.example/b/shop.git', ''),
        state.repository('https://git.example/a/shop.git', 'east'),
        state.deployment('shop', 'engine-1'),
        state.deployment('shop', 'engine-2'),
      ]
      expect(new Set(folders).size).toBe(5)
      for (const folder of folders) expect(folder).toMatch(/^.*\/state\/(repositories|deployments)\/shop-[0-9a-f]{12}$/)
    }))
})
