// What is left alone for now or not allowed at all, and what it means for its dependents.

import { describe, expect, it } from 'vitest'

import type { Tree } from '../../../src/desired/tree.ts'
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
  withContainer,
  type Host,
} from './build.ts'
import { on, running } from './judged.ts'

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

  it('what runs is started again meanwhile where its own check fails, unless its file says otherwise', async () => {
    const check = 'healthcheck: {test: [CMD, ok]}'
    const two = treeOf({ web: leaf(2, check) })
    const host = await running(treeOf({ web: leaf(1, check) }), two)
    await host.put(two, 'web', { role: 'failed', state: 'exited', exitCode: 3 })
    const sick = withContainer(await host.observe(two), 'web', { health: 'unhealthy' })
    expect(on(two, sick)).toMatchObject({
      said: 'hold: generation 2 failed before (it ended with exit code 3; see web.failed); meanwhile: its health check fails',
      steps: ['confirm-unhealthy web', 'stop web', 'start web'],
    })
    const ignored = treeOf({ web: leaf(2, `${check}\non_unhealthy: ignore`) })
    expect(on(ignored, sick).steps).toEqual([])
  })

  it('what runs is started again meanwhile when the owner of its namespace was, not when that one is gone', async () => {
    const joins = 'network_mode: service:main'
    const two = treeOf({ main: leaf(1), web: leaf(2, joins) })
    const host = await hostOf(two)
    const main = await host.put(two, 'main')
    await host.put(treeOf({ main: leaf(1), web: leaf(1, joins) }), 'web')
    await host.put(two, 'web', { role: 'failed', state: 'exited', exitCode: 3 })
    const said = 'hold: generation 2 failed before (it ended with exit code 3; see web.failed)'
    const now = () => ({ now: host.clock.now() })
    expect(on(two, await host.observe(two), now())).toMatchObject({ said, steps: [] })
    await host.engine.stop(main)
    await host.engine.start(main)
    expect(on(two, await host.observe(two), now())).toMatchObject({
      said: `${said}; meanwhile: main, whose namespace it joins, was restarted`,
      steps: ['stop web', 'start web'],
    })
    await host.engine.stop(main)
    await host.engine.remove(main)
    await host.put(two, 'main')
    expect(on(two, await host.observe(two), now())).toMatchObject({ said, steps: [] })
  })

  it('who would join the namespace of a suspended container of another generation than the tree says', async () => {
    const treeWith = (main: number, set: string) =>
      treeOf({ 'app/set.yaml': set, 'app/main.yaml': leaf(main), web: leaf(1, 'network_mode: service:main') })
    const suspended = treeWith(2, 'suspend: true\n')
    const host = await hostOf(suspended)
    await host.put(treeWith(1, '{}\n'), 'main')
    expect(on(suspended, await host.observe(suspended))).toMatchObject({
      said: 'hold: depends on main, which is suspended and still runs generation 1',
      steps: [],
    })
    const same = treeWith(1, 'suspend: true\n')
    expect(on(same, await host.observe(same)).said).toBe('create: it does not exist yet')
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
