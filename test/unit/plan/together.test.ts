// Sets that switch together: one table for all that changes in them, or nothing.

import { describe, expect, it } from 'vitest'

import type { Tree } from '../../../src/desired/tree.ts'
import type { PlanInput } from '../../../src/plan/planning.ts'
import type { Plan } from '../../../src/plan/verdict.ts'
import { hostOf, job, leaf, NOW, planOf, refusal, runDigest, leafIn, treeOf, verdictOn } from './build.ts'
import { change } from './changed.ts'
import { renderTable } from './render-table.ts'

const TOGETHER = 'update: {together: true}\n'
const VOLUMES = 'volumes: {data: {}, more: {}}\n'

/** `control/` switches together; `control/inner/` lies in it. */
function control(leaves: Readonly<Record<string, string>>, set = TOGETHER): Tree {
  const files = Object.entries(leaves).map(([name, yaml]) => [/[./]/.test(name) ? name : `control/${name}.yaml`, yaml])
  return treeOf({ 'control/set.yaml': set, ...Object.fromEntries(files) }, VOLUMES)
}

const said = ({ verdicts }: Plan) => verdicts.map(({ leaf: name, kind, because }) => `${name}: ${kind}, ${because}`)
const ids = ({ tables }: Plan) => tables.map(({ id }) => id)

describe('the table of a set that switches together', () => {
  it('runs what may overlap first, then takes the others down in reverse, and switches all at the end', async () => {
    const before = control({
      api: leaf(1, 'depends_on: [sync, queue]'),
      db: leaf(1, 'volumes: ["data:/data"]'),
      edge: leaf(1),
      queue: leaf(1, 'volumes: ["more:/data"]\ndepends_on: [db]'),
      sync: job(1),
    })
    const after = control({
      api: leaf(2, 'depends_on: [sync, queue]'),
      db: leaf(2, 'volumes: ["data:/data"]'),
      edge: leaf(2),
      queue: leaf(2, 'volumes: ["more:/data"]\ndepends_on: [db]'),
      sync: job(2),
    })
    const planned = await change(before, after)
    expect(planned.tables.map(renderTable).join('\n\n')).toMatchInlineSnapshot(`
      "sync+db+queue+api+edge
      prepare  image app:2
               create sync.next                         undo: discard sync.next
               image app:2
               create db.next                           undo: discard db.next
               image app:2
               create queue.next                        undo: discard queue.next
               image app:2
               create api.next                          undo: discard api.next
               image app:2
               create edge.next                         undo: discard edge.next
               start sync.next                          undo: stop sync.next
               wait-job sync.next
               mark shop_sync.done-g2
               start edge.next                          undo: stop edge.next
               gate edge.next
               queue: restart policy no                 undo: queue: restart policy always
               stop queue                               undo: stop queue.next, start queue
               db: restart policy no                    undo: db: restart policy always
               stop db                                  undo: stop db.next, start db
               start db.next                            undo: stop db.next
               gate db.next
               keep-down queue
               start queue.next                         undo: stop queue.next
               gate queue.next
               start api.next                           undo: stop api.next
               gate api.next
               still-up edge.next
               still-up db.next
               still-up queue.next
      commit   rename sync to sync.prev-ID6             undo: rename sync to sync
               rename sync.next to sync                 undo: rename sync.next to sync.next
               db.next: restart policy always           undo: db.next: restart policy no
               rename db to db.prev-ID6                 undo: rename db to db
               rename db.next to db                     undo: rename db.next to db.next
               queue.next: restart policy always        undo: queue.next: restart policy no
               rename queue to queue.prev-ID6           undo: rename queue to queue
               rename queue.next to queue               undo: rename queue.next to queue.next
               api.next: restart policy always          undo: api.next: restart policy no
               rename api to api.prev-ID6               undo: rename api to api
               rename api.next to api                   undo: rename api.next to api.next
               edge.next: restart policy always         undo: edge.next: restart policy no
               rename edge to edge.prev-ID6             undo: rename edge to edge
               rename edge.next to edge                 undo: rename edge.next to edge.next
               api: restart policy no                   undo: api: restart policy always
               edge: restart policy no                  undo: edge: restart policy always
               prove api.next beside api for 10 s
               prove edge.next beside edge for 10 s
      cleanup  remove sync
               tag the image of db
               remove db
               tag the image of queue
               remove queue
               tag the image of api
               still-up api.next
               stop api
               remove api
               tag the image of edge
               still-up edge.next
               stop edge
               remove edge"
    `)
    expect(verdictOn(planned, 'db').notes).toEqual([
      'it has no health check: staying up is all it must prove',
      'it switches together with sync, queue, api and edge',
      'it is down together with queue: their gaps add up',
    ])
    expect(verdictOn(planned, 'edge').gap).toEqual({
      milliseconds: 0,
      because: 'the new one answers before the old one goes',
    })
  })

  it('has the members that change, of nested sets too, and no others', async () => {
    const tree = (generation: number) =>
      control({
        'control/inner/set.yaml': '',
        'control/inner/deep.yaml': leaf(generation),
        api: leaf(generation),
        kept: leaf(1),
        'web.yaml': leaf(generation),
      })
    const planned = await change(tree(1), tree(2))
    expect(ids(planned)).toEqual(['api+deep', 'web'])
    expect(verdictOn(planned, 'kept').kind).toBe('keep')
  })

  it('takes what lies between two members of it along', async () => {
    const tree = (generation: number) =>
      control({
        db: leaf(generation),
        'between.yaml': leaf(generation, 'depends_on: [db]'),
        api: leaf(generation, 'depends_on: [between]'),
      })
    expect(ids(await change(tree(1), tree(2)))).toEqual(['db+between+api'])
  })

  it('goes back as one', async () => {
    const tree = (generation: number) => control({ api: leaf(generation), db: leaf(generation), sync: job(generation) })
    const host = await hostOf(tree(1))
    for (const name of ['api', 'db']) await host.put(tree(2), name)
    await host.engine.createMark('shop', 'shop_sync.done-g2', 'sync', 2)
    const planned = planOf(tree(1), await host.observe(tree(1)))
    expect(ids(planned)).toEqual(['api+db'])
    expect(verdictOn(planned, 'sync').because).toBe('not run again: generation 2 has completed')
  })

  it('is the whole deployment where its root says so', async () => {
    const tree = (generation: number) => treeOf({ api: leaf(generation), web: leaf(generation) }, TOGETHER)
    expect(ids(await change(tree(1), tree(2)))).toEqual(['api+web'])
  })

  it('removes a member that is gone afterwards, by itself', async () => {
    const before = control({ api: leaf(1), db: leaf(1), old: leaf(1) })
    const planned = await change(before, control({ api: leaf(2), db: leaf(2) }))
    expect(planned.tables.map(({ id, after }) => [id, after])).toEqual([
      ['api+db', []],
      ['old', ['api+db']],
    ])
  })
})

describe('a set that switches together and cannot', () => {
  const before = control({ api: leaf(1), db: leaf(1), kept: leaf(1) })
  const after = control({ api: leaf(2), db: leaf(2), kept: leaf(1) })

  it('is held as a whole by a member that is refused; what runs is kept running', async () => {
    const host = await hostOf(after)
    for (const name of before.leaves.keys()) await host.put(before, name, name === 'api' ? { state: 'exited' } : {})
    const planned = planOf(after, await host.observe(after), { refused: refusal('db', 'not granted') })
    expect(said(planned)).toEqual([
      'api: hold, switches together with db, which is refused: not granted; meanwhile: it exited with code 1',
      'db: refuse, not granted',
      'kept: keep, as declared',
    ])
    expect(planned.tables.map(renderTable)).toEqual([expect.stringContaining('start api')])
  })

  it('by one that failed before', async () => {
    const host = await hostOf(after)
    for (const name of before.leaves.keys()) await host.put(before, name)
    await host.put(after, 'api', { role: 'failed', state: 'exited', exitCode: 3 })
    const planned = planOf(after, await host.observe(after))
    expect(said(planned)).toEqual([
      'api: hold, generation 2 failed before (it ended with exit code 3; see api.failed)',
      'db: hold, switches together with api, which is held: generation 2 failed before (it ended with exit code 3; see api.failed)',
      'kept: keep, as declared',
    ])
    expect(planned.tables).toEqual([])
  })

  it.each<[string, (tree: Tree) => Partial<PlanInput>, string, string | null, number | null]>([
    ['that is worked on', () => ({ busy: new Set(['db']) }), 'which is being worked on', 'db', null],
    [
      'that waits after a fault',
      (tree) => ({
        waits: new Map([
          ['db', { generation: 2, digest: runDigest(leafIn(tree, 'db')), until: NOW + 9, because: 'no registry' }],
        ]),
      }),
      'which is held: no registry',
      null,
      NOW + 9,
    ],
  ])('by one %s', async (_what, more, because, awaits, retryAt) => {
    const planned = await change(before, after, more(after))
    const { kind, ...verdict } = verdictOn(planned, 'api')
    expect(kind).toBe('hold')
    expect(verdict).toMatchObject({ because: `switches together with db, ${because}`, awaits, retryAt })
    expect(planned.tables).toEqual([])
  })

  it('by one whose image is fetched first, which it awaits', async () => {
    const host = await hostOf(before)
    for (const name of before.leaves.keys()) await host.put(before, name)
    host.engine.addImage('api:2')
    const tree = control({ api: 'generation: 2\nimage: api:2\n', db: leaf(2), kept: leaf(1) })
    const planned = planOf(tree, await host.observe(tree))
    expect(verdictOn(planned, 'api')).toMatchObject({
      kind: 'hold',
      because: 'switches together with db, whose image is fetched first',
      awaits: 'db',
    })
    expect(ids(planned)).toEqual(['image of db'])
  })

  it('by one in a nested set that is suspended, and not by one that is stopped', async () => {
    const inner = (set: string, generation: number) =>
      control({ api: leaf(generation), 'control/inner/set.yaml': set, 'control/inner/db.yaml': leaf(generation) })
    const suspended = await change(inner('', 1), inner('suspend: true\n', 2))
    expect(verdictOn(suspended, 'api').because).toBe(
      'switches together with db, which is held: its set is suspended; graft looks and does not touch',
    )
    const stopped = await change(inner('', 1), inner('state: stopped\n', 2))
    expect(ids(stopped)).toEqual(['db', 'api'])
  })

  it('and holds what depends on it, in another set that switches together as well', async () => {
    const tree = (generation: number) =>
      control({
        api: leaf(generation),
        db: leaf(generation),
        'other/set.yaml': TOGETHER,
        'other/web.yaml': leaf(generation, 'depends_on: [api]'),
        'other/site.yaml': leaf(generation),
      })
    const planned = await change(tree(1), tree(2), { refused: refusal('db', 'not granted') })
    const hold = 'held: switches together with db, which is refused: not granted'
    expect(said(planned)).toEqual([
      'api: hold, switches together with db, which is refused: not granted',
      'db: refuse, not granted',
      `site: hold, switches together with web, which is held: depends on api, which is ${hold}`,
      `web: hold, depends on api, which is ${hold}`,
    ])
    expect(planned.tables).toEqual([])
  })

  it('does not keep a container from being made anew that had passed its gate under its generation', async () => {
    const host = await hostOf(after)
    await host.put(before, 'api')
    await host.put(before, 'db')
    const [image] = (await host.observe(after)).containers
    const id = image?.imageId ?? ''
    await host.engine.tagImage(id, `graft.local/shop/kept:g1-${id.slice(7, 19)}`)
    const planned = planOf(after, await host.observe(after), { refused: refusal('db', 'not granted') })
    expect(ids(planned)).toEqual(['kept'])
  })
})

describe('an interrupted switch of a set', () => {
  const before = control({ api: leaf(1), db: leaf(1) })
  const after = control({ api: leaf(2), db: leaf(2) })

  it('starts over where nothing had been renamed', async () => {
    const host = await hostOf(after)
    for (const name of before.leaves.keys()) await host.put(before, name)
    await host.put(after, 'api', { role: 'candidate' })
    const planned = planOf(after, await host.observe(after))
    const [api, db] = said(planned)
    expect(api).toBe('api: recover, an interrupted swap of its set, which switches together, starts over')
    expect(db).toMatch(/^db: hold, switches together with api, which is mended first: /)
    expect(planned.tables.map(renderTable)).toEqual([
      ['api', 'commit   stop api.next', '         remove api.next'].join('\n'),
    ])
  })

  it('goes on where one had been', async () => {
    const host = await hostOf(after)
    await host.put(before, 'api', { role: 'retired' })
    await host.put(after, 'api')
    await host.put(before, 'db')
    await host.put(after, 'db', { role: 'candidate' })
    expect(said(planOf(after, await host.observe(after)))).toEqual([
      'api: recover, the old container of an earlier swap is still there',
      'db: recover, an interrupted swap goes on at its gate',
    ])
  })

  it('goes on where only one member changes', async () => {
    const host = await hostOf(after)
    await host.put(after, 'api')
    await host.put(before, 'db')
    await host.put(after, 'db', { role: 'candidate' })
    expect(said(planOf(after, await host.observe(after)))).toEqual([
      'api: keep, as declared',
      'db: recover, an interrupted swap goes on at its gate',
    ])
  })
})
