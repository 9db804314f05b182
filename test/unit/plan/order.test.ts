// Who shares a table, who waits for whom, and that the same input gives the same plan.

import { describe, expect, it } from 'vitest'

import { circlesIn } from '../../../src/plan/circles.ts'
import { launchOrder } from '../../../src/plan/order.ts'
import { plan } from '../../../src/plan/plan.ts'
import type { DepartedLeaf } from '../../../src/plan/planning.ts'
import type { Plan } from '../../../src/plan/verdict.ts'
import { hostOf, inputOf, job, leaf, leafIn, planOf, treeOf, withContainer } from './build.ts'
import { change } from './changed.ts'

const VOLUMES = 'volumes: {data: {}}\n'
const PORT = 'ports: ["8080:80"]'

const waits = ({ tables }: Plan) => Object.fromEntries(tables.map(({ id, after }) => [id, after]))

describe('order', () => {
  it('follows depends_on, and what is independent waits for nobody', async () => {
    const tree = treeOf({
      api: leaf(1, 'depends_on: [db, bus]'),
      bus: leaf(1),
      db: leaf(1),
      edge: leaf(1, 'depends_on: [api]'),
    })
    expect(launchOrder(tree)).toEqual(['db', 'bus', 'api', 'edge'])
    expect(waits(await change(treeOf({}), tree))).toEqual({ db: [], bus: [], api: ['db', 'bus'], edge: ['api'] })
  })

  it('ten thousand leaves in one chain are no problem', () => {
    const one = leafIn(treeOf({ web: leaf(1) }), 'web')
    const names = Array.from({ length: 10_000 }, (_, i) => `leaf-${i}`)
    const leaves = names.map((name, i) => {
      const next = names[i + 1]
      const dependencies = new Map(
        next === undefined ? [] : [[next, { condition: 'service_started' as const, restart: false }]],
      )
      return [name, { ...one, name, dependencies }] as const
    })
    const tree = { ...treeOf({ web: leaf(1) }), leaves: new Map(leaves) }
    expect(launchOrder(tree)).toEqual(names.toReversed())
    const next = new Map(names.map((name, i) => [name, names[i + 1] ?? 'leaf-0']))
    expect(circlesIn(names, (name) => [next.get(name) ?? ''])).toHaveLength(1)
  })

  it('stops run the other way round', async () => {
    const before = treeOf({ db: leaf(1), web: leaf(1, 'depends_on: [db]') })
    const after = treeOf({ db: leaf(1), web: leaf(1, 'depends_on: [db]') }, 'state: stopped\n')
    expect(waits(await change(before, after))).toEqual({ db: ['web'], web: [] })
  })

  it('starts after an outage follow depends_on', async () => {
    const tree = treeOf({ db: leaf(1), web: leaf(1, 'depends_on: [db]') })
    const host = await hostOf(tree)
    for (const name of tree.leaves.keys()) await host.put(tree, name, { state: 'stopped' })
    expect(waits(planOf(tree, await host.observe(tree)))).toEqual({ db: [], web: ['db'] })
  })

  it('a removal waits for the table in which what needed it goes', async () => {
    const before = treeOf({ app: leaf(1), bus: leaf(1, `${PORT}\ndepends_on: [app]`), web: leaf(1) })
    const departed = new Map<string, DepartedLeaf>([['bus', { prune: true, dependencies: ['app'] }]])
    const planned = await change(before, treeOf({ web: leaf(2, PORT) }), { departed })
    expect(waits(planned)).toEqual({ 'web+bus': [], app: ['web+bus'] })
  })
})

describe('a circle between tables', () => {
  it('cannot be: what would wait for itself goes into one table', async () => {
    // The port moves from left to right, so both share a table; between needs left, and right needs between.
    const at = (generation: number, left: string, right: string) =>
      treeOf({
        left: leaf(generation, left),
        between: leaf(generation, 'depends_on: [left]'),
        right: leaf(generation, `depends_on: [between]\n${right}`),
      })
    const planned = await change(at(1, PORT, ''), at(2, '', PORT))
    expect(waits(planned)).toEqual({ 'left+between+right': [] })
  })

  it('is found whatever its shape', () => {
    const edges: Record<string, string[]> = {
      a: ['b'],
      b: ['c'],
      c: ['a', 'd'],
      d: ['e'],
      e: ['f'],
      f: ['d', 'nobody'],
      g: ['a', 'g'],
      h: [],
    }
    const circles = circlesIn(Object.keys(edges), (node) => edges[node] ?? [])
    expect(circles.map((circle) => circle.toSorted().join('')).toSorted()).toEqual(['abc', 'def'])
  })
})

describe('the same input', () => {
  it('gives the same plan byte for byte, whatever the order of the maps', async () => {
    const before = treeOf({ db: leaf(1, 'volumes: ["data:/data"]'), web: leaf(1), old: leaf(1), sync: job(1) }, VOLUMES)
    const after = treeOf(
      { db: leaf(2, 'volumes: ["data:/data"]'), web: leaf(2, 'depends_on: [db, sync]'), sync: job(2) },
      VOLUMES,
    )
    const host = await hostOf(after)
    for (const name of before.leaves.keys())
      await host.put(before, name, before.leaves.get(name)?.kind === 'job' ? { state: 'exited', exitCode: 0 } : {})
    const observed = await host.observe(after)
    const once = JSON.stringify(plan(inputOf(after, observed)))
    expect(JSON.stringify(plan(inputOf(after, observed)))).toBe(once)
    const reversed = <K, V>(map: ReadonlyMap<K, V>) => new Map([...map].toReversed())
    const shuffled = {
      ...observed,
      networks: reversed(observed.networks),
      volumes: reversed(observed.volumes),
      images: reversed(observed.images),
      foreignNames: reversed(observed.foreignNames),
      containers: observed.containers.toReversed(),
    }
    expect(JSON.stringify(plan(inputOf(after, shuffled)))).toBe(once)
  })

  it('chooses the same of two images that passed under one generation', async () => {
    const tree = treeOf({ web: leaf(1) })
    const host = await hostOf(tree)
    for (const name of ['one:1', 'two:1']) {
      const { id } = host.engine.addImage(name)
      await host.engine.tagImage(id, `graft.local/shop/web:g1-${id.slice(7, 19)}`)
    }
    const observed = await host.observe(tree)
    const other = { ...observed, images: new Map([...observed.images].toReversed()) }
    expect(planOf(tree, other)).toEqual(planOf(tree, observed))
  })
})

describe('what is not this deployment’s', () => {
  it('is in no table', async () => {
    const tree = treeOf({ web: leaf(2) })
    const host = await hostOf(tree)
    const foreign = host.engine.addForeign('db', 'app:2')
    await host.put(treeOf({ web: leaf(1) }), 'web')
    const planned = planOf(tree, withContainer(await host.observe(tree), 'web', {}))
    expect(JSON.stringify(planned)).not.toContain(foreign)
  })
})
