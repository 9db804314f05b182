// What waits for a slot, and that nothing is down while it does.

import { describe, expect, it } from 'vitest'

import { executeTable } from '../../../src/apply/execute-table.ts'
import { slotBefore } from '../../../src/apply/sections.ts'
import { createThrottle, type Throttle } from '../../../src/apply/throttle.ts'
import type { Engine } from '../../../src/apply/engine.ts'
import type { Host } from '../plan/build.ts'
import { hostOf, leaf, treeOf } from '../plan/build.ts'
import { benchOn, done, tableFor } from './bench.ts'

const VOLUMES = 'volumes: {data: {}, more: {}}\n'
const db = (generation: number) => treeOf({ db: leaf(generation, 'volumes: ["data:/data"]') }, VOLUMES)

/** Keeps every slot busy with starts of others, one second each, for as long as it is asked to. */
function crowd(throttle: Throttle, host: Host, parallel: number, rounds: number): Promise<unknown> {
  const starts = Array.from({ length: parallel * rounds }, () => throttle.run('start', () => host.clock.sleep(1000)))
  return Promise.all(starts)
}

/** Virtual times at which calls began. */
function timed(engine: Engine, host: Host): { engine: Engine; calls: (readonly [string, number])[] } {
  const calls: (readonly [string, number])[] = []
  const proxy = new Proxy<Engine>(engine, {
    get(target, key, receiver) {
      const value = Reflect.get(target, key, receiver) as unknown
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        calls.push([String(key), host.clock.now()])
        return Reflect.apply(value, target, args) as unknown
      }
    },
  })
  return { engine: proxy, calls }
}

const first = (calls: readonly (readonly [string, number])[], call: string) =>
  calls.find(([name]) => name === call)?.[1] ?? Number.NaN

describe('a stop-first swap', () => {
  it.each([1, 2])('is not down while other starts are queued (%i at a time)', async (parallel) => {
    const host = await hostOf(db(1))
    await host.put(db(1), 'db')
    host.engine.addImage('app:2')
    const throttle = createThrottle(parallel)
    const { engine, calls } = timed(host.engine, host)
    const bench = benchOn(host, db(2), engine)
    const table = await tableFor(host, db(2))
    // Its create gets through, then the crowd comes before its stop.
    const crowding: Throttle = {
      run: (action, work) => {
        const result = throttle.run(action, work)
        if (action === 'create') void result.then(() => crowd(throttle, host, parallel, 10))
        return result
      },
      take: () => throttle.take(),
    }
    const begun = host.clock.now()
    const result = await host.clock.run(executeTable(table, bench, crowding))
    expect(result.outcome.kind).toBe('done')
    expect(first(calls, 'stop') - begun).toBeGreaterThanOrEqual(1000)
    expect(first(calls, 'start') - first(calls, 'stop')).toBe(0)
  })

  it('does nothing between the stop and the start', async () => {
    const host = await hostOf(db(1))
    await host.put(db(1), 'db')
    host.engine.addImage('app:2')
    const { engine, calls } = timed(host.engine, host)
    await host.clock.run(executeTable(await tableFor(host, db(2)), benchOn(host, db(2), engine), createThrottle(4)))
    const names = calls.map(([name]) => name)
    expect(names.slice(names.indexOf('setRestartPolicy'), names.indexOf('start') + 1)).toEqual([
      'setRestartPolicy',
      'stop',
      'start',
    ])
  })

  it('that is no longer wanted when it gets its slot stops nothing, and gives the slot back', async () => {
    const host = await hostOf(db(1))
    await host.put(db(1), 'db')
    host.engine.addImage('app:2')
    const throttle = createThrottle(1)
    const bench = benchOn(host, db(2))
    const crowding: Throttle = {
      run: (action, work) => throttle.run(action, work),
      take: () => {
        void crowd(throttle, host, 1, 3)
        bench.abort.abort('a newer commit changes db')
        return throttle.take()
      },
    }
    const result = await host.clock.run(executeTable(await tableFor(host, db(2)), bench, crowding))
    expect(result.outcome.kind).toBe('superseded')
    expect(done(bench).join()).not.toContain('stop')
    await host.clock.run(throttle.run('start', () => Promise.resolve()))
  })

  it('gives its slot back when its candidate has started, not when that has passed its gate', async () => {
    const host = await hostOf(db(1))
    await host.put(db(1), 'db')
    host.engine.addImage('app:2', { behaviour: { healthyAfter: 60_000 } })
    const throttle = createThrottle(1)
    const run = executeTable(await tableFor(host, db(2)), benchOn(host, db(2)), throttle)
    await host.clock.advance(1000)
    let others = false
    void throttle.run('start', () => Promise.resolve()).then(() => (others = true))
    await host.clock.advance(0)
    expect(others).toBe(true)
    await host.clock.run(run)
  })

  it('gives its slot back when something fails', async () => {
    const host = await hostOf(db(1))
    await host.put(db(1), 'db')
    host.engine.addImage('app:2', { behaviour: { startError: 'no such file' } })
    const throttle = createThrottle(1)
    await host.clock.run(executeTable(await tableFor(host, db(2)), benchOn(host, db(2)), throttle))
    await host.clock.run(throttle.run('start', () => Promise.resolve()))
  })
})

it('the slot comes before the first stop that a start follows, and before its restart policy', () => {
  expect(slotBefore(['image', 'create', 'restart-policy', 'stop', 'start', 'gate'])).toBe(2)
  expect(slotBefore(['image', 'create', 'start', 'gate'])).toBeNull()
  expect(slotBefore(['start', 'gate', 'restart-policy', 'restart-policy', 'stop', 'stop', 'start'])).toBe(2)
  expect(slotBefore(['restart-policy', 'stop', 'remove'])).toBeNull()
})
