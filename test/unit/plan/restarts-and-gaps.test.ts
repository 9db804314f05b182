// Restarts that somebody asked for, and what a plan says of the time in which nobody answers.

import { describe, expect, it } from 'vitest'

import { hostOf, job, leaf, leafIn, NOW, planOf, runDigest, treeOf, verdictOn, withContainer } from './build.ts'
import { change } from './changed.ts'
import { on, running } from './judged.ts'
import { renderTable } from './render-table.ts'

const VOLUMES = 'volumes: {data: {}}\n'
const ASKED = 'replace: somebody asked for a restart'
const web = (...names: string[]) => ({ restarts: new Set(names) })

describe('a restart on request', () => {
  it('is a swap to the same generation, through the gate', async () => {
    const tree = treeOf({ web: leaf(1) })
    const { said, steps, fromGeneration, toGeneration } = on(
      tree,
      await (await running(tree)).observe(tree),
      web('web'),
    )
    expect([said, fromGeneration, toGeneration]).toEqual([ASKED, 1, 1])
    expect(steps).toEqual([
      'image app:1',
      'create web.next',
      'start web.next',
      'gate web.next',
      'web.next: restart policy always',
      'rename web to web.prev-ID6',
      'rename web.next to web',
      'web: restart policy no',
      'prove web.next beside web for 10 s',
      'tag the image of web',
      'still-up web.next',
      'stop web',
      'remove web',
    ])
  })

  it('is stop-first where it must be, and takes what joins its namespace along', async () => {
    const tree = treeOf({ main: leaf(1, 'ports: ["8080:80"]'), side: leaf(1, 'network_mode: service:main') })
    const host = await running(tree)
    const planned = planOf(tree, await host.observe(tree), web('main'))
    expect(planned.tables.map(({ id }) => id)).toEqual(['main+side'])
    expect(verdictOn(planned, 'main').order?.kind).toBe('stop-first')
    expect(verdictOn(planned, 'side').because).toBe('it lives in the namespace of main, which is replaced')
  })

  it('adds nothing to a change, and nothing to a job, a stopped or a suspended leaf', async () => {
    const changed = await change(treeOf({ web: leaf(1) }), treeOf({ web: leaf(2) }), web('web'))
    expect(verdictOn(changed, 'web').because).toBe('image app:1 → app:2')
    for (const [set, kind] of [
      ['state: stopped\n', 'stop'],
      ['suspend: true\n', 'hold'],
    ] as const) {
      const planned = await change(treeOf({ web: leaf(1) }), treeOf({ web: leaf(1) }, set), web('web'))
      expect(verdictOn(planned, 'web').kind).toBe(kind)
    }
    const sync = treeOf({ sync: job(1) })
    const host = await hostOf(sync)
    await host.engine.createMark('shop', 'shop_sync.done-g1', 'sync', 1)
    expect(on(sync, await host.observe(sync), web('sync'), 'sync').said).toBe('keep: completed')
  })

  it('waits after a fault', async () => {
    const tree = treeOf({ web: leaf(1) })
    const wait = { generation: 1, digest: runDigest(leafIn(tree, 'web')), until: NOW + 9, because: 'no memory' }
    const more = { ...web('web'), waits: new Map([['web', wait]]) }
    const { said, retryAt } = on(tree, await (await running(tree)).observe(tree), more)
    expect([said, retryAt]).toEqual(['hold: no memory', NOW + 9])
  })

  it('of several goes one after the other in launch order, beside what changes', async () => {
    const tree = (generation: number) =>
      treeOf({
        api: leaf(1, 'depends_on: [db]'),
        db: leaf(1),
        edge: leaf(1),
        other: leaf(generation),
      })
    const planned = await change(tree(1), tree(2), web('api', 'db', 'edge'))
    expect(planned.tables.map(({ id, after }) => [id, after])).toEqual([
      ['db', []],
      ['api', ['db']],
      ['edge', ['api']],
      ['other', []],
    ])
  })

  it('of a set that switches together is no change of it: one goes after the other', async () => {
    const tree = (generation: number) =>
      treeOf({ api: leaf(1), db: leaf(1), web: leaf(generation), www: leaf(generation) }, 'update: {together: true}\n')
    const planned = await change(tree(1), tree(2), web('api', 'db'))
    expect(planned.tables.map(({ id, after }) => [id, after])).toEqual([
      ['api', []],
      ['db', ['api']],
      ['web+www', []],
    ])
  })
})

describe('the gap of a swap', () => {
  const held = (generation: number) => treeOf({ web: leaf(generation, 'volumes: ["data:/data"]') }, VOLUMES)

  it.each([
    ['nothing for start-first', treeOf, 0, 'the new one answers before the old one goes'],
    ['what was measured the last time', held, 1200, 'measured the last time'],
  ] as const)('%s', async (_what, make, milliseconds, because) => {
    const tree = (generation: number) => (make === held ? held(generation) : treeOf({ web: leaf(generation) }))
    const planned = await change(tree(1), tree(2), { gaps: new Map([['web', 1200]]) })
    expect(verdictOn(planned, 'web').gap).toEqual({ milliseconds, because })
  })

  it('is not known before it was measured, or while the image is to be fetched', async () => {
    const unknown = { milliseconds: null, because: 'about a stop, a start and its check' }
    expect(verdictOn(await change(held(1), held(2)), 'web').gap).toEqual(unknown)
    const host = await running(held(1))
    expect(on(held(2), await host.observe(held(2))).gap).toEqual(unknown)
  })

  it('of a restart in place', async () => {
    const tree = treeOf({ web: leaf(1) })
    const sick = withContainer(await (await running(tree)).observe(tree), 'web', { health: 'unhealthy' })
    expect(on(tree, sick).gap).toEqual({ milliseconds: null, because: 'about a stop and a start' })
    expect(on(tree, sick, { gaps: new Map([['web', 70]]) }).gap).toEqual({
      milliseconds: 70,
      because: 'measured the last time',
    })
  })

  it('is none where nothing was there, is kept or is mended without a stop', async () => {
    const tree = treeOf({ web: leaf(1) })
    expect(verdictOn(await change(treeOf({}), tree), 'web').gap).toBeNull()
    expect(verdictOn(await change(tree, tree), 'web').gap).toBeNull()
  })

  it('follows the order that a leaf gets where something moves between leaves', async () => {
    const before = treeOf({ left: leaf(1, 'ports: ["8080:80"]'), right: leaf(1) })
    const after = treeOf({ left: leaf(2), right: leaf(2, 'ports: ["8080:80"]') })
    const planned = await change(before, after)
    expect(planned.tables.map(renderTable).join()).toContain('stop left')
    const { order, gap, notes } = verdictOn(planned, 'left')
    expect([order?.kind, gap?.milliseconds]).toEqual(['stop-first', null])
    expect(notes).toContain('it is down together with right: their gaps add up')
  })
})
