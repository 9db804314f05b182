// A set that is stopped and comes back, and jobs between the generations of what they serve.

import { describe, expect, it } from 'vitest'

import type { Tree } from '../../../src/desired/tree.ts'
import { hostOf, job, leaf, leafIn, NOW, planOf, refusal, runDigest, treeOf, verdictOn } from './build.ts'
import { change } from './changed.ts'
import { renderTable } from './render-table.ts'

const DOWN = { state: 'stopped', policy: 'no' } as const
const PORT = 'ports: ["8080:80"]'

/** `data/` with `db`, `api` that needs it, and `web` that needs `api`. */
function data(set: string, leaves: Readonly<Record<string, string>> = {}): Tree {
  return treeOf({
    'data/set.yaml': set,
    'data/db.yaml': leaves['db'] ?? leaf(1),
    'data/api.yaml': leaves['api'] ?? leaf(1, 'depends_on: [db]'),
    'data/web.yaml': leaves['web'] ?? leaf(1, 'depends_on: [api]'),
  })
}

const order = (tables: readonly { id: string; after: readonly string[] }[]) =>
  tables.map(({ id, after }) => [id, after])

describe('a set that is stopped', () => {
  it('goes down in the reverse order of its dependencies', async () => {
    const planned = await change(data(''), data('state: stopped\n'))
    expect(order(planned.tables)).toEqual([
      ['db', ['api']],
      ['api', ['web']],
      ['web', []],
    ])
  })

  it('waits where the engine did not stop it', async () => {
    const stopped = data('state: stopped\n')
    const host = await hostOf(stopped)
    await host.put(stopped, 'db')
    const { generation, ...db } = leafIn(stopped, 'db')
    const wait = {
      generation,
      digest: runDigest({ generation, ...db }),
      until: NOW + 60_000,
      because: 'it cannot be killed',
    }
    const because = 'its set is stopped; it cannot be killed'
    const waits = new Map([['db', wait]])
    const planned = planOf(stopped, await host.observe(stopped), { waits, now: NOW })
    expect(verdictOn(planned, 'db')).toMatchObject({ kind: 'hold', because, retryAt: NOW + 60_000 })
    expect(planned.tables).toEqual([])
  })

  it('also past a leaf that is down already, and with one whose spec is refused', async () => {
    const stopped = data('state: stopped\n')
    const host = await hostOf(stopped)
    for (const name of ['db', 'web']) await host.put(stopped, name)
    await host.put(stopped, 'api', DOWN)
    const planned = planOf(stopped, await host.observe(stopped), { refused: refusal('web', 'not granted') })
    expect(order(planned.tables)).toEqual([
      ['db', ['web']],
      ['web', []],
    ])
  })

  it('comes back in order: each is checked before the next one starts, and may be restarted only then', async () => {
    const tree = data('')
    const host = await hostOf(tree)
    for (const name of tree.leaves.keys()) await host.put(tree, name, DOWN)
    const planned = planOf(tree, await host.observe(tree))
    expect(verdictOn(planned, 'api').because).toBe('it had been stopped, and is to run')
    expect(planned.tables.map(renderTable).join('\n\n')).toMatchInlineSnapshot(`
      "db
      prepare  start db
               gate db
               db: restart policy always

      api, after db
      prepare  start api
               gate api
               api: restart policy always

      web, after api
      prepare  start web
               gate web
               web: restart policy always"
    `)
  })

  it('comes back with a new container where its spec changed meanwhile', async () => {
    const tree = data('', { api: leaf(2, 'depends_on: [db]') })
    const host = await hostOf(tree)
    for (const name of tree.leaves.keys()) await host.put(data(''), name, DOWN)
    const planned = planOf(tree, await host.observe(tree))
    expect(planned.verdicts.map(({ leaf: name, kind }) => [name, kind])).toEqual([
      ['api', 'replace'],
      ['db', 'restore'],
      ['web', 'restore'],
    ])
    expect(order(planned.tables)).toEqual([
      ['db', []],
      ['web', ['api']],
      ['api', ['db']],
    ])
  })

  it('waits for what it depends on when it comes back', async () => {
    const tree = data('')
    const host = await hostOf(tree)
    for (const name of tree.leaves.keys()) await host.put(tree, name, DOWN)
    const wait = { generation: 1, digest: runDigest(leafIn(tree, 'db')), until: NOW + 9, because: 'it was not healthy' }
    const planned = planOf(tree, await host.observe(tree), { waits: new Map([['db', wait]]) })
    expect(planned.verdicts.map(({ because }) => because)).toEqual([
      'depends on db, which is held: it was not healthy',
      'it was not healthy',
      'depends on api, which is held: depends on db, which is held: it was not healthy',
    ])
    expect(planned.tables).toEqual([])
  })

  it.each([
    ['is swapped for it', leaf(1), leaf(2, PORT), {}],
    ['comes back itself', leaf(1, PORT), leaf(1, PORT), DOWN],
  ])('gives its port to a leaf that %s, by stopping before', async (_how, before, after, put) => {
    const tree = (set: string, right: string) =>
      treeOf({ 'blue/set.yaml': set, 'blue/left.yaml': leaf(1, PORT), 'green/set.yaml': '', 'green/right.yaml': right })
    const wanted = tree('state: stopped\n', after)
    const host = await hostOf(wanted)
    await host.put(treeOf({ right: before }), 'right', put)
    await host.put(wanted, 'left')
    expect(order(planOf(wanted, await host.observe(wanted)).tables)).toEqual([
      ['left', []],
      ['right', ['left']],
    ])
  })
})

describe('expand, migrate, contract', () => {
  const tree = (generation: number, condition = 'service_healthy') =>
    treeOf({
      api: leaf(generation, 'depends_on: [expand]'),
      contract: job(generation, `depends_on: {api: {condition: ${condition}}}`),
      expand: job(generation),
    })

  async function plannedFrom(before: number, after: Tree, more = {}, put: (name: string) => object = () => ({})) {
    const host = await hostOf(after)
    await host.put(tree(before), 'api', put('api'))
    for (const name of ['contract', 'expand']) {
      await host.engine.createMark('shop', `shop_${name}.done-g${before}`, name, before)
    }
    return { host, planned: planOf(after, await host.observe(after), more) }
  }

  it.each(['service_healthy', 'service_started'])(
    'runs the one job before its dependent is switched and the other after it (%s)',
    async (condition) => {
      const { planned } = await plannedFrom(1, tree(2, condition))
      expect(order(planned.tables)).toEqual([
        ['expand', []],
        ['api', ['expand']],
        ['contract', ['api']],
      ])
    },
  )

  it('runs none in a rollback', async () => {
    const { planned } = await plannedFrom(2, tree(1))
    expect(order(planned.tables)).toEqual([['api', []]])
    expect(verdictOn(planned, 'contract').because).toBe('not run again: generation 2 has completed')
  })

  it.each(['service_healthy', 'service_started'])(
    'does not contract while an older one still runs (%s)',
    async (condition) => {
      const after = tree(2, condition)
      const refused = await plannedFrom(1, after, { refused: refusal('api', 'not granted') })
      expect(verdictOn(refused.planned, 'contract').because).toBe('depends on api, which is refused: not granted')
      const { host } = await plannedFrom(1, after)
      await host.put(after, 'api', { role: 'failed', state: 'exited', exitCode: 1 })
      const failed = planOf(after, await host.observe(after))
      expect(verdictOn(failed, 'contract').because).toMatch(
        /^depends on api, which is held: generation 2 failed before/,
      )
      expect(order(failed.tables)).toEqual([['expand', []]])
    },
  )

  it('does not switch before a job that was interrupted has run', async () => {
    const { host } = await plannedFrom(1, tree(2))
    await host.put(tree(2), 'expand', { role: 'candidate', state: 'created' })
    const planned = planOf(tree(2), await host.observe(tree(2)))
    expect(order(planned.tables)).toEqual([['expand', []]])
    expect(verdictOn(planned, 'api')).toMatchObject({
      because: 'waits for the job expand: a candidate was left over: its files may be half written',
      awaits: 'expand',
    })
  })

  it('does not contract before an interrupted swap has ended', async () => {
    const after = tree(2)
    const { host } = await plannedFrom(1, after)
    await host.engine.createMark('shop', 'shop_expand.done-g2', 'expand', 2)
    await host.put(after, 'api', { role: 'candidate', state: 'created' })
    const planned = planOf(after, await host.observe(after))
    expect(order(planned.tables)).toEqual([['api', []]])
    expect(verdictOn(planned, 'contract')).toMatchObject({
      because: 'waits for api: a candidate was left over: its files may be half written',
      awaits: 'api',
    })
  })

  it('nor where the older one is suspended', async () => {
    const after = treeOf({
      'app/set.yaml': 'suspend: true\n',
      'app/api.yaml': leaf(2),
      contract: job(2, 'depends_on: [app]'),
    })
    const { planned } = await plannedFrom(1, after)
    expect(verdictOn(planned, 'contract').because).toBe(
      'depends on api, which is suspended and still runs generation 1',
    )
  })
})
