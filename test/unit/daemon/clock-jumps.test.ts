// The host's clock is set by hours, forwards or back, while something waits: nothing is given up early, nothing waits longer.

import { describe, expect, it, vi } from 'vitest'

import { drain } from '../../../src/apply/drain.ts'
import { EngineFault, type Engine } from '../../../src/apply/engine.ts'
import { ObserveMemory } from '../../../src/engine/observe-memory.ts'
import type { ObservedContainer } from '../../../src/plan/observed.ts'
import { hostOf, leaf, treeOf, verdictOn, type Host } from '../plan/build.ts'
import { reconcilerOn, settle, standing, wishOf } from './memory-stage.ts'

const HOURS = 3_600_000
const CHECK = 'healthcheck: {http: {port: 80}}\nupdate: {deadline: 60s}'

function faulty(host: Host, refuse: () => boolean): Engine {
  return new Proxy<Engine>(host.engine, {
    get(target, key, receiver) {
      const value: unknown = Reflect.get(target, key, receiver)
      if (key !== 'create' || !refuse()) return value
      return () => Promise.reject(new EngineFault('disk', 'no space left on device', ''))
    },
  })
}

describe.each([
  ['forwards', 5 * HOURS],
  ['back', -5 * HOURS],
])('the clock is set %s by hours', (_, jump) => {
  it('a candidate at its gate has its whole deadline, and not more', async () => {
    const tree = treeOf({ web: leaf(1, CHECK) })
    const host = await hostOf(treeOf({}))
    host.engine.publish('app:1', { behaviour: { healthyAfter: 'never' } })
    const begun = host.clock.steady()
    const run = settle(host, wishOf(tree))
    void host.clock.sleep(5_000).then(() => host.clock.jump(jump))
    const { results } = await run
    const took = host.clock.steady() - begun
    const result = results.find(({ outcome }) => outcome.kind !== 'done')
    expect(result?.outcome.kind).toBe('failed')
    expect(took).toBeGreaterThanOrEqual(60_000)
    expect(took).toBeLessThan(70_000)
    // What is told of it is right, too.
    expect((result?.endedAt ?? 0) - (result?.startedAt ?? 0)).toBeLessThan(70_000)
    expect((result?.endedAt ?? 0) - (result?.startedAt ?? 0)).toBeGreaterThanOrEqual(60_000)
  })

  it('a drain lasts as long as its leaf says', async () => {
    const host = await hostOf(treeOf({}))
    const engine = new Proxy<Engine>(host.engine, {
      get: (target, key, receiver) =>
        key === 'openConnections' ? () => Promise.resolve(3) : (Reflect.get(target, key, receiver) as unknown),
    })
    const { signal } = new AbortController()
    void host.clock.sleep(1_000).then(() => host.clock.jump(jump))
    const done = await host.clock.run(drain({ engine, clock: host.clock, id: 'old', milliseconds: 10_000, signal }))
    expect(done).toMatchObject({ how: 'time' })
    expect(done.milliseconds).toBeGreaterThanOrEqual(10_000)
    expect(done.milliseconds).toBeLessThan(10_500)
  })

  it('a leaf that waits after a fault of the disk waits seconds', async () => {
    const tree = treeOf({ web: leaf(1) })
    const host = await hostOf(treeOf({}))
    host.engine.publish('app:1', {})
    let full = true
    const reconciler = reconcilerOn(
      host,
      faulty(host, () => full),
    )
    await settle(host, wishOf(tree), reconciler)
    host.clock.jump(jump)
    const held = verdictOn((await reconciler.look(wishOf(tree))).plan, 'web')
    expect(held.kind).toBe('hold')
    const wait = (held.retryAt ?? 0) - host.clock.now()
    expect(wait).toBeGreaterThan(0)
    expect(wait).toBeLessThanOrEqual(2_000)
    full = false
    await host.clock.advance(2_001)
    await settle(host, wishOf(tree), reconciler)
    expect(standing(host.engine)).toEqual({ web: 'running g1 always' })
  })
})

it('what was remembered of a container is asked for again after five minutes, also where the clock was set back', () => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] })
  try {
    const memory = new ObserveMemory()
    memory.attachStream()
    const container = { id: 'one' } as ObservedContainer
    memory.remember(container, 'row', memory.stamp)
    vi.setSystemTime(Date.now() - 5 * HOURS)
    expect(memory.recall('one', 'row')).toBe(container)
    vi.advanceTimersByTime(5 * 60_000 + 1)
    expect(memory.recall('one', 'row')).toBeNull()
  } finally {
    vi.useRealTimers()
  }
})
