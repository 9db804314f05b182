// A whole swap behind an ingress: the order of its steps, who is blamed after the switch, and what an end leaves.

import { describe, expect, it } from 'vitest'

import { EngineFault, type Engine } from '../../../src/apply/engine.ts'
import { createIngressKeeper } from '../../../src/apply/ingress-keeper.ts'
import type { Tree } from '../../../src/desired/tree.ts'
import type { Behaviour } from '../../../src/engine/memory/behaviour.ts'
import { newCandidate, step } from '../../../src/plan/steps.ts'
import type { Action, ContainerRef, Step, Table } from '../../../src/plan/step.ts'
import { standing } from '../daemon/memory-stage.ts'
import { hostOf, leaf, planOf, treeOf } from '../plan/build.ts'
import { benchOn, done, execute, type TestBench } from './bench.ts'
import { behindIngress, ingressStandIn, renderLines } from './ingress-stand-in.ts'

const CHECK = 'healthcheck: {test: [CMD, ok], interval: 60s, retries: 2}'
const shop = (generation: number, names: readonly string[] = ['web']) =>
  treeOf({
    ingress: leaf(1),
    ...Object.fromEntries(names.map((name) => [name, leaf(generation, CHECK)])),
  })

/**
 * One table that switches the leaves together, follows with the ingress and proves them, put together from the planner's
 * own tables for one leaf each.
 */
function together(tables: readonly Table[], tree: Tree, live: ReadonlyMap<string, ContainerRef>): Table {
  const leaves = tables.flatMap((table) => table.leaves)
  const own = (steps: readonly Step[]) => steps.filter(({ action }) => !OWN.has(action.do))
  const [first, ...rest] = tables.flatMap((table) => own(table.commit))
  if (first === undefined) throw new Error('nothing to commit')
  const proofs = leaves.flatMap((name) => {
    const old = live.get(name)
    if (old === undefined) return []
    const policy = { do: 'restart-policy', container: old, policy: 'no' } as const
    const container = newCandidate(tree.prefix, name)
    return [
      step(policy, { ...policy, policy: 'always' }),
      step({ do: 'prove', leaf: name, container, old, milliseconds: 10_000 }),
    ]
  })
  return {
    id: leaves.join('+'),
    leaves,
    after: [],
    preemptible: true,
    prepare: tables.flatMap((table) => table.prepare),
    commit: [
      step(first.action, ...first.undo.filter(({ do: what }) => what !== 'ingress'), { do: 'ingress', leaves: [] }),
      ...rest,
      step({ do: 'ingress', leaves }),
      ...proofs,
    ],
    cleanup: [step({ do: 'ingress', leaves: [] }), ...tables.flatMap((table) => own(table.cleanup))],
  }
}

const OWN: ReadonlySet<Action['do']> = new Set(['ingress', 'prove', 'drain'])

async function ground(fresh: Behaviour, old: Behaviour = {}, names: readonly string[] = ['web']) {
  const host = await hostOf(shop(1, names), { behaviour: old })
  const ingress = await host.put(shop(1, names), 'ingress')
  const live = new Map<string, ContainerRef>()
  for (const name of names) live.set(name, { leaf: name, name, id: await host.put(shop(1, names), name) })
  host.engine.addImage('app:2', { behaviour: fresh })
  const tree = behindIngress(shop(2, names))
  const standIn = ingressStandIn(host)
  const table = together(planOf(shop(2, names), await host.observe(tree)).tables, tree, live)
  const bench = (engine: Engine = standIn.engine): TestBench => {
    const made = benchOn(host, tree, engine)
    const { clock, report } = made
    return { ...made, ingress: createIngressKeeper({ engine, clock, render: renderLines, newest: () => null, report }) }
  }
  await host.clock.run(bench().ingress.follow(tree))
  standIn.loads.length = 0
  return { ...host, standIn, ingress, tree, table, bench }
}

describe('a swap behind the ingress', () => {
  it('switches, follows, proves, lets go', async () => {
    const { clock, standIn, ingress, table, bench, engine } = await ground({})
    const own = bench()
    const result = await clock.run(execute(table, own))
    expect(result).toMatchObject({ outcome: { kind: 'done' }, leftovers: [] })
    expect(result.drains).toEqual(new Map([['web', { how: 'idle', milliseconds: 500, open: 0 }]]))
    expect(standIn.loads).toEqual(['web g2 +'])
    expect(standIn.served.get(ingress)).toBe('web g2 +')
    expect(standing(engine)).toEqual({ ingress: 'running g1 always', web: 'running g2 always' })
  })

  it('goes back to the old one where the new one fails after the switch, and the ingress follows', async () => {
    const behaviour = { exitsAfter: 3000, exitCode: 9, output: ['oh'] }
    const { clock, standIn, ingress, table, bench, engine } = await ground(behaviour, { connections: 2 })
    const own = bench()
    const result = await clock.run(execute(table, own))
    expect(result.outcome).toMatchObject({ kind: 'failed', leaf: 'web', log: expect.arrayContaining(['oh']) })
    expect(result.leftovers).toEqual([])
    expect(result.drains).toEqual(new Map())
    expect(standIn.loads).toEqual(['web g2 +', 'web g1'])
    expect(standIn.served.get(ingress)).toBe('web g1')
    expect(standing(engine)).toEqual({
      ingress: 'running g1 always',
      web: 'running g1 always',
      'web.failed': 'exited g2 no',
    })
    // The old one is served again before the new one is stopped.
    const undone = own.told.flatMap((one) => (one.kind === 'step' && one.undo ? [one.action.do] : []))
    expect(undone.indexOf('ingress')).toBeGreaterThan(undone.lastIndexOf('rename'))
    expect(undone.indexOf('ingress')).toBeLessThan(undone.indexOf('stop'))
  })

  it('is taken back where HAProxy does not take its ports, while the old one goes on being served', async () => {
    const { clock, standIn, ingress, table, bench, engine } = await ground({}, { connections: 2 })
    standIn.bad.add('web g2')
    const result = await clock.run(execute(table, bench()))
    expect(result.outcome).toMatchObject({ kind: 'failed', leaf: 'web', message: expect.stringContaining('is odd') })
    expect(standIn.served.get(ingress)).toBe('web g1')
    expect(standIn.loads).toEqual(['web g2 +'])
    expect(standing(engine)).toMatchObject({ web: 'running g1 always', 'web.failed': 'exited g2 no' })
  })

  it('stops nothing that the ingress may still send to, where it cannot be told of the way back', async () => {
    const { clock, standIn, ingress, table, bench, engine } = await ground({}, { connections: 2 })
    const deaf = new Proxy<Engine>(standIn.engine, {
      get(target, key, receiver) {
        const value = Reflect.get(target, key, receiver) as unknown
        if (key !== 'loadIngressConfig') return value
        return async (...args: Parameters<Engine['loadIngressConfig']>) => {
          // The first one takes effect, and nobody is told so.
          if (standIn.loads.length === 0) await target.loadIngressConfig(...args)
          throw new EngineFault('engine', 'the engine says 500', 'It is tried again')
        }
      },
    })
    const result = await clock.run(execute(table, bench(deaf)))
    expect(result.outcome).toMatchObject({ kind: 'fault', message: 'the engine says 500' })
    expect(result.leftovers).toEqual([
      'ingress: the engine says 500',
      'stop: the ingress may still send to web.next',
      'discard: the ingress may still send to web.next',
    ])
    expect(standIn.served.get(ingress)).toBe('web g2 +')
    expect(standing(engine)).toMatchObject({ web: 'running g1 always', 'web.next': 'running g2 no' })
  })

  it('ends quietly in its proof where graft ends, and leaves the rest to the next start', async () => {
    const { clock, table, bench, engine } = await ground({}, { connections: 2 })
    const own = bench()
    const run = execute(table, own)
    await clock.advance(3000)
    expect(done(own).at(-1)).toContain('prove')
    own.close.abort()
    own.abort.abort('graft is stopping')
    const result = await clock.run(run)
    expect(result.outcome.kind).toBe('done')
    expect(result.drains.get('web')).toMatchObject({ how: 'closing', open: 2 })
    expect(result.leftovers).toEqual(table.cleanup.map(({ action }) => `${action.do}: left for the next start`))
    expect(Object.keys(standing(engine))).toEqual(['ingress', 'web', expect.stringMatching(/^web\.prev-/)])
  })

  it('gives the old one its drain also where a newer commit changes the leaf', async () => {
    const { clock, table, bench } = await ground({}, { connections: 2 })
    const own = bench()
    const run = execute(table, own)
    await clock.advance(3000)
    own.abort.abort('a newer commit changes web')
    expect((await clock.run(run)).drains.get('web')).toEqual({ how: 'time', milliseconds: 10_000, open: 2 })
  })

  it.each<[string, Behaviour]>([
    ['forwards', {}],
    ['and back', { exitsAfter: 3000, exitCode: 9 }],
  ])('is never seen half switched by who looks meanwhile: %s', async (_way, fresh) => {
    const { clock, standIn, tree, table, bench } = await ground(fresh, { connections: 2 })
    const asked: Promise<unknown>[] = []
    const slow = new Proxy<Engine>(standIn.engine, {
      get(target, key, receiver) {
        if (key !== 'rename') return Reflect.get(target, key, receiver) as unknown
        return async (id: string, name: string) => {
          await target.rename(id, name)
          asked.push(own.ingress.follow(tree))
          await clock.sleep(1000)
        }
      },
    })
    const own = bench(slow)
    await clock.run(execute(table, own))
    await clock.run(Promise.all(asked))
    expect(asked.length).toBeGreaterThanOrEqual(2)
    expect(standIn.loads.length).toBeGreaterThan(0)
    for (const load of standIn.loads) expect(load).toMatch(/^web g[12]( \+)?$/)
  })

  it('sends the second rename right behind the first', async () => {
    const { clock, standIn, table, bench } = await ground({})
    const calls: string[] = []
    const noted = new Proxy<Engine>(standIn.engine, {
      get(target, key, receiver) {
        const value = Reflect.get(target, key, receiver) as unknown
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          calls.push(String(key))
          return Reflect.apply(value, target, args) as unknown
        }
      },
    })
    const own = bench(noted)
    const sentWhenTold: number[] = []
    const telling: TestBench = {
      ...own,
      report(one) {
        if (one.kind !== 'step' || one.action.do !== 'rename') return
        sentWhenTold.push(calls.filter((call) => call === 'rename').length)
      },
    }
    await clock.run(execute(table, telling))
    expect(calls.join(' ')).toContain('rename rename')
    // Whoever is told of one is told when it is on its way.
    expect(sentWhenTold).toEqual([1, 2])
  })
})

describe('several that switch together', () => {
  it('drain side by side, with one reload', async () => {
    const names = ['api', 'db', 'web']
    const { clock, standIn, table, bench } = await ground({}, { connections: 2 }, names)
    const begun = clock.now()
    const result = await clock.run(execute(table, bench()))
    expect(result.outcome.kind).toBe('done')
    expect([...result.drains.values()].map(({ how }) => how)).toEqual(['time', 'time', 'time'])
    expect(standIn.loads).toEqual(['api g2 +\ndb g2 +\nweb g2 +'])
    expect(clock.now() - begun).toBeLessThan(20_000)
  })

  it('all go back where one fails after the switch', async () => {
    const { clock, standIn, ingress, table, bench, engine } = await ground({ sickAfter: 3000 }, { connections: 2 }, [
      'api',
      'web',
    ])
    const begun = clock.now()
    const result = await clock.run(execute(table, bench()))
    expect(result.outcome.kind).toBe('failed')
    expect(clock.now() - begun).toBeLessThan(8000)
    expect(standIn.served.get(ingress)).toBe('api g1\nweb g1')
    expect(standing(engine)).toMatchObject({ api: 'running g1 always', web: 'running g1 always' })
  })
})
