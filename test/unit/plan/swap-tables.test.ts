// The tables of a plan as a person reads them: the order of each kind of swap, and why.

import { describe, expect, it } from 'vitest'

import type { Plan } from '../../../src/plan/verdict.ts'
import { hostOf, job, leaf, planOf, treeOf, verdictOn } from './build.ts'
import { change } from './changed.ts'
import { renderTable } from './render-table.ts'

const VOLUMES = 'volumes: {data: {}}\n'
const PORT = 'ports: ["8080:80"]'

const rendered = ({ tables }: Plan) => tables.map(renderTable).join('\n\n')

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
               web: restart policy no                   undo: web: restart policy always
               prove web.next beside web for 10 s
      cleanup  tag the image of web
               still-up web.next
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
               stop db                                  undo: stop db.next, start db
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
               stop right                               undo: stop right.next, start right
               left: restart policy no                  undo: left: restart policy always
               stop left                                undo: stop left.next, start left
               start left.next                          undo: stop left.next
               gate left.next
               keep-down right
               start right.next                         undo: stop right.next
               gate right.next
               still-up left.next
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
               stop right                               undo: stop right.next, start right
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
               stop side                                undo: stop side.next, start side
               start side.next                          undo: stop side.next
               gate side.next
               still-up main.next
      commit   main.next: restart policy always         undo: main.next: restart policy no
               rename main to main.prev-ID6             undo: rename main to main
               rename main.next to main                 undo: rename main.next to main.next
               side.next: restart policy always         undo: side.next: restart policy no
               rename side to side.prev-ID6             undo: rename side to side
               rename side.next to side                 undo: rename side.next to side.next
               main: restart policy no                  undo: main: restart policy always
               prove main.next beside main for 10 s
      cleanup  tag the image of main
               still-up main.next
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
