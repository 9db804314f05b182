// Health of what is live: graft's own probes go on for good, a turn of health is told once, and what fails is started
// again with growing pauses unless its file says otherwise.

import { afterEach, describe, expect, it } from 'vitest'

import type { Engine } from '../../../src/apply/engine.ts'
import { createHealthNews } from '../../../src/daemon/health-news.ts'
import { createHealthWatch, type HealthWatch } from '../../../src/daemon/health-watch.ts'
import type { Reconciler, Turn, Wish } from '../../../src/daemon/reconcile.ts'
import { hostOf, leaf, treeOf, withContainer, type Host } from '../plan/build.ts'
import { reconcilerOn, wishOf } from './memory-stage.ts'

const probe = (kind: 'http' | 'tcp', more = '') =>
  `healthcheck: {${kind}: {port: 80}, interval: 1s, retries: 3}\nupdate: {drain: 0s}\n${more}`

let ends: AbortController[] = []
afterEach(() => {
  for (const end of ends) end.abort()
  ends = []
})

interface Graft {
  readonly watch: HealthWatch
  readonly own: Reconciler
  /** Looks and acts once a second, as the daemon does when something wakes it. */
  run(wish: Wish, seconds: number): Promise<Turn>
  end(): void
}

/** A graft as the daemon wires it. */
function graftOn(host: Host, engine: Engine = host.engine): Graft {
  const abort = new AbortController()
  ends.push(abort)
  const watch = createHealthWatch(host.engine, host.clock, abort.signal, () => undefined)
  const own = reconcilerOn(host, engine, { probed: () => watch.seen() })
  return {
    watch,
    own,
    async run(wish, seconds) {
      let turn: Turn | null = null
      for (let second = 0; second < seconds; second++) {
        turn = await host.clock.run(own.turn(wish))
        watch.follow(turn)
        await host.clock.advance(1_000)
      }
      if (turn === null) throw new Error('no turn')
      return turn
    },
    end: () => abort.abort(),
  }
}

describe.each(['http', 'tcp'] as const)('graft’s own %s probe', (kind) => {
  it('finds one that fails, also after a restart of graft, and starts it again', async () => {
    const tree = treeOf({ web: leaf(1, probe(kind)) })
    const host = await hostOf(tree, { behaviour: { sickAfter: 20_000 } })
    const id = await host.put(tree, 'web')
    const first = graftOn(host)
    await first.run(wishOf(tree), 10)
    expect(first.watch.seen().get('web')).toBe(true)
    first.end()
    const second = graftOn(host)
    const before = (await host.engine.inspect(id))?.startedAt ?? 0
    await second.run(wishOf(tree), 25)
    expect((await host.engine.inspect(id))?.startedAt).toBeGreaterThan(before)
  })

  it('starts it again less and less often', async () => {
    const tree = treeOf({ web: leaf(1, probe(kind)) })
    const host = await hostOf(tree, { behaviour: { healthyAfter: 'never' } })
    const id = await host.put(tree, 'web')
    const graft = graftOn(host)
    const starts: number[] = []
    let known = (await host.engine.inspect(id))?.startedAt
    for (let second = 0; second < 2_400; second++) {
      await graft.run(wishOf(tree), 1)
      const now = (await host.engine.inspect(id))?.startedAt
      if (now !== known) starts.push(second)
      known = now
    }
    const pauses = starts.slice(1).map((at, i) => at - (starts[i] ?? 0))
    expect(pauses.length).toBeGreaterThan(5)
    expect(Math.max(...pauses)).toBe(pauses.at(-1))
    expect(pauses.at(-1)).toBeGreaterThan(250)
    expect(pauses.at(-1)).toBeLessThan(330)
  })

  it('is only told where its file says so', async () => {
    const tree = treeOf({ web: leaf(1, probe(kind, 'on_unhealthy: ignore\n')) })
    const host = await hostOf(tree, { behaviour: { healthyAfter: 'never' } })
    const id = await host.put(tree, 'web')
    const before = (await host.engine.inspect(id))?.startedAt
    const graft = graftOn(host)
    const turn = await graft.run(wishOf(tree), 20)
    expect(graft.watch.seen().get('web')).toBe(false)
    expect(graft.watch.output('web')).toMatch(kind === 'http' ? /503/ : /refused/)
    expect(turn.plan.tables).toEqual([])
    expect((await host.engine.inspect(id))?.startedAt).toBe(before)
  })

  it('gives one its start period, also where the engine’s clock is behind', async () => {
    const tree = treeOf({ web: leaf(1, probe(kind).replace('interval', 'start_period: 30s, interval')) })
    const host = await hostOf(tree, { behaviour: { healthyAfter: 20_000 } })
    const id = await host.put(tree, 'web')
    const behind: Engine = {
      ...host.engine,
      async observe(...asked) {
        const seen = await host.engine.observe(...asked)
        const earlier = (time: number | null) => (time === null ? null : time - 3_600_000)
        return { ...seen, containers: seen.containers.map((one) => ({ ...one, startedAt: earlier(one.startedAt) })) }
      },
    }
    const graft = graftOn(host, behind)
    // Of one that runs when graft starts nothing but the engine's time is known.
    await host.clock.advance(20_000)
    await graft.run(wishOf(tree), 5)
    await host.clock.run(host.engine.stop(id))
    await host.engine.start(id)
    const begun = (await host.engine.inspect(id))?.startedAt
    await graft.run(wishOf(tree), 19)
    expect(graft.watch.seen().has('web')).toBe(false)
    await graft.run(wishOf(tree), 5)
    expect(graft.watch.seen().get('web')).toBe(true)
    expect((await host.engine.inspect(id))?.startedAt).toBe(begun)
  })

  it('judges what runs while a newer generation is held only by a check that it has passed', async () => {
    const ran = treeOf({ web: leaf(1, probe(kind)) })
    const held = treeOf({ web: leaf(2, probe(kind)) })
    const failed = { role: 'failed', state: 'exited', exitCode: 3 } as const
    const never = await hostOf(held, { behaviour: { healthyAfter: 'never' } })
    const stays = await never.put(ran, 'web')
    await never.put(held, 'web', failed)
    const begun = (await never.engine.inspect(stays))?.startedAt
    const graft = graftOn(never)
    await graft.run(wishOf(held), 30)
    expect(graft.watch.seen().has('web')).toBe(false)
    expect((await never.engine.inspect(stays))?.startedAt).toBe(begun)
    // The commit is taken back: now the check is its own.
    await graft.run(wishOf(ran), 10)
    expect((await never.engine.inspect(stays))?.startedAt).toBeGreaterThan(begun ?? Infinity)

    const once = await hostOf(held, { behaviour: { sickAfter: 20_000 } })
    const id = await once.put(ran, 'web')
    await once.put(held, 'web', failed)
    const before = (await once.engine.inspect(id))?.startedAt ?? Infinity
    await graftOn(once).run(wishOf(held), 35)
    expect((await once.engine.inspect(id))?.startedAt).toBeGreaterThan(before)
  })

  it('goes on over a commit that is read afresh', async () => {
    const tree = treeOf({ web: leaf(1, probe(kind)) })
    const host = await hostOf(tree)
    await host.put(tree, 'web')
    const graft = graftOn(host)
    await graft.run(wishOf(tree), 5)
    graft.watch.follow(await graft.own.look(wishOf(treeOf({ web: leaf(1, probe(kind)) }))))
    expect(graft.watch.seen().get('web')).toBe(true)
  })
})

describe('news of health', () => {
  const nothing = { healthy: new Map<string, boolean>(), output: () => null }

  async function turnsOf(yaml: string) {
    const tree = treeOf({ web: leaf(1, yaml) })
    const host = await hostOf(tree)
    await host.put(tree, 'web')
    const own = reconcilerOn(host)
    const turn = await own.look(wishOf(tree))
    return (change: Parameters<typeof withContainer>[2]): Turn => ({
      ...turn,
      observed: withContainer(turn.observed, 'web', change),
    })
  }

  it('come from the engine’s check: the first look is none, then each turn once', async () => {
    const at = await turnsOf('healthcheck: {test: [CMD, ok]}')
    const news = createHealthNews()
    const told = (change: Parameters<typeof withContainer>[2]) =>
      news(at(change), nothing).map(({ leaf: name, healthy }) => `${name} ${healthy}`)
    expect(told({ health: 'unhealthy' })).toEqual([])
    expect(told({ health: 'healthy' })).toEqual(['web true'])
    expect(told({ health: 'healthy' })).toEqual([])
    expect(told({ health: 'starting' })).toEqual([])
    expect(told({ health: 'unhealthy', state: 'exited' })).toEqual([])
    expect(told({ health: 'unhealthy' })).toEqual(['web false'])
    expect(told({ health: 'unhealthy' })).toEqual([])
  })

  it('come from graft’s own probe where the leaf has one, with what it saw', async () => {
    const at = await turnsOf(probe('http', 'on_unhealthy: ignore\n'))
    const news = createHealthNews()
    const told = (healthy: boolean | null) =>
      news(at({}), { healthy: new Map(healthy === null ? [] : [['web', healthy]]), output: () => 'HTTP 503' })
    expect([told(null), told(true), told(null)].flat()).toEqual([])
    expect(told(false)).toEqual([{ leaf: 'web', generation: 1, healthy: false, output: 'HTTP 503', ignored: true }])
    expect(told(true)).toEqual([expect.objectContaining({ healthy: true, output: null })])
  })
})
