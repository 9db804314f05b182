// Several tables side by side: who waits for whom, what a newer plan takes over, what an end leaves behind.

import { describe, expect, it } from 'vitest'

import type { TableResult } from '../../../src/apply/outcome.ts'
import type { Progress } from '../../../src/apply/progress.ts'
import { createRunner, type Runner, type RunnerOptions } from '../../../src/apply/runner.ts'
import type { Tree } from '../../../src/desired/tree.ts'
import type { ImageDefinition } from '../../../src/engine/memory/behaviour.ts'
import type { MemoryEngineOptions } from '../../../src/engine/memory/memory-engine.ts'
import { standing } from '../daemon/memory-stage.ts'
import { hostOf, job, leaf, planOf, runDigest, treeOf, type Host } from '../plan/build.ts'

const CHECK = 'healthcheck: {test: [CMD, ok], interval: 60s}\nupdate: {deadline: 10m}'

interface Ground {
  readonly host: Host
  readonly runner: Runner
  readonly ended: TableResult[]
  readonly told: Progress[]
  adopt(tree: Tree): Promise<void>
}

async function ground(
  tree: Tree,
  image: ImageDefinition = {},
  more: Partial<RunnerOptions> = {},
  engine: Omit<MemoryEngineOptions, 'clock'> = {},
): Promise<Ground> {
  const host = await hostOf(tree, image, engine)
  const ended: TableResult[] = []
  const told: Progress[] = []
  const runner = createRunner({
    engine: host.engine,
    clock: host.clock,
    runDigest,
    parallel: 4,
    report: (progress) => told.push(progress),
    onEnd: (result) => ended.push(result),
    ...more,
  })
  const adopt = async (next: Tree) => {
    for (const { spec } of next.leaves.values()) host.engine.addImage(spec.image, image)
    runner.adopt(planOf(next, await host.observe(next), { busy: runner.busy() }), next)
  }
  return { host, runner, ended, told, adopt }
}

const outcomes = (ended: readonly TableResult[]) =>
  Object.fromEntries(ended.map(({ table, outcome }) => [table.id, outcome.kind]))

describe('tables', () => {
  it('wait for those before them, and what is independent goes on', async () => {
    const tree = treeOf({ db: leaf(1, CHECK), web: leaf(1, `${CHECK}\ndepends_on: [db]`), api: leaf(1, CHECK) })
    const { host, runner, ended, adopt } = await ground(tree, { behaviour: { healthyAfter: 1000 } })
    await adopt(tree)
    await host.clock.run(runner.settled())
    expect(outcomes(ended)).toEqual({ api: 'done', db: 'done', web: 'done' })
    const [db, web] = ['db', 'web'].map((id) => ended.find(({ table }) => table.id === id))
    expect(web?.startedAt).toBeGreaterThanOrEqual(db?.endedAt ?? Infinity)
  })

  it('that wait for one that failed are dropped, all the way down', async () => {
    const tree = treeOf({
      db: leaf(1, 'environment: {BAD: "yes"}'),
      web: leaf(1, 'depends_on: [db]'),
      edge: leaf(1, 'depends_on: [web]'),
      other: leaf(1),
    })
    const bad: ImageDefinition = {
      behaviour: ({ environment }) => (environment['BAD'] === 'yes' ? { exitsAfter: 5, exitCode: 1 } : {}),
    }
    const { host, runner, ended, told, adopt } = await ground(tree, bad)
    await adopt(tree)
    await host.clock.run(runner.settled())
    expect(outcomes(ended)).toEqual({ db: 'failed', other: 'done' })
    const held = told.flatMap((one) => (one.kind === 'table-held' ? [`${one.table.id}: ${one.because}`] : []))
    expect(held).toEqual(['web: db did not go through', 'edge: web did not go through'])
    expect(standing(host.engine)).toEqual({ 'db.failed': 'exited g1 no', other: 'running g1 always' })
  })

  it('start no more containers at a time than they may', async () => {
    const names = ['one', 'two', 'three', 'four', 'five', 'six']
    const tree = treeOf(Object.fromEntries(names.map((name) => [name, leaf(1)])))
    let now = 0
    let most = 0
    const loads = new Set(['create', 'start'])
    const interference = {
      before: (call: string) => {
        if (loads.has(call)) most = Math.max(most, ++now)
      },
      after: (call: string) => {
        if (loads.has(call)) now--
      },
    }
    const { host, runner, ended, adopt } = await ground(
      tree,
      {},
      { parallel: 2 },
      { interference, durations: { start: 1000, create: 300 } },
    )
    await adopt(tree)
    await host.clock.run(runner.settled())
    expect(ended).toHaveLength(6)
    expect(most).toBe(2)
  })
})

describe('a newer plan', () => {
  const slow: ImageDefinition = { behaviour: { healthyAfter: 60_000 } }
  const both = (web: number, api: number) => treeOf({ web: leaf(web, CHECK), api: leaf(api, CHECK) })

  it('stops the gate of the leaf it changes, and no other', async () => {
    const { host, runner, ended, adopt } = await ground(both(1, 1), slow)
    await adopt(both(1, 1))
    await host.clock.advance(5000)
    await adopt(both(2, 1))
    await host.clock.advance(1000)
    expect(outcomes(ended)).toEqual({ web: 'superseded' })
    expect([...runner.busy()]).toEqual(['api'])
    await adopt(both(2, 1))
    await host.clock.run(runner.settled())
    expect(standing(host.engine)).toEqual({ api: 'running g1 always', web: 'running g2 always' })
    expect(ended.filter(({ table }) => table.id === 'api')).toHaveLength(1)
  })

  it('stops the gate of a leaf that it no longer has', async () => {
    const { host, ended, adopt } = await ground(both(1, 1), slow)
    await adopt(both(1, 1))
    await host.clock.advance(5000)
    await adopt(treeOf({ api: leaf(1, CHECK) }))
    await host.clock.advance(1000)
    expect(outcomes(ended)).toEqual({ web: 'superseded' })
  })

  it.each([
    ['another check', 'healthcheck: {tcp: {port: 81}}', true],
    ['another deadline', 'healthcheck: {tcp: {port: 80}}\nupdate: {deadline: 200s}', true],
    ['a set that is suspended', 'healthcheck: {tcp: {port: 80}}', true],
    ['another drain', 'healthcheck: {tcp: {port: 80}}\nupdate: {drain: 7s}', false],
  ])('stops the gate for what a candidate has to prove now: %s', async (what, more, stops) => {
    const set = what.includes('suspended') ? 'suspend: true\n' : '{}\n'
    const before = treeOf({ 'edge/set.yaml': '{}\n', 'edge/web.yaml': leaf(1, 'healthcheck: {tcp: {port: 80}}') })
    const { host, ended, adopt } = await ground(before, slow)
    await adopt(before)
    await host.clock.advance(5000)
    await adopt(treeOf({ 'edge/set.yaml': set, 'edge/web.yaml': leaf(1, more) }))
    await host.clock.advance(1000)
    expect(outcomes(ended)).toEqual(stops ? { web: 'superseded' } : {})
  })

  it('does not stop a job', async () => {
    const sync = (generation: number) => treeOf({ sync: job(generation) })
    const { host, runner, ended, adopt } = await ground(sync(1), { behaviour: { exitsAfter: 30_000 } })
    await adopt(sync(1))
    await host.clock.advance(5000)
    await adopt(sync(2))
    await host.clock.run(runner.settled())
    expect(outcomes(ended)).toEqual({ sync: 'done' })
    expect(host.engine.world().volumes.has('shop_sync.done-g1')).toBe(true)
  })

  it('drops what the one before had not begun', async () => {
    const tree = treeOf({ db: leaf(1, CHECK), web: leaf(1, `${CHECK}\ndepends_on: [db]`) })
    const { host, runner, ended, adopt } = await ground(tree, slow)
    await adopt(tree)
    await host.clock.advance(1000)
    await adopt(treeOf({ db: leaf(1, CHECK) }))
    await host.clock.run(runner.settled())
    expect(outcomes(ended)).toEqual({ db: 'done' })
  })

  it('that is older than what is being done begins nothing on the same leaf', async () => {
    const tree = both(1, 1)
    const { host, runner, ended, adopt } = await ground(tree, slow)
    const stale = planOf(tree, await host.observe(tree))
    await adopt(treeOf({ web: leaf(1, CHECK) }))
    await host.clock.advance(1000)
    const renamed = { ...stale, tables: stale.tables.map((table) => ({ ...table, id: `late ${table.id}` })) }
    runner.adopt(renamed, tree)
    await host.clock.run(runner.settled())
    expect(Object.keys(outcomes(ended)).toSorted()).toEqual(['late api', 'web'])
  })
})

describe('stop', () => {
  it('takes a candidate at its gate back, lets a job run on, and begins nothing more', async () => {
    const tree = treeOf({ web: leaf(2, CHECK), sync: job(1), late: leaf(1, 'depends_on: [sync]') })
    const behaviour: ImageDefinition = { behaviour: { healthyAfter: 60_000, exitsAfter: 50_000 } }
    const { host, runner, ended, adopt } = await ground(tree, behaviour)
    await adopt(tree)
    await host.clock.advance(5000)
    await host.clock.run(runner.stop())
    expect(outcomes(ended)).toEqual({ web: 'superseded', sync: 'superseded' })
    expect(standing(host.engine)).toEqual({ 'sync.next': 'running g1 no' })
    await adopt(tree)
    await host.clock.advance(5000)
    expect(ended).toHaveLength(2)
  })
})
