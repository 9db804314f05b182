// Turns until nothing is left to do: what `settle` gives, and that it always ends.

import { describe, expect, it } from 'vitest'

import { EngineFault, type Engine } from '../../../src/apply/engine.ts'
import type { Behaviour } from '../../../src/engine/memory/behaviour.ts'
import { hostOf, job, leaf, treeOf, verdictOn, type Host } from '../plan/build.ts'
import { reconcilerOn, settle, standing, wishOf } from './memory-stage.ts'

const CHECK = 'healthcheck: {test: [CMD, ok], interval: 1s}'

function refusing(host: Host, call: keyof Engine): Engine {
  return new Proxy<Engine>(host.engine, {
    get(target, key, receiver) {
      if (key !== call) return Reflect.get(target, key, receiver) as unknown
      return () => Promise.reject(new EngineFault('engine', `${call} failed`, ''))
    },
  })
}

describe('settle', () => {
  it('fetches images, then launches in order, then has nothing left to do', async () => {
    const tree = treeOf({
      db: leaf(1, CHECK),
      sync: job(1, 'depends_on: [db]'),
      web: leaf(1, `${CHECK}\ndepends_on: [sync]`),
    })
    const host = await hostOf(treeOf({}))
    host.engine.publish('app:1', {
      behaviour: ({ healthcheck }) => (healthcheck === undefined ? { exitsAfter: 200 } : {}),
    })
    const { turn, results } = await settle(host, wishOf(tree))
    expect(turn.plan.tables).toEqual([])
    expect(results.every(({ outcome }) => outcome.kind === 'done')).toBe(true)
    expect(standing(host.engine)).toEqual({ db: 'running g1 always', sync: 'exited g1 no', web: 'running g1 always' })
  })

  it('changes nothing the second time', async () => {
    const tree = treeOf({ web: leaf(1) })
    const host = await hostOf(tree)
    await settle(host, wishOf(tree))
    const { results, turn } = await settle(host, wishOf(tree))
    expect(results).toEqual([])
    expect(turn.plan.verdicts.map(({ kind }) => kind)).toEqual(['keep'])
  })

  it('binds the deployment’s name before anything is made, and never where there is nothing to do', async () => {
    const tree = treeOf({ web: leaf(1) })
    const host = await hostOf(tree)
    let before: string[] | null = null
    const bind = () => {
      before ??= Object.keys(standing(host.engine))
      return Promise.resolve()
    }
    await settle(host, wishOf(tree, null, { bind }))
    expect(before).toEqual([])
    before = null
    await settle(host, wishOf(tree, null, { bind }))
    expect(before).toBeNull()
  })

  it.each<keyof Engine>(['create', 'start', 'removeNetwork', 'createNetwork', 'remove', 'rename', 'tagImage'])(
    'ends where every %s fails',
    async (call) => {
      const before = treeOf({ old: leaf(1, 'networks: [zone]'), web: leaf(1) }, 'networks: {zone: {}}\n')
      const after = treeOf({ web: leaf(2, 'networks: [area]') }, 'networks: {area: {}}\n')
      const host = await hostOf(before)
      host.engine.publish('app:2', {})
      await settle(host, wishOf(before))
      const own = reconcilerOn(host, refusing(host, call))
      const { results } = await settle(host, wishOf(after, before), own)
      expect(results.length).toBeLessThan(20)
      // Once the engine works again, all is as it should be.
      await host.clock.advance(600_000)
      await settle(host, wishOf(after, before))
      expect(standing(host.engine)).toEqual({ web: 'running g2 always' })
    },
  )

  it('mends a container that keeps dying less and less often', async () => {
    const tree = treeOf({ web: leaf(1, 'restart: "no"') })
    const host = await hostOf(tree, { behaviour: { exitsAfter: 5000, exitCode: 1 } })
    await host.put(tree, 'web')
    const own = reconcilerOn(host)
    const starts: number[] = []
    for (let second = 0; second < 300; second++) {
      await host.clock.advance(1000)
      const { results } = await settle(host, wishOf(tree), own)
      if (results.length > 0) starts.push(second)
    }
    const pauses = starts.slice(1).map((at, i) => at - (starts[i] ?? 0))
    expect(pauses.at(-1)).toBeGreaterThan((pauses[0] ?? 0) * 4)
  })
})

describe('pauses grow', () => {
  const VOLUMES = 'volumes: {data: {}}\n'
  const db = (generation: number) => treeOf({ db: leaf(generation, `${CHECK}\nvolumes: ["data:/data"]`) }, VOLUMES)

  /** How often the candidate of a stop-first swap is started within an hour on an engine that refuses `refused`. */
  async function startsInAnHour(
    candidate: Behaviour,
    refused: (call: string, args: readonly unknown[], name: (id: unknown) => string) => boolean,
  ): Promise<number> {
    const host = await hostOf(db(1))
    await settle(host, wishOf(db(1)))
    host.engine.publish('app:2', { behaviour: candidate })
    const name = (id: unknown) => host.engine.world().containers.get(String(id))?.name ?? ''
    let starts = 0
    const engine = new Proxy<Engine>(host.engine, {
      get(target, key, receiver) {
        const value: unknown = Reflect.get(target, key, receiver)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          if (key === 'start' && name(args[0]) === 'db.next') starts++
          if (refused(String(key), args, name)) return Promise.reject(new EngineFault('engine', 'it says no', ''))
          return Reflect.apply(value, target, args) as unknown
        }
      },
    })
    const own = reconcilerOn(host, engine)
    const wish = wishOf(db(2))
    for (let second = 0; second < 3_600; second++) {
      await host.clock.advance(1_000)
      await settle(host, wish, own)
    }
    return starts
  }

  it('where a spec failed, and nothing can be kept that says so', async () => {
    const starts = await startsInAnHour(
      { healthyAfter: 'never' },
      (call, args) => call === 'rename' && args[1] === 'db.failed',
    )
    expect(starts).toBeGreaterThan(1)
    expect(starts).toBeLessThan(25)
  }, 60_000)

  it('where what a fault left over can be cleared away each time', async () => {
    let removed = 0
    const starts = await startsInAnHour({}, (call, args, name) => {
      if (name(args[0]) !== 'db.next') return false
      return call === 'start' || (call === 'remove' && ++removed % 2 === 1)
    })
    expect(starts).toBeGreaterThan(3)
    expect(starts).toBeLessThan(25)
  }, 60_000)
})

describe('retry', () => {
  it('forgets why a leaf waits', async () => {
    const tree = treeOf({ web: leaf(1) })
    const host = await hostOf(treeOf({}))
    const own = reconcilerOn(host)
    const { turn } = await settle(host, wishOf(tree), own)
    expect(verdictOn(turn.plan, 'web')).toMatchObject({ kind: 'hold' })
    host.engine.publish('app:1', {})
    expect((await own.look(wishOf(tree))).plan.tables).toEqual([])
    own.retry('web')
    await settle(host, wishOf(tree), own)
    expect(standing(host.engine)).toEqual({ web: 'running g1 always' })
  })
})
