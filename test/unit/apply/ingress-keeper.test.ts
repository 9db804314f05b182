// The ingress follows: what is loaded and when, who is blamed, and what is never seen half switched.

import { describe, expect, it } from 'vitest'

import { EngineFault } from '../../../src/apply/engine.ts'
import { createIngressKeeper } from '../../../src/apply/ingress-keeper.ts'
import type { Progress } from '../../../src/apply/progress.ts'
import type { Tree } from '../../../src/desired/tree.ts'
import { hostOf, leaf, treeOf } from '../plan/build.ts'
import { behindIngress, ingressStandIn, renderLines } from './ingress-stand-in.ts'

const shop = (web: number, api = 1) => behindIngress(treeOf({ ingress: leaf(1), web: leaf(web), api: leaf(api) }))

async function ground(tree: Tree = shop(1)) {
  const host = await hostOf(tree)
  const standIn = ingressStandIn(host)
  const told: Progress[] = []
  let newest: Tree | null = null
  const keeper = createIngressKeeper({
    engine: standIn.engine,
    clock: host.clock,
    render: renderLines,
    newest: () => newest,
    report: (progress) => told.push(progress),
  })
  const follow = (of = tree) => host.clock.run(keeper.follow(of))
  return { ...host, host, standIn, keeper, told, follow, adopt: (next: Tree) => (newest = next) }
}

describe('following', () => {
  it('loads what is live into every ingress container that runs, and skips one that serves it', async () => {
    const { put, standIn, follow } = await ground()
    const live = await put(shop(1), 'ingress')
    await put(shop(1), 'web')
    await follow()
    expect([...standIn.served]).toEqual([[live, 'web g1']])
    await follow()
    expect(standIn.loads).toHaveLength(1)
    const old = await put(shop(1), 'ingress', { role: 'retired' })
    const next = await put(shop(1), 'ingress', { role: 'candidate' })
    await put(shop(1), 'ingress', { role: 'failed', state: 'exited' })
    await follow()
    expect(standIn.loads).toHaveLength(3)
    expect(new Set(standIn.served.keys())).toEqual(new Set([live, next, old]))
  })

  it('does nothing where no ingress runs, or none is wanted', async () => {
    const { put, standIn, follow, adopt } = await ground()
    await put(shop(1), 'web')
    expect(await follow()).toEqual(new Map())
    await put(shop(1), 'ingress')
    adopt({ ...shop(1), ingress: null })
    expect(await follow()).toEqual(new Map())
    expect(standIn.loads).toEqual([])
  })

  it('answers all who asked meanwhile with one reload', async () => {
    const { put, standIn, keeper, clock } = await ground()
    await put(shop(1), 'ingress')
    await put(shop(1), 'web')
    const first = keeper.follow(shop(1))
    await clock.advance(50)
    await put(shop(1), 'api')
    const rest = Array.from({ length: 5 }, () => keeper.follow(shop(1)))
    await clock.run(Promise.all([first, ...rest]))
    expect(standIn.loads).toEqual(['web g1', 'api g1\nweb g1'])
  })

  it('one who asks after the look gets a look of its own', async () => {
    const { put, standIn, keeper, clock } = await ground()
    await put(shop(1), 'ingress')
    standIn.lookTakes = 100
    const first = keeper.follow(shop(1))
    await clock.advance(50)
    await put(shop(1), 'web')
    const second = keeper.follow(shop(1))
    await clock.run(Promise.all([first, second]))
    expect(standIn.loads.at(-1)).toBe('web g1')
  })

  it('never looks while names are being switched, and nothing is switched during a look', async () => {
    const { put, standIn, keeper, clock, engine } = await ground()
    await put(shop(1), 'ingress')
    const web = await put(shop(1), 'web')
    const renamed = keeper.renaming(async () => {
      await engine.rename(web, 'web.prev-aaaaaa')
      await clock.sleep(500)
      await engine.rename(web, 'web')
    })
    await clock.run(Promise.all([renamed, keeper.follow(shop(1))]))
    expect(standIn.loads).toEqual(['web g1'])

    standIn.lookTakes = 300
    const again = keeper.follow(shop(1))
    const begun = clock.now()
    await clock.advance(0)
    let switchedAt = 0
    const switched = keeper.renaming(async () => {
      switchedAt = clock.now()
    })
    await clock.run(Promise.all([again, switched]))
    expect(switchedAt - begun).toBeGreaterThanOrEqual(300)
  })

  it('tells all who asked of a fault, and works again afterwards', async () => {
    const { put, standIn, keeper, clock } = await ground()
    await put(shop(1), 'ingress')
    await put(shop(1), 'web')
    const { engine } = standIn
    const observe = engine.observe.bind(engine)
    let broken = true
    const faulty: typeof engine = new Proxy(engine, {
      get: (target, key, receiver) =>
        key === 'observe'
          ? (...args: Parameters<typeof observe>) =>
              broken ? Promise.reject(new EngineFault('unreachable', 'away', '')) : observe(...args)
          : (Reflect.get(target, key, receiver) as unknown),
    })
    const own = createIngressKeeper({
      engine: faulty,
      clock,
      render: renderLines,
      newest: () => null,
      report: () => undefined,
    })
    const both = Promise.allSettled([own.follow(shop(1)), own.follow(shop(1))])
    expect((await clock.run(both)).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    broken = false
    await clock.run(own.follow(shop(1)))
    expect(standIn.loads).toEqual(['web g1'])
    expect(keeper.leftOut()).toEqual(new Map())
  })

  it('does not mind one that has ended meanwhile', async () => {
    const { put, standIn, follow, engine } = await ground()
    const live = await put(shop(1), 'ingress')
    const old = await put(shop(1), 'ingress', { role: 'retired' })
    await put(shop(1), 'web')
    const load = standIn.engine.loadIngressConfig
    Object.assign(standIn.engine, {
      loadIngressConfig: async (id: string, config: Parameters<typeof load>[1]) => {
        if (id !== old) return load(id, config)
        await engine.stop(old)
        throw new EngineFault('not-found', 'gone', '')
      },
    })
    await follow()
    expect(standIn.served.get(live)).toBe('web g1')
  })
})

describe('what HAProxy does not take', () => {
  it('is left out where its leaf had nothing before, and the others are loaded', async () => {
    const { put, standIn, follow, told, keeper } = await ground()
    const ingress = await put(shop(1), 'ingress')
    await put(shop(1), 'web')
    await put(shop(1), 'api')
    standIn.bad.add('web')
    expect(await follow()).toEqual(new Map([['web', 'line 2 is odd']]))
    expect(standIn.served.get(ingress)).toBe('api g1')
    expect(told).toEqual([{ kind: 'left-out', leaf: 'web', because: 'line 2 is odd' }])
    expect([...keeper.leftOut().keys()]).toEqual(['web'])
    // Remembered as long as its container is the same: not asked again.
    await follow()
    expect(standIn.loads).toEqual(['api g1\nweb g1', 'api g1'])
  })

  it('keeps what its leaf had before as long as the old container is there, and forgets it with the switch back', async () => {
    const { put, standIn, follow, keeper, engine } = await ground()
    const ingress = await put(shop(1), 'ingress')
    const old = await put(shop(1), 'web')
    await follow()
    await engine.rename(old, 'web.prev-aaaaaa')
    const bad = await put(shop(2), 'web')
    await put(shop(1), 'api')
    standIn.bad.add('web g2')
    expect([...(await follow()).keys()]).toEqual(['web'])
    expect(standIn.served.get(ingress)).toBe('api g1\nweb g1')
    await engine.rename(bad, 'web.failed')
    await engine.rename(old, 'web')
    expect(await follow()).toEqual(new Map())
    expect(keeper.leftOut()).toEqual(new Map())
    expect(standIn.served.get(ingress)).toBe('api g1\nweb g1')
  })

  it('is left out wholly where what it had before is not taken either', async () => {
    const { put, standIn, follow, engine } = await ground()
    const ingress = await put(shop(1), 'ingress')
    const old = await put(shop(1), 'web')
    await engine.rename(old, 'web.prev-aaaaaa')
    await put(shop(2), 'web')
    await put(shop(1), 'api')
    standIn.bad.add('web')
    await follow()
    expect(standIn.served.get(ingress)).toBe('api g1')
  })

  it('is tried again after a minute, because the host may have changed', async () => {
    const { put, standIn, follow, clock } = await ground()
    const ingress = await put(shop(1), 'ingress')
    await put(shop(1), 'web')
    standIn.bad.add('web')
    await follow()
    standIn.bad.clear()
    expect((await follow()).size).toBe(1)
    await clock.advance(60_000)
    expect((await follow()).size).toBe(0)
    expect(standIn.served.get(ingress)).toBe('web g1')
  })

  it('and belongs to no leaf is a fault for those who asked', async () => {
    const { put, standIn, keeper, clock } = await ground()
    await put(shop(1), 'ingress')
    await put(shop(1), 'web')
    const own = createIngressKeeper({
      engine: standIn.engine,
      clock,
      render: (...args) => ({ ...renderLines(...args), ownerOf: () => null }),
      newest: () => null,
      report: () => undefined,
    })
    standIn.bad.add('web')
    const failed = await clock.run(own.follow(shop(1)).catch((error: unknown) => error))
    expect(failed).toBeInstanceOf(EngineFault)
    expect(failed).toMatchObject({ kind: 'engine', message: expect.stringContaining('line 1 is odd') })
    expect(keeper.leftOut()).toEqual(new Map())
  })
})

it('renders the first configuration of a container that was not started yet', async () => {
  const { put, keeper, clock } = await ground()
  await put(shop(1), 'web')
  const id = await put(shop(1), 'ingress', { role: 'candidate', state: 'created' })
  expect((await clock.run(keeper.first(shop(1), id))).text).toBe('web g1')
})
