// Where the ingress follows: in swaps, in removals, after crashes, and when it is behind.

import { describe, expect, it } from 'vitest'

import { changesAnything } from '../../../src/plan/verdict.ts'
import { renderIngress } from '../../../src/plan/ingress-config.ts'
import type { Tree } from '../../../src/desired/tree.ts'
import { hostOf, inputOf, leaf, planOf, treeOf, verdictOn, type Host } from './build.ts'
import { plan } from '../../../src/plan/plan.ts'
import { renderTable } from './render-table.ts'

const INGRESS = 'ingress: {image: haproxy:1, generation: 1}\n'
const PORTS = 'ports: ["80:80"]\nupdate: {drain: 5s}\n'

const shop = (generation: number, more = PORTS) => treeOf({ web: leaf(generation, more) }, INGRESS)

/** The ingress of the deployment runs, and serves what is there now. */
async function served(host: Host, tree: Tree): Promise<Map<string, string>> {
  const observed = await host.observe(tree)
  const live = observed.containers.find(({ name }) => name === 'ingress')
  if (live === undefined) throw new Error('no ingress')
  return new Map([[live.id, renderIngress(tree, observed, live.id, new Set()).config.digest]])
}

async function rendered(host: Host, tree: Tree, ingress: ReadonlyMap<string, string | null>): Promise<string> {
  const planned = plan(inputOf(tree, await host.observe(tree), { ingress }))
  return planned.tables.map(renderTable).join('\n')
}

describe('a swap behind the ingress', () => {
  it('start-first: the ingress follows after the names, and first of all when it is undone', async () => {
    const before = shop(1)
    const host = await hostOf(before)
    await host.put(before, 'ingress')
    await host.put(before, 'web')
    const ingress = await served(host, before)
    await hostOfMore(host, shop(2))
    expect(await rendered(host, shop(2), ingress)).toMatchInlineSnapshot(`
      "web
      prepare  image app:2
               create web.next                          undo: discard web.next
               start web.next                           undo: stop web.next
               gate web.next
      commit   web.next: restart policy always          undo: web.next: restart policy no, the ingress follows
               rename web to web.prev-ID6               undo: rename web to web
               rename web.next to web                   undo: rename web.next to web.next
               the ingress follows web
               web: restart policy no                   undo: web: restart policy always
               prove web.next beside web for 5 s
      cleanup  tag the image of web
               still-up web.next
               stop web
               remove web
               the ingress follows"
    `)
  })

  it('stop-first: one reload, after the names', async () => {
    const more = `${PORTS}volumes: ["data:/data"]\n`
    const volumes = `${INGRESS}volumes: {data: {}}\n`
    const before = treeOf({ web: leaf(1, more) }, volumes)
    const after = treeOf({ web: leaf(2, more) }, volumes)
    const host = await hostOf(before)
    await host.put(before, 'ingress')
    await host.put(before, 'web')
    const ingress = await served(host, before)
    await hostOfMore(host, after)
    expect((await rendered(host, after, ingress)).match(/the ingress follows.*/g)).toEqual([
      'the ingress follows',
      'the ingress follows web',
    ])
  })

  it('of a leaf without ports there does not touch it', async () => {
    const before = treeOf({ web: leaf(1) }, INGRESS)
    const after = treeOf({ web: leaf(2) }, INGRESS)
    const host = await hostOf(before)
    await host.put(before, 'ingress')
    await host.put(before, 'web')
    const ingress = await served(host, before)
    await hostOfMore(host, after)
    expect(await rendered(host, after, ingress)).not.toContain('the ingress')
  })
})

describe('the ingress itself', () => {
  it('gets its configuration before it starts, and is swapped start-first', async () => {
    const before = treeOf({}, INGRESS)
    const after = treeOf({}, INGRESS.replace('generation: 1', 'generation: 2'))
    const host = await hostOf(before)
    await host.put(before, 'ingress')
    const ingress = await served(host, before)
    expect(await rendered(host, after, ingress)).toMatchInlineSnapshot(`
      "ingress
      prepare  image haproxy:1
               create ingress.next                      undo: discard ingress.next
               ingress-config ingress.next
               start ingress.next                       undo: stop ingress.next
               gate ingress.next
      commit   ingress.next: restart policy always      undo: ingress.next: restart policy no
               rename ingress to ingress.prev-ID6       undo: rename ingress to ingress
               rename ingress.next to ingress           undo: rename ingress.next to ingress.next
               ingress: restart policy no               undo: ingress: restart policy always
               prove ingress.next beside ingress for 3 s
      cleanup  tag the image of ingress
               still-up ingress.next
               stop ingress
               remove ingress"
    `)
  })

  it('is left alone while it serves what is live', async () => {
    const tree = shop(1)
    const host = await hostOf(tree)
    await host.put(tree, 'ingress')
    await host.put(tree, 'web')
    const ingress = await served(host, tree)
    expect(changesAnything(plan(inputOf(tree, await host.observe(tree), { ingress })))).toBe(false)
  })

  it('follows where it serves something else, but not in the middle of a swap', async () => {
    const tree = shop(1)
    const host = await hostOf(tree)
    await host.put(tree, 'ingress')
    const [id = ''] = (await served(host, tree)).keys()
    await host.put(tree, 'web')
    const ingress = new Map([[id, 'of before']])
    const observed = await host.observe(tree)
    const planned = plan(inputOf(tree, observed, { ingress }))
    expect(verdictOn(planned, 'ingress')).toMatchObject({
      kind: 'restore',
      because: 'it does not serve what is live now',
    })
    expect(planned.tables.map(renderTable)).toEqual(['ingress\ncommit   the ingress follows'])
    const meanwhile = plan(inputOf(tree, observed, { ingress, busy: new Set(['web']) }))
    expect(verdictOn(meanwhile, 'ingress').kind).toBe('keep')
  })

  it('that does not answer is its check’s business', async () => {
    const tree = shop(1)
    const host = await hostOf(tree)
    await host.put(tree, 'ingress')
    await host.put(tree, 'web')
    const [id = ''] = (await served(host, tree)).keys()
    const planned = plan(inputOf(tree, await host.observe(tree), { ingress: new Map([[id, null]]) }))
    expect(changesAnything(planned)).toBe(false)
  })
})

describe('after a crash', () => {
  it('behind the renames: the ingress follows, then the new one is proved beside the old', async () => {
    const before = shop(1)
    const after = shop(2)
    const host = await hostOf(before)
    await host.put(before, 'ingress')
    await host.put(before, 'web', { role: 'retired', policy: 'always' })
    await host.put(after, 'web')
    expect(await rendered(host, after, new Map())).toMatchInlineSnapshot(`
      "web
      commit   the ingress follows web                  undo: web: restart policy no, rename web to web.next, rename web.prev-ID6 to web, web.prev-ID6: restart policy always, the ingress follows, stop web, discard web
               web.prev-ID6: restart policy no
               prove web beside web.prev-ID6 for 5 s
      cleanup  tag the image of web
               still-up web
               stop web.prev-ID6
               remove web.prev-ID6
               the ingress follows"
    `)
  })

  it('with the new one gone: the old one gets its name back, and the ingress follows', async () => {
    const before = shop(1)
    const host = await hostOf(before)
    await host.put(before, 'ingress')
    await host.put(before, 'web', { role: 'retired' })
    expect(await rendered(host, shop(2), new Map())).toMatchInlineSnapshot(`
      "web
      commit   rename web.prev-ID6 to web
               web.prev-ID6: restart policy always
               the ingress follows"
    `)
  })
})

describe('a leaf that is gone', () => {
  it('goes, and then its ports', async () => {
    const before = shop(1)
    const after = treeOf({}, INGRESS)
    const host = await hostOf(before)
    await host.put(before, 'ingress')
    await host.put(before, 'web')
    const removals = { limit: 3, confirmed: true }
    const planned = await planOf(after, await host.observe(before), { removals })
    const removal = planned.tables.find(({ leaves }) => leaves.includes('web'))
    expect(removal?.commit.map(({ action }) => action.do)).toEqual(['restart-policy', 'stop', 'remove', 'ingress'])
  })
})

describe('a port that somebody else holds', () => {
  const holder = 'web of the deployment other'
  it.each([
    ['on all addresses', '"80:80"', [{ protocol: 'tcp', published: 80, holder }], true],
    ['on one of them', '"80:80"', [{ protocol: 'tcp', published: 80, host_ip: '10.0.0.1', holder }], true],
    [
      'on another address',
      '"127.0.0.1:80:80"',
      [{ protocol: 'tcp', published: 80, host_ip: '10.0.0.1', holder }],
      false,
    ],
    ['of another protocol', '"80:80"', [{ protocol: 'udp', published: 80, holder }], false],
    ['of the other family', '"127.0.0.1:80:80"', [{ protocol: 'tcp', published: 80, host_ip: '::', holder }], false],
  ] as const)('%s', async (_name, port, foreignPorts, taken) => {
    const tree = treeOf({ web: leaf(1, `ports: [${port}]`) }, INGRESS)
    const host = await hostOf(tree)
    const observed = { ...(await host.observe(tree)), foreignPorts }
    const verdict = verdictOn(plan(inputOf(tree, observed)), 'web')
    expect([verdict.kind, verdict.because]).toEqual(
      taken ? ['hold', `the port 80/tcp is taken by ${holder}`] : ['create', 'it does not exist yet'],
    )
  })

  it('is no matter where the leaf’s own container has it', async () => {
    const host = await hostOf(shop(1))
    await host.put(shop(1), 'web')
    await hostOfMore(host, shop(2))
    const foreignPorts = [{ protocol: 'tcp', published: 80, holder }] as const
    const observed = { ...(await host.observe(shop(2))), foreignPorts }
    expect(verdictOn(plan(inputOf(shop(2), observed)), 'web').kind).toBe('replace')
  })
})

/** The images of another commit. */
async function hostOfMore(host: Host, tree: Tree): Promise<void> {
  for (const { spec } of tree.leaves.values()) {
    if ((await host.engine.findImage(spec.image)) === null) host.engine.addImage(spec.image, {})
  }
}
