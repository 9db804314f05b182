// The tables of a plan, as a person reads them: the order of each kind of swap, who shares a table, who waits for whom.

import { describe, expect, it } from 'vitest'

import type { Tree } from '../../../src/desired/tree.ts'
import { circlesIn } from '../../../src/plan/circles.ts'
import { launchOrder } from '../../../src/plan/order.ts'
import type { DepartedLeaf, PlanInput } from '../../../src/plan/planning.ts'
import type { Plan } from '../../../src/plan/verdict.ts'
import { hostOf, inputOf, job, leaf, leafIn, planOf, treeOf, verdictOn, withContainer } from './build.ts'
import { plan } from '../../../src/plan/plan.ts'
import { renderTable } from './render-table.ts'

const VOLUMES = 'volumes: {data: {}}\n'
const PORT = 'ports: ["8080:80"]'

async function change(before: Tree, after: Tree, more: Partial<PlanInput> = {}): Promise<Plan> {
  const host = await hostOf(after)
  for (const name of before.leaves.keys()) await host.put(before, name)
  return planOf(after, await host.observe(after), more)
}

const rendered = ({ tables }: Plan) => tables.map(renderTable).join('\n\n')
const waits = ({ tables }: Plan) => Object.fromEntries(tables.map(({ id, after }) => [id, after]))

describe('the order of a swap', () => {
  it('start-first', async () => {
    const before = treeOf({ web: leaf(1) })
    const after = treeOf({ web: leaf(2, 'files: {/etc/web.conf: ./web.conf}\nupdate: {drain: 10s}'), 'web.conf': 'x' })
    expect(rendered(await change(before, after))).toMatchInlineSnapshot(`
      "web
      prepare  image app:2
               create web.next                          undo: discard web.next
               put-files web.next
               start web.next                           undo: stop web.next
               gate web.next
      commit   web.next: restart policy always          undo: web.next: restart policy no
               rename web to web.prev-ID6               undo: rename web to web
               rename web.next to web                   undo: rename web.next to web.next
      cleanup  tag the image of web
               web: restart policy no
               drain web for 10 s
               stop web
               remove web"
    `)
  })

  it('stop-first', async () => {
    const db = (generation: number) => treeOf({ db: leaf(generation, 'volumes: ["data:/data"]') }, VOLUMES)
    expect(rendered(await change(db(1), db(2)))).toMatchInlineSnapshot(`
      "db
      prepare  image app:2
               create db.next                           undo: discard db.next
               db: restart policy no                    undo: db: restart policy always
               stop db                                  undo: start db
               start db.next                            undo: stop db.next
               gate db.next
      commit   db.next: restart policy always           undo: db.next: restart policy no
               rename db to db.prev-ID6                 undo: rename db to db
               rename db.next to db                     undo: rename db.next to db.next
      cleanup  tag the image of db
               remove db"
    `)
  })

  it('a first launch has nothing to stop and nothing to retire', async () => {
    expect(rendered(await change(treeOf({}), treeOf({ web: leaf(1) })))).toMatchInlineSnapshot(`
      "web
      prepare  image app:1
               create web.next                          undo: discard web.next
               start web.next                           undo: stop web.next
               gate web.next
      commit   web.next: restart policy always          undo: web.next: restart policy no
               rename web.next to web                   undo: rename web.next to web.next
      cleanup  tag the image of web"
    `)
  })

  it('a job is marked as done before its container takes the name', async () => {
    const planned = await change(treeOf({}), treeOf({ sync: job(1), web: leaf(1, 'depends_on: [sync]') }))
    expect(rendered(planned)).toMatchInlineSnapshot(`
      "sync
      prepare  image app:1
               create sync.next                         undo: discard sync.next
               start sync.next                          undo: stop sync.next
               wait-job sync.next
      commit   mark shop_sync.done-g1
               rename sync.next to sync                 undo: rename sync.next to sync.next

      web, after sync
      prepare  image app:1
               create web.next                          undo: discard web.next
               start web.next                           undo: stop web.next
               gate web.next
      commit   web.next: restart policy always          undo: web.next: restart policy no
               rename web.next to web                   undo: rename web.next to web.next
      cleanup  tag the image of web"
    `)
  })

  it('a port that moves from leaf to leaf makes one table in which its holder stops first', async () => {
    const before = treeOf({ left: leaf(1, PORT), right: leaf(1) })
    const after = treeOf({ left: leaf(2), right: leaf(2, PORT) })
    expect(rendered(await change(before, after))).toMatchInlineSnapshot(`
      "left+right
      prepare  image app:2
               create left.next                         undo: discard left.next
               image app:2
               create right.next                        undo: discard right.next
               right: restart policy no                 undo: right: restart policy always
               stop right                               undo: start right
               left: restart policy no                  undo: left: restart policy always
               stop left                                undo: start left
               start left.next                          undo: stop left.next
               gate left.next
               start right.next                         undo: stop right.next
               gate right.next
      commit   left.next: restart policy always         undo: left.next: restart policy no
               rename left to left.prev-ID6             undo: rename left to left
               rename left.next to left                 undo: rename left.next to left.next
               right.next: restart policy always        undo: right.next: restart policy no
               rename right to right.prev-ID6           undo: rename right to right
               rename right.next to right               undo: rename right.next to right.next
      cleanup  tag the image of left
               remove left
               tag the image of right
               remove right"
    `)
  })

  it('and one that a leaf leaves behind, with the leaf', async () => {
    const before = treeOf({ left: leaf(1, PORT), right: leaf(1) })
    expect(rendered(await change(before, treeOf({ right: leaf(2, PORT) })))).toMatchInlineSnapshot(`
      "right+left
      prepare  image app:2
               create right.next                        undo: discard right.next
               left: restart policy no                  undo: left: restart policy always
               stop left                                undo: start left
               right: restart policy no                 undo: right: restart policy always
               stop right                               undo: start right
               start right.next                         undo: stop right.next
               gate right.next
      commit   right.next: restart policy always        undo: right.next: restart policy no
               rename right to right.prev-ID6           undo: rename right to right
               rename right.next to right               undo: rename right.next to right.next
      cleanup  tag the image of right
               remove right
               left: restart policy no
               stop left
               remove left"
    `)
  })

  it('what joins a namespace is replaced with its host, stop-first', async () => {
    const before = treeOf({ main: leaf(1), side: leaf(1, 'network_mode: service:main') })
    const after = treeOf({ main: leaf(2), side: leaf(1, 'network_mode: service:main') })
    const planned = await change(before, after)
    expect(verdictOn(planned, 'side').because).toBe('it lives in the namespace of main, which is replaced')
    expect(rendered(planned)).toMatchInlineSnapshot(`
      "main+side
      prepare  image app:2
               create main.next                         undo: discard main.next
               image app:1
               create side.next                         undo: discard side.next
               start main.next                          undo: stop main.next
               gate main.next
               side: restart policy no                  undo: side: restart policy always
               stop side                                undo: start side
               start side.next                          undo: stop side.next
               gate side.next
      commit   main.next: restart policy always         undo: main.next: restart policy no
               rename main to main.prev-ID6             undo: rename main to main
               rename main.next to main                 undo: rename main.next to main.next
               side.next: restart policy always         undo: side.next: restart policy no
               rename side to side.prev-ID6             undo: rename side to side
               rename side.next to side                 undo: rename side.next to side.next
      cleanup  tag the image of main
               main: restart policy no
               drain main for 10 s
               stop main
               remove main
               tag the image of side
               remove side"
    `)
  })

  it('a live container that is down already cannot come back beside its successor', async () => {
    const db = (generation: number) => treeOf({ db: leaf(generation, 'volumes: ["data:/data"]') }, VOLUMES)
    const host = await hostOf(db(2))
    await host.put(db(1), 'db', { state: 'stopped', policy: 'always' })
    const { tables } = planOf(db(2), await host.observe(db(2)))
    expect(tables.map(renderTable).join()).toContain(
      'db: restart policy no                    undo: db: restart policy always',
    )
  })

  it('the one before goes when another candidate fails', async () => {
    const after = treeOf({ web: leaf(3) })
    const host = await hostOf(after)
    await host.put(treeOf({ web: leaf(1) }), 'web')
    const failed = await host.put(treeOf({ web: leaf(2) }), 'web', { role: 'failed', state: 'exited' })
    const { tables } = planOf(after, await host.observe(after))
    const [create] = tables[0]?.prepare.filter(({ action }) => action.do === 'create') ?? []
    expect(create?.undo).toEqual([
      { do: 'discard', leaf: 'web', container: { leaf: 'web', name: 'web.next', id: null }, previous: failed },
    ])
  })
})

describe('why stop-first', () => {
  const FIXED = 'networks: {lan: {ipam: {config: [{subnet: 10.9.0.0/24}]}}}\n'
  it.each([
    ['nothing it holds is exclusive', '', '', 'start-first'],
    ['it uses the host network', 'network_mode: host', '', 'stop-first'],
    ['it publishes host port 8080/tcp', PORT, '', 'stop-first'],
    ['it has the fixed address 10.9.0.7', 'networks: {lan: {ipv4_address: 10.9.0.7}}', FIXED, 'stop-first'],
    ['it has the fixed MAC address 02:00:00:00:00:01', 'mac_address: "02:00:00:00:00:01"', '', 'stop-first'],
    ['it holds the writable volume shop_data', 'volumes: ["data:/data"]', VOLUMES, 'stop-first'],
    ['it holds the writable bind of /srv', 'volumes: ["/srv:/srv"]', '', 'stop-first'],
    ['it holds the device /dev/kvm', 'devices: ["/dev/kvm"]', '', 'stop-first'],
    ['the alias db cannot move without cutting connections', 'networks: {default: {aliases: [db]}}', '', 'stop-first'],
    ['the leaf says so', 'update: {order: start-first}\nvolumes: ["data:/data"]', VOLUMES, 'start-first'],
    ['the leaf says so', 'update: {order: stop-first}', '', 'stop-first'],
    ['nothing it holds is exclusive', 'volumes: ["data:/data:ro"]', VOLUMES, 'start-first'],
    ['nothing it holds is exclusive', 'ports: ["80"]', '', 'start-first'],
  ])('%s: %s', async (because, spec, deployment, kind) => {
    const tree = (generation: number) => treeOf({ web: leaf(generation, spec) }, deployment)
    expect(verdictOn(await change(tree(1), tree(2)), 'web').order).toEqual({ kind, because })
  })

  it('what the live container still holds counts as much', async () => {
    const before = treeOf({ web: leaf(1, 'volumes: ["data:/data"]') }, VOLUMES)
    const planned = await change(before, treeOf({ web: leaf(2) }, VOLUMES))
    expect(verdictOn(planned, 'web').order?.because).toBe('it holds the writable volume shop_data')
    const published = await change(
      treeOf({ web: leaf(1, PORT) }),
      treeOf({ web: leaf(2, 'update: {order: start-first}') }),
    )
    expect(verdictOn(published, 'web').order?.because).toBe('it publishes host port 8080/tcp')
  })

  it('a volume that the image declares counts as writable', async () => {
    const tree = treeOf({ web: leaf(2) })
    const host = await hostOf(tree, { facts: { volumes: ['/var/lib/x'] } })
    await host.put(treeOf({ web: leaf(1) }), 'web')
    const planned = planOf(tree, await host.observe(tree))
    expect(verdictOn(planned, 'web').order?.because).toBe('it holds the writable volume shop_web_var-lib-x')
  })
})

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
