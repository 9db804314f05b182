// One verdict per leaf, and its reason in words.

import { describe, expect, it } from 'vitest'

import type { Tree } from '../../../src/desired/tree.ts'
import type { Observed } from '../../../src/plan/observed.ts'
import type { PlanInput } from '../../../src/plan/planning.ts'
import {
  hostOf,
  job,
  leaf,
  leafIn,
  NOW,
  planOf,
  refusal,
  runDigest,
  treeOf,
  verdictOn,
  withContainer,
  type Host,
} from './build.ts'
import { words } from './render-table.ts'

const VOLUMES = 'volumes: {data: {}}\n'

/** Verdict and steps for `web`. */
function on(tree: Tree, observed: Observed, more: Partial<PlanInput> = {}, name = 'web') {
  const planned = planOf(tree, observed, more)
  const { kind, because, ...rest } = verdictOn(planned, name)
  const tables = planned.tables.filter(({ leaves }) => leaves.includes(name))
  const steps = tables.flatMap(({ prepare, commit, cleanup }) => [...prepare, ...commit, ...cleanup])
  return { said: `${kind}: ${because}`, steps: steps.map(({ action }) => words(action)), ...rest, planned }
}

async function running(tree: Tree, more = tree): Promise<Host> {
  const host = await hostOf(more)
  for (const name of tree.leaves.keys()) await host.put(tree, name)
  return host
}

describe('a container', () => {
  const tree = treeOf({ web: leaf(1, 'environment: {LEVEL: info}') })

  it('keep: it is as declared', async () => {
    const { said, planned, notes } = on(tree, await (await running(tree)).observe(tree))
    expect(said).toBe('keep: as declared')
    expect(planned.tables).toEqual([])
    expect(notes).toEqual(['it has no health check: staying up is all it must prove'])
  })

  it('create: it is not there, with every privilege it asks for', async () => {
    const privileged = treeOf({ web: leaf(1, 'privileged: true\npid: host') })
    const { said, order, gains } = on(privileged, await (await hostOf(privileged)).observe(privileged))
    expect(said).toBe('create: it does not exist yet')
    expect(order).toBeNull()
    expect(gains).toEqual(
      expect.arrayContaining([expect.stringContaining('privileged'), expect.stringContaining('pid')]),
    )
  })

  it('create: the image is fetched first, and what needs it waits', async () => {
    const two = treeOf({ web: leaf(1), api: leaf(1, 'depends_on: [web]') })
    const host = await hostOf(treeOf({}))
    for (const wish of two.networks.values()) await host.engine.createNetwork('shop', wish)
    const { said, steps, notes, planned } = on(two, await host.observe(two))
    expect(said).toBe('create: it does not exist yet')
    expect(notes).toContain('the image app:1 is fetched first')
    expect(steps).toEqual(['image app:1'])
    expect(planned.tables.map(({ id }) => id)).toEqual(['image of web', 'image of api'])
  })

  it('replace: fields that differ under a new generation', async () => {
    const next = treeOf({ web: leaf(2, 'environment: {LEVEL: debug}\ncap_add: [NET_ADMIN]') })
    const { said, changes, fromGeneration, toGeneration, gains, order } = on(
      next,
      await (await running(tree, next)).observe(next),
    )
    expect(said).toBe('replace: cap_add: NET_ADMIN added, environment.LEVEL info → debug, image app:1 → app:2')
    expect(changes.map(({ field }) => field)).toEqual(['cap_add', 'environment.LEVEL', 'image'])
    expect([fromGeneration, toGeneration]).toEqual([1, 2])
    expect(gains).toEqual(['cap_add: NET_ADMIN'])
    expect(order).toEqual({ kind: 'start-first', because: 'nothing it holds is exclusive' })
  })

  it('replace: a new bind mount is a gain', async () => {
    const next = treeOf({ web: leaf(2, 'volumes: ["/etc:/host-etc:ro"]') })
    const { gains } = on(next, await (await running(tree, next)).observe(next))
    expect(gains).toEqual([expect.stringMatching(/^bind \/etc/)])
  })

  it('replace: a generation alone swaps too', async () => {
    const same = (generation: number) => treeOf({ web: `generation: ${generation}\nimage: app:1\n` })
    const { said } = on(same(2), await (await running(same(1))).observe(same(2)))
    expect(said).toBe('replace: generation 1 → 2')
  })

  it('replace: a value of the host, or somebody, changed it under its generation', async () => {
    const host = await running(tree)
    const other = treeOf({ web: leaf(1, 'environment: {LEVEL: debug}') })
    expect(on(other, await host.observe(other)).said).toBe(
      'replace: a value of this host changed: environment.LEVEL info → debug',
    )
    const observed = await host.observe(tree)
    const [web] = observed.containers
    if (web === undefined) throw new Error('no container')
    const changed = withContainer(observed, 'web', { running: { ...web.running, privileged: true } })
    expect(on(tree, changed).said).toMatch(/^replace: changed by hand: privileged/)
  })

  it('replace: another restart policy under its generation needs a new label', async () => {
    const other = treeOf({ web: leaf(1, 'environment: {LEVEL: info}\nrestart: unless-stopped') })
    expect(on(other, await (await running(tree)).observe(other)).said).toBe(
      'replace: a value of this host changed: restart always → unless-stopped',
    )
  })

  it('restore: the least step that mends what somebody did', async () => {
    const restored = async (act: (host: Host, id: string) => unknown) => {
      const host = await hostOf(tree)
      const id = await host.put(tree, 'web')
      await act(host, id)
      const { said, steps } = on(tree, await host.observe(tree))
      return [said, ...steps]
    }
    expect(await restored(({ engine }, id) => engine.pause(id))).toEqual(['restore: someone paused it', 'unpause web'])
    expect(await restored(({ engine }, id) => engine.stop(id))).toEqual([
      'restore: it exited with code 143',
      'start web',
    ])
    expect(await restored(({ engine }, id) => engine.rename(id, 'mine'))).toEqual([
      'restore: someone renamed it to mine',
      'rename mine to web',
    ])
    expect(await restored(({ engine }, id) => engine.setRestartPolicy(id, 'no'))).toEqual([
      'restore: its restart policy is no, not always',
      'web: restart policy always',
    ])
    expect(await restored(({ engine }, id) => engine.disconnect(id, 'shop_default'))).toEqual([
      expect.stringMatching(/^restore: networks\.default/),
      'connect web default',
    ])
  })

  it('restore: a limit that somebody set, and one that is gone', async () => {
    const limited = treeOf({ web: leaf(1, 'mem_limit: 64m') })
    const host = await running(limited)
    const observed = await host.observe(limited)
    const [web] = observed.containers
    if (web === undefined) throw new Error('no container')
    const changed = withContainer(observed, 'web', { running: { ...web.running, mem_limit: 1 } })
    const { said, steps } = on(limited, changed)
    expect(said).toMatch(/^restore: mem_limit/)
    expect(steps).toEqual(['update mem_limit of web'])
  })

  it('restore: what the engine could not remove is removed, and made anew by the next turn', async () => {
    const dead = withContainer(await (await running(tree)).observe(tree), 'web', { state: 'dead' })
    const { said, steps } = on(tree, dead)
    expect(said).toBe('restore: it is made anew; meanwhile: the engine could not remove it')
    expect(steps).toEqual(['remove web'])
  })

  it('restore: an unhealthy container is restarted after its check failed once more', async () => {
    const sick = withContainer(await (await running(tree)).observe(tree), 'web', { health: 'unhealthy' })
    expect(on(tree, sick)).toMatchObject({
      said: 'restore: its health check fails',
      steps: ['confirm-unhealthy web', 'stop web', 'start web'],
    })
    const ignored = treeOf({ web: leaf(1, 'environment: {LEVEL: info}\non_unhealthy: ignore') })
    expect(on(ignored, sick)).toMatchObject({ said: 'keep: as declared', steps: [] })
    expect(on(ignored, sick).notes).toContain('its health check fails')
    const own = treeOf({ web: leaf(1, 'healthcheck: {http: {port: 80}}') })
    const probed = await (await running(own)).observe(own)
    expect(on(own, probed, { probed: new Map([['web', false]]) }).said).toBe('restore: its health check fails')
  })

  it('restore: its dependency was replaced, or the host of its namespace restarted', async () => {
    const two = treeOf({ db: leaf(1), web: leaf(1, 'depends_on: {db: {condition: service_started, restart: true}}') })
    const host = await hostOf(two)
    await host.put(two, 'web')
    await host.put(two, 'db')
    expect(on(two, await host.observe(two)).said).toBe('restore: db, which it asks to be restarted with, was replaced')
    const joined = treeOf({ main: leaf(1), web: leaf(1, 'network_mode: service:main') })
    const other = await hostOf(joined)
    const main = await other.put(joined, 'main')
    await other.put(joined, 'web')
    await other.engine.stop(main)
    await other.engine.start(main)
    expect(on(joined, await other.observe(joined)).said).toBe('restore: main, whose namespace it joins, was restarted')
  })

  it('move: the file went to another set; nothing that runs changes', async () => {
    const moved = treeOf({
      'front/set.yaml': 'description: x\n',
      'front/web.yaml': leaf(1, 'environment: {LEVEL: info}'),
    })
    const { said, set, steps } = on(moved, await (await running(tree)).observe(moved))
    expect([said, set, steps]).toEqual(['keep: as declared', 'front', []])
  })

  it('restore: a new name takes the container over, and keeps it when renamed_from is gone', async () => {
    const renamed = treeOf({ site: leaf(1, 'environment: {LEVEL: info}\nrenamed_from: web') })
    const host = await running(tree)
    const { said, steps, planned } = on(renamed, await host.observe(renamed), {}, 'site')
    expect(said).toBe('restore: renamed from web')
    expect(steps).toEqual(['rename web to site'])
    expect(planned.verdicts).toHaveLength(1)
    const [container] = (await host.observe(tree)).containers
    await host.engine.rename(container?.id ?? '', 'site')
    const later = treeOf({ site: leaf(1, 'environment: {LEVEL: info}') })
    expect(on(later, await host.observe(later), {}, 'site')).toMatchObject({ said: 'keep: as declared', steps: [] })
  })

  it('remove: its file is gone', async () => {
    const none = treeOf({ other: leaf(1) })
    const { said, set, steps, toGeneration } = on(none, await (await running(tree, none)).observe(none))
    expect(said).toBe('remove: its file is gone')
    expect([set, toGeneration]).toEqual([null, null])
    expect(steps).toEqual(['web: restart policy no', 'stop web', 'remove web'])
  })

  it('keep: its file is gone, but it said prune: false', async () => {
    const none = treeOf({ other: leaf(1) })
    const departed = new Map([['web', { prune: false, dependencies: [] }]])
    const { said, steps } = on(none, await (await running(tree, none)).observe(none), { departed })
    expect([said, steps]).toEqual(['keep: its file is gone, but it said prune: false', []])
  })

  it('stop: its set is stopped; then it is kept', async () => {
    const stopped = treeOf({ web: leaf(1, 'environment: {LEVEL: info}') }, 'state: stopped\n')
    const host = await hostOf(tree)
    const id = await host.put(tree, 'web')
    expect(on(stopped, await host.observe(stopped))).toMatchObject({
      said: 'stop: its set is stopped',
      steps: ['web: restart policy no', 'stop web'],
    })
    await host.engine.stop(id)
    expect(on(stopped, await host.observe(stopped)).said).toBe('stop: an engine restart would start it')
    await host.engine.setRestartPolicy(id, 'no')
    expect(on(stopped, await host.observe(stopped))).toMatchObject({ said: 'keep: its set is stopped', steps: [] })
    const never = await hostOf(stopped)
    expect(on(stopped, await never.observe(stopped)).said).toBe('keep: its set is stopped, and it was never started')
  })
})

describe('hold', () => {
  const before = treeOf({ web: leaf(1) })
  const tree = treeOf({ web: leaf(2) })

  async function failedOnce() {
    const host = await running(before, tree)
    await host.put(tree, 'web', { role: 'failed', state: 'exited', exitCode: 3 })
    return host
  }

  it('a generation that failed before is not tried again, until it changes', async () => {
    const host = await failedOnce()
    expect(on(tree, await host.observe(tree))).toMatchObject({
      said: 'hold: generation 2 failed before (it ended with exit code 3; see web.failed)',
      steps: [],
    })
    const fixed = treeOf({ web: leaf(3) })
    const { said, steps } = on(fixed, await (await failedOnce()).observe(fixed))
    expect(said).toMatch(/^replace: /)
    expect(steps).toEqual(['image app:3'])
  })

  it('what runs is kept running meanwhile', async () => {
    const host = await failedOnce()
    const [web] = (await host.observe(tree)).containers
    await host.engine.stop(web?.id ?? '')
    expect(on(tree, await host.observe(tree))).toMatchObject({
      said: 'hold: generation 2 failed before (it ended with exit code 3; see web.failed); meanwhile: it exited with code 143',
      steps: ['start web'],
    })
  })

  it('a suspended set', async () => {
    const suspended = treeOf({ web: leaf(2) }, 'suspend: true\n')
    expect(on(suspended, await (await running(before, tree)).observe(suspended))).toMatchObject({
      said: 'hold: its set is suspended; graft looks and does not touch',
      steps: [],
    })
  })

  it('a foreign container has the name', async () => {
    const host = await hostOf(tree)
    host.engine.addForeign('web', 'app:2')
    expect(on(tree, await host.observe(tree))).toMatchObject({
      said: expect.stringMatching(/^hold: the name web is taken by .*: container web \(image .*app:2\)$/),
      steps: [],
    })
  })

  it('the image is not there and must not be pulled', async () => {
    const local = treeOf({ web: leaf(9, 'pull_policy: never') })
    expect(on(local, await (await hostOf(tree)).observe(local)).said).toBe(
      'hold: the image app:9 is not on this host, and pull_policy is never',
    )
  })

  it('a fault, until its time is over or the leaf changes', async () => {
    const host = await running(before, tree)
    const wait = { generation: 2, digest: runDigest(leafIn(tree, 'web')), until: NOW + 1000, because: 'no registry' }
    const waits = new Map([['web', wait]])
    expect(on(tree, await host.observe(tree), { waits })).toMatchObject({
      said: 'hold: no registry',
      retryAt: NOW + 1000,
    })
    expect(on(tree, await host.observe(tree), { waits, now: NOW + 1000 }).said).toMatch(/^replace/)
    const other = new Map([['web', { ...wait, generation: 1 }]])
    expect(on(tree, await host.observe(tree), { waits: other }).said).toMatch(/^replace/)
  })

  it('it is being worked on', async () => {
    const host = await running(before, tree)
    expect(on(tree, await host.observe(tree), { busy: new Set(['web']) })).toMatchObject({
      said: 'hold: it is being worked on',
      steps: [],
    })
  })
})

describe('hold by a dependency', () => {
  const before = treeOf({ db: leaf(1), web: leaf(1, 'depends_on: [db]') })
  const needs = (db: string, condition = 'service_healthy') =>
    treeOf({ db, web: leaf(2, `depends_on: {db: {condition: ${condition}}}`) })
  const web = async (tree: Tree, more: Partial<PlanInput> = {}, act: (host: Host) => unknown = () => undefined) => {
    const host = await running(before, tree)
    await act(host)
    const { said, awaits } = on(tree, await host.observe(tree), more)
    return [said, awaits]
  }
  const CHECK = 'healthcheck: {test: [CMD, ok], interval: 30s}'

  it('refused, held, stopped, suspended, busy, unhealthy, down', async () => {
    expect(await web(needs(leaf(2)), { refused: refusal('db', 'not granted') })).toEqual([
      'hold: depends on db, which is refused: not granted',
      null,
    ])
    const failed = needs(leaf(2))
    expect(
      await web(failed, {}, (host) => host.put(failed, 'db', { role: 'failed', state: 'exited', exitCode: 1 })),
    ).toEqual([expect.stringMatching(/^hold: depends on db, which is held: generation 2 failed before/), null])
    expect(await web(needs(leaf(1)), { busy: new Set(['db']) })).toEqual(['hold: waits for db', 'db'])
    expect(await web(needs(leaf(1)), { probed: new Map([['db', false]]) })).toEqual([
      expect.stringMatching(/^replace/),
      null,
    ])
    const stopped = treeOf({
      'data/set.yaml': 'state: stopped\n',
      'data/db.yaml': leaf(1),
      web: leaf(2, 'depends_on: [data]'),
    })
    expect(await web(stopped)).toEqual(['hold: depends on db, which is stopped', null])
  })

  it('waits until what it needs is healthy, and not where only its start was asked', async () => {
    const checked = treeOf({ db: leaf(1, CHECK), web: leaf(1, 'depends_on: [db]') })
    const host = await running(checked, needs(leaf(2)))
    const tree = needs(leaf(1, CHECK))
    const starting = withContainer(await host.observe(tree), 'db', { health: 'starting', finishedAt: 1 })
    expect(on(tree, starting)).toMatchObject({ said: 'hold: waits until db is healthy', awaits: 'db', steps: [] })
    const started = needs(leaf(1, CHECK), 'service_started')
    expect(on(started, starting).said).toMatch(/^replace/)
  })

  it('passes on down the line', async () => {
    const tree = treeOf({
      db: leaf(2),
      sync: job(1, 'depends_on: [db]'),
      web: leaf(2, 'depends_on: [sync]'),
      edge: leaf(2, 'depends_on: [web]'),
    })
    const host = await running(before, tree)
    const planned = planOf(tree, await host.observe(tree), { busy: new Set(['db']) })
    expect(planned.verdicts.map(({ leaf: name, because, awaits }) => [name, because, awaits])).toEqual([
      ['db', 'it is being worked on', null],
      ['edge', 'depends on web, which is held: waits for the job sync: waits for db', 'db'],
      ['sync', 'waits for db', 'db'],
      ['web', 'waits for the job sync: waits for db', 'db'],
    ])
    expect(planned.tables).toEqual([])
  })
})

describe('refuse', () => {
  const tree = treeOf({ web: leaf(2) })

  it('by ledger or policy; what runs is kept running', async () => {
    const host = await running(treeOf({ web: leaf(1) }), tree)
    const refused = refusal('web', 'privileged is not granted')
    expect(on(tree, await host.observe(tree), { refused })).toMatchObject({
      said: 'refuse: privileged is not granted',
      steps: [],
    })
    const [web] = (await host.observe(tree)).containers
    await host.engine.stop(web?.id ?? '')
    expect(on(tree, await host.observe(tree), { refused }).steps).toEqual(['start web'])
  })

  it.each([
    ['suspend: true\n', []],
    ['state: stopped\n', ['web: restart policy no']],
  ])('starts nothing in a set that says %s', async (set, steps) => {
    const host = await hostOf(tree)
    await host.put(treeOf({ web: leaf(1) }), 'web', { state: 'stopped' })
    const other = treeOf({ web: leaf(2) }, set)
    const refused = refusal('web', 'not granted')
    expect(on(other, await host.observe(other), { refused })).toMatchObject({ said: 'refuse: not granted', steps })
  })

  it('a field that this engine does not have yet', async () => {
    const modern = treeOf({ web: leaf(1, 'annotations: {a: b}') })
    expect(on(modern, await (await hostOf(modern)).observe(modern)).said).toBe(
      'refuse: annotations needs Docker 24.0 (API 1.43); this engine is 20.10.24 (API 1.41)',
    )
  })
})

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
    expect(held.removalHeld).toEqual({ count: 3, limit: 2, names: ['app', 'bus', 'cache'] })
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
