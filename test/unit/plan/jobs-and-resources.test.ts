// Jobs, removals, networks, volumes and images in a plan.

import { describe, expect, it } from 'vitest'

import type { Tree } from '../../../src/desired/tree.ts'
import type { PlanInput } from '../../../src/plan/planning.ts'
import {
  hostOf,
  job,
  leaf,
  NOW,
  planOf,
  refusal,
  treeOf,
  verdictOn,
  withContainer,
  type Host,
  type Put,
} from './build.ts'
import { on, running } from './judged.ts'

const VOLUMES = 'volumes: {data: {}}\n'

describe('a job', () => {
  const done = (host: Host, generation: number, name = 'sync') =>
    host.engine.createMark('shop', `shop_${name}.done-g${generation}`, name, generation)
  const sync = async (tree: Tree, act: (host: Host) => unknown = () => undefined, more: Partial<PlanInput> = {}) => {
    const host = await hostOf(tree)
    await act(host)
    return on(tree, await host.observe(tree), more, 'sync')
  }
  const tree = treeOf({ sync: job(2) })

  it('runs once per generation, going up only', async () => {
    expect((await sync(tree)).said).toBe('run: it has not run yet')
    expect((await sync(tree, (host) => done(host, 1))).said).toBe('run: generation 1 → 2')
    expect((await sync(tree, (host) => done(host, 2))).said).toBe('keep: completed')
    expect((await sync(tree, (host) => done(host, 3))).said).toBe('keep: not run again: generation 3 has completed')
  })

  it('does not keep down what comes back as it was, by a generation of it that failed', async () => {
    const both = (web: number) => treeOf({ sync: job(2), web: leaf(web, 'depends_on: [sync]') })
    const after = async (web: number, put: Put, generation: number | null) => {
      const host = await hostOf(both(web))
      if (generation !== null) await done(host, generation)
      await host.put(both(web), 'sync', { role: 'failed', state: 'exited', exitCode: 9 })
      await host.put(both(1), 'web', put)
      return on(both(web), await host.observe(both(web)))
    }
    const down = { state: 'stopped', policy: 'no' } as const
    expect((await after(1, down, 1)).said).toBe('restore: it had been stopped, and is to run')
    expect((await after(1, down, null)).said).toMatch(/^hold: waits for the job sync: generation 2 failed before/)
    expect((await after(2, { state: 'running' }, 1)).said).toMatch(/^hold: waits for the job sync: generation 2 failed/)
  })

  it('is refused, suspended, stopped, or failed before', async () => {
    expect((await sync(tree, undefined, { refused: refusal('sync', 'no') })).said).toBe('refuse: no')
    expect((await sync(treeOf({ sync: job(2) }, 'suspend: true\n'))).said).toMatch(/^hold: its set is suspended/)
    expect((await sync(treeOf({ sync: job(2) }, 'state: stopped\n'))).said).toBe('keep: its set is stopped')
    const failed = await sync(tree, (host) => host.put(tree, 'sync', { role: 'failed', state: 'exited', exitCode: 9 }))
    expect(failed.said).toMatch(/^hold: generation 2 failed before \(it ended with exit code 9/)
  })

  it('that was renamed does not run again, and its mark gets the new name', async () => {
    const renamed = treeOf({ sync: job(2, 'renamed_from: migrate') })
    const taken = await sync(renamed, (host) => done(host, 2, 'migrate'))
    expect(taken).toMatchObject({
      said: 'restore: renamed from migrate, which has completed generation 2',
      steps: ['mark shop_sync.done-g2'],
    })
    const both = async (host: Host) => {
      await done(host, 2, 'migrate')
      await done(host, 2)
    }
    expect((await sync(renamed, both)).said).toBe('keep: completed')
  })

  it('never runs beside an earlier generation that somebody started again', async () => {
    const before = treeOf({ sync: job(1) })
    const again = (put: Put) => (host: Host) => host.put(before, 'sync', put)
    expect(await sync(tree, again({ state: 'running' }))).toMatchObject({
      said: 'hold: sync runs again, generation 1; the next one waits for its end',
      steps: [],
    })
    expect((await sync(tree, again({}))).said).toBe('run: it has not run yet')
    expect(await sync(tree, again({ policy: 'always' }))).toMatchObject({
      said: 'restore: someone gave it the restart policy always, and a job runs once',
      steps: ['sync: restart policy no'],
    })
    // Also where the leaf is refused by now.
    const refused = { refused: refusal('sync', 'no') }
    expect(await sync(tree, again({ policy: 'always' }), refused)).toMatchObject({ steps: ['sync: restart policy no'] })
    expect((await sync(tree, again({ state: 'running' }), refused)).said).toBe('refuse: no')
  })

  it('another deployment’s mark counts for nothing', async () => {
    const { said } = await sync(tree, (host) => host.engine.createMark('other', 'other_sync.done-g2', 'sync', 2))
    expect(said).toBe('run: it has not run yet')
  })
})

describe('removal', () => {
  const tree = treeOf({ other: leaf(1) })

  it('of more than the limit waits for somebody to confirm it', async () => {
    const host = await hostOf(tree)
    const gone = treeOf({ app: leaf(1), bus: leaf(1, 'depends_on: [app]'), cache: leaf(1) })
    for (const name of gone.leaves.keys()) await host.put(gone, name)
    const observed = await host.observe(tree)
    const departed = new Map([['bus', { prune: true, dependencies: ['app'] }]])
    const held = planOf(tree, observed, { departed, removals: { limit: 2, confirmed: false } })
    expect(held.removalHeld).toMatchObject({ count: 3, limit: 2, names: ['app', 'bus', 'cache'] })
    expect(verdictOn(held, 'app')).toMatchObject({
      kind: 'hold',
      because: '3 leaves would be removed, more than the 2 allowed without confirmation',
    })
    expect(held.tables.flatMap(({ leaves }) => leaves)).toEqual(['other'])
    const confirmed = planOf(tree, observed, { departed, removals: { limit: 2, confirmed: true } })
    expect(confirmed.removalHeld).toBeNull()
    // Dependents first.
    expect(confirmed.tables.find(({ id }) => id === 'app')?.after).toEqual(['bus'])
  })

  it('of a failed candidate alone is no loss and does not count', async () => {
    const host = await hostOf(tree)
    await host.put(treeOf({ app: leaf(1) }), 'app', { role: 'failed', state: 'exited' })
    const planned = planOf(tree, await host.observe(tree), { removals: { limit: 0, confirmed: false } })
    expect(verdictOn(planned, 'app').kind).toBe('remove')
  })
})

describe('networks and volumes', () => {
  const tree = treeOf({ web: leaf(1, 'volumes: ["data:/data"]') }, VOLUMES)

  it('are made where they are missing, before what needs them', async () => {
    const host = await hostOf(treeOf({}))
    host.engine.addImage('app:1')
    const { planned } = on(tree, await host.observe(tree))
    expect(planned.tables.map(({ id, after }) => [id, after])).toEqual([
      ['network default', []],
      ['volume data', []],
      ['web', ['network default', 'volume data']],
    ])
  })

  it('that the host would have to grant are made for a leaf that has the grant, and for no other', async () => {
    const strange = `networks: {lan: {driver: macvlan}}\nvolumes: {nfs: {driver_opts: {type: nfs}}, plain: {}}\n`
    const used = treeOf({ web: leaf(1, 'networks: [lan]\nvolumes: ["nfs:/x"]') }, strange)
    const unused = treeOf({ web: leaf(1) }, strange)
    const ids = async (of: Tree, input = {}) =>
      planOf(of, await (await hostOf(treeOf({}))).observe(of), input).tables.map(({ id }) => id)
    const problem = {
      file: null,
      line: null,
      column: null,
      text: null,
      message: 'no',
      remedy: '',
      leaf: 'web',
    } as const
    const refused = new Map([['web', { ...problem, severity: 'held' }]])
    expect(await ids(used)).toEqual(expect.arrayContaining(['network lan', 'volume nfs', 'volume plain']))
    expect(await ids(used, { refused })).toEqual(['volume plain'])
    expect(await ids(unused)).not.toEqual(expect.arrayContaining(['network lan']))
    expect(await ids(unused)).not.toEqual(expect.arrayContaining(['volume nfs']))
  })

  it('hold their leaves where they are external and missing, foreign, or changed', async () => {
    const external = treeOf(
      { web: leaf(1, 'volumes: ["data:/data"]') },
      'volumes: {data: {external: true, name: disk}}\n',
    )
    expect(on(external, await (await hostOf(external)).observe(external)).said).toBe(
      'hold: the external volume disk is not on this engine; make it, or take external away',
    )
    const foreign = await hostOf(treeOf({ web: leaf(1) }))
    await foreign.engine.createVolume('other', {
      key: 'data',
      name: 'shop_data',
      external: false,
      options: { driver: 'local', driver_opts: {}, labels: {} },
    })
    const { said, planned } = on(tree, await foreign.observe(tree))
    expect(said).toMatch(
      /^hold: the volume shop_data is there and is not .*; say external: true, or give it another name$/,
    )
    expect(planned.notes).toHaveLength(1)
    const changed = treeOf({ web: leaf(1) }, 'networks: {default: {internal: true}}\n')
    expect(on(changed, await (await hostOf(treeOf({ web: leaf(1) }))).observe(changed)).said).toBe(
      'hold: the options of network shop_default changed, and a network cannot change in place; give it a new name',
    )
  })

  it('wait after a fault; a leftover network, too', async () => {
    const host = await hostOf(treeOf({}))
    host.engine.addImage('app:1')
    const wait = { generation: 0, digest: '', until: NOW + 5, because: 'no address is left' }
    const waits = new Map([['network default', wait]])
    const { said, planned } = on(tree, await host.observe(tree), { waits })
    expect(said).toBe('hold: no address is left')
    expect(planned.tables.map(({ id }) => id)).toEqual(['volume data'])

    const left = await hostOf(treeOf({ app: leaf(1, 'networks: [zone, area]') }, 'networks: {zone: {}, area: {}}\n'))
    const none = treeOf({})
    const observed = await left.observe(none)
    expect(planOf(none, observed).tables.map(({ id }) => id)).toEqual([
      'network shop_area removed',
      'network shop_zone removed',
    ])
    const waiting = new Map([['network shop_area removed', wait]])
    expect(planOf(none, observed, { waits: waiting, busy: new Set(['network shop_zone removed']) }).tables).toEqual([])
  })

  it('a network that somebody removed is made before its containers are connected again', async () => {
    const web = treeOf({ web: leaf(1) })
    const host = await running(web)
    const observed = await host.observe(web)
    const [container] = observed.containers
    if (container === undefined) throw new Error('no container')
    const networks = new Map([...observed.networks].filter(([name]) => name !== 'shop_default'))
    const lost = withContainer({ ...observed, networks }, 'web', { running: { ...container.running, networks: {} } })
    const { planned, steps } = on(web, lost)
    expect(steps).toEqual(['connect web default'])
    expect(planned.tables.map(({ id, after }) => [id, after])).toEqual([
      ['network default', []],
      ['web', ['network default']],
    ])
  })
})

describe('images', () => {
  it('the one that passed its gate under this generation is used, without a registry', async () => {
    const tree = treeOf({ web: leaf(1) })
    const host = await hostOf(treeOf({}))
    for (const wish of tree.networks.values()) await host.engine.createNetwork('shop', wish)
    const old = host.engine.addImage('elsewhere:1')
    await host.engine.tagImage(old.id, `graft.local/shop/web:g1-${old.id.slice(7, 19)}`)
    const { steps } = on(tree, await host.observe(tree))
    expect(steps[0]).toBe(`image graft.local/shop/web:g1-${old.id.slice(7, 19)}`)
  })
})
