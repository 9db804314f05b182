// The corners around the crash table: who is blamed, what somebody did by hand, what is refused, stopped or gone.

import { describe, expect, it } from 'vitest'

import type { Tree } from '../../../src/desired/tree.ts'
import { hostOf, leaf, leafIn, planOf, refusal, runDigest, treeOf, verdictOn } from './build.ts'
import { asJob, DOWN, NEXT, planFor, PREV, RUNS, startFirst, stopFirst, VOLUMES, what } from './found.ts'
import { renderTable, words } from './render-table.ts'

describe('a candidate that an engine restart took down', () => {
  it.each([137, 143, 255, 0])('is not blamed for exit code %i', async (exitCode) => {
    const candidate = { ...NEXT, state: 'exited', exitCode } as const
    expect(await what(stopFirst, { old: DOWN, candidate })).toEqual([
      'recover: a candidate was left over: it had been stopped',
      'remove web.next',
      'start web',
      'web: restart policy always',
    ])
  })

  it('is blamed where it ran out of memory', async () => {
    const killed = { ...NEXT, state: 'exited', exitCode: 137 } as const
    const change = { 'web.next': { oomKilled: true } }
    expect(await what(startFirst, { old: RUNS, candidate: killed, change })).toContain('keep-failed web.next')
    expect(await what(asJob, { candidate: killed, change })).toContain('keep-failed web.next')
  })
})

describe('corners', () => {
  it('a paused candidate is woken, then gated', async () => {
    expect((await what(startFirst, { old: RUNS, candidate: { ...NEXT, state: 'paused' } })).slice(0, 3)).toEqual([
      'recover: an interrupted swap goes on at its gate',
      'unpause web.next',
      'gate web.next',
    ])
    expect(await what(startFirst, { old: RUNS, candidate: { ...NEXT, state: 'paused' }, wanted: 3 })).toEqual([
      'recover: a candidate was left over: it is no longer wanted',
      'stop web.next',
      'remove web.next',
    ])
  })

  it('a live container that is down by itself cannot come back beside the candidate', async () => {
    const { planned } = await planFor(stopFirst, { old: { state: 'stopped', policy: 'always' }, candidate: NEXT })
    expect(renderTable(planned.tables[0] ?? never()).split('\n')[1]).toBe(
      'prepare  web: restart policy no                   undo: web: restart policy always',
    )
  })

  it('what has been switched is not judged by the check of a newer generation', async () => {
    const probed = (generation: number) =>
      treeOf({ web: leaf(generation, `healthcheck: {tcp: {port: ${generation}}}`) })
    for (const live of [RUNS, { state: 'stopped', policy: 'always' } as const]) {
      const host = await hostOf(probed(3))
      await host.put(probed(2), 'web', live)
      await host.put(probed(1), 'web', PREV)
      const steps = planOf(probed(3), await host.observe(probed(3))).tables.flatMap((table) => [
        ...[...table.prepare, ...table.commit, ...table.cleanup].map(({ action }) => action.do),
      ])
      expect(steps.length).toBeGreaterThan(0)
      expect(steps).not.toContain('prove')
      expect(steps).not.toContain('gate')
      const same = planOf(probed(2), await host.observe(probed(2))).tables.flatMap(({ prepare, commit }) => [
        ...[...prepare, ...commit].map(({ action }) => action.do),
      ])
      expect(same).toContain(live === RUNS ? 'prove' : 'gate')
    }
  })

  it('several retired ones go together, whatever their number', async () => {
    const more = [
      [1, PREV],
      [1, { ...PREV, state: 'stopped' }],
    ] as const
    const lines = await what(startFirst, { candidate: RUNS, more })
    expect(lines.filter((line) => line === 'remove web.prev-ID6')).toHaveLength(2)
  })

  it('of several retired ones the newest comes back, and the others go after it', async () => {
    const { planned } = await planFor(stopFirst, {
      old: { ...PREV, state: 'stopped' },
      more: [[2, { ...PREV, state: 'stopped' }]],
    })
    const [rename] = planned.tables[0]?.commit ?? []
    const tree = stopFirst(2)
    const host = await hostOf(tree)
    await host.put(stopFirst(1), 'web', { ...PREV, state: 'stopped' })
    const newest = await host.put(tree, 'web', { ...PREV, state: 'stopped' })
    expect(rename?.action).toMatchObject({ do: 'rename', to: 'web', container: { id: newest } })
  })

  it.each(['created', 'exited'] as const)(
    'one that is %s under a name that graft never gave holds nothing up where another leaf has its port by now',
    async (state) => {
      const ports = (a: number, b: number, generation: number) =>
        treeOf({
          edge: leaf(generation, `ports: ["${a}:80"]`),
          rim: leaf(generation, `ports: ["${b}:80"]`),
        })
      const host = await hostOf(ports(8081, 8080, 2))
      await host.put(ports(8080, 8081, 1), 'rim', { state: 'stopped', policy: 'no' })
      await host.put(ports(8081, 8080, 2), 'edge')
      await host.put(ports(8081, 8080, 2), 'rim', { role: 'candidate', state, name: 'rim.next-mine' })
      const [table] = planOf(ports(8081, 8080, 2), await host.observe(ports(8081, 8080, 2))).tables
      expect(table?.leaves).toEqual(['rim'])
      expect(table?.cleanup.map(({ action }) => words(action))).toEqual(
        expect.arrayContaining(['remove rim.next-mine']),
      )
    },
  )

  it('a container under a name that graft never gave is taken for live where there is none, else it goes', async () => {
    expect(await what(startFirst, { candidate: { name: 'my-web' } })).toEqual([
      'restore: someone renamed it to my-web',
      'rename my-web to web',
    ])
    expect(await what(startFirst, { old: { name: 'web-old' }, candidate: RUNS })).toEqual([
      'recover: the old container of an earlier swap is still there',
      'web-old: restart policy no',
      'prove web beside web-old for 5 s',
      'tag the image of web',
      'still-up web',
      'stop web-old',
      'remove web-old',
    ])
  })

  it('a failed candidate that somebody started stops first where there may only be one', async () => {
    const failed = [[2, { role: 'failed' }]] as const
    expect(await what(stopFirst, { old: DOWN, more: failed, wanted: 3 })).toEqual([
      'recover: somebody started the candidate that had failed, and there may only be one',
      'stop web.failed',
    ])
    const given = [[2, { role: 'failed', state: 'exited', policy: 'always' }]] as const
    expect(await what(stopFirst, { old: DOWN, more: given, wanted: 3 })).toEqual([
      'recover: somebody gave the candidate that had failed the restart policy always, and there may only be one',
      'web.failed: restart policy no',
    ])
    expect((await what(startFirst, { old: RUNS, more: failed, wanted: 3 }))[0]).toMatch(/^replace/)
  })

  it('what somebody started by hand stops before a container that must be the only one is started', async () => {
    const old = { ...PREV, state: 'running' } as const
    expect((await what(stopFirst, { old, candidate: { state: 'exited' } })).slice(1, 3)).toEqual([
      'stop web.prev-ID6',
      'start web',
    ])
  })

  it('nothing is wanted of the candidate of a refused leaf; the old one comes back', async () => {
    const input = () => ({ refused: refusal('web', 'generation 2 already means another spec') })
    expect(await what(stopFirst, { old: DOWN, candidate: NEXT, input })).toEqual([
      'recover: a candidate was left over: it is no longer wanted',
      'stop web.next',
      'remove web.next',
      'start web',
      'web: restart policy always',
    ])
  })

  it('in a stopped set the candidate goes and nothing is started', async () => {
    const stopped = (tree: Tree) => withState(tree, { state: 'stopped' })
    expect(await what(stopFirst, { old: DOWN, candidate: NEXT, tree: stopped })).toEqual([
      'recover: a candidate was left over: it is no longer wanted',
      'stop web.next',
      'remove web.next',
    ])
    expect(await what(stopFirst, { old: { ...PREV, state: 'stopped' }, tree: stopped })).toEqual([
      'recover: an interrupted swap lost its new container; the old one takes its name back',
      'rename web.prev-ID6 to web',
    ])
  })

  it('a suspended leaf is left as it is, half swapped or not', async () => {
    const suspended = (tree: Tree) => withState(tree, { suspend: true })
    expect(await what(stopFirst, { old: DOWN, candidate: NEXT, tree: suspended })).toEqual([
      'hold: its set is suspended; graft looks and does not touch',
    ])
  })

  it('waits after a fault, and says until when', async () => {
    const until = Date.UTC(2030, 0, 1, 0, 1)
    const input = (tree: Tree) => {
      const found = leafIn(tree, 'web')
      const wait = { generation: 2, digest: runDigest(found), until, because: 'the disk is full' }
      return { waits: new Map([['web', wait]]) }
    }
    const { verdict, planned } = await planFor(stopFirst, { old: DOWN, candidate: NEXT, input })
    expect(verdict).toMatchObject({ kind: 'hold', because: 'the disk is full', retryAt: until })
    expect(planned.tables).toEqual([])
  })

  it('an old job container is renamed back but never run again', async () => {
    expect(await what(asJob, { old: { ...PREV, state: 'exited', exitCode: 0 } })).toEqual([
      'recover: an interrupted swap lost its new container; the old one takes its name back',
      'rename web.prev-ID6 to web',
    ])
  })

  it.each([
    ['kept', { departed: new Map([['web', { prune: false, dependencies: [] }]]) }],
    ['held', { removals: { limit: 0, confirmed: false } }],
  ])('a leaf that is gone but %s does not stay half swapped', async (_why, input) => {
    const tree = treeOf({ other: leaf(1) }, VOLUMES)
    const host = await hostOf(tree)
    await host.put(tree, 'other')
    await host.put(stopFirst(1), 'web', DOWN)
    await host.put(stopFirst(2), 'web', NEXT)
    const planned = planOf(tree, await host.observe(tree), input)
    expect(verdictOn(planned, 'web')).toMatchObject({ kind: 'recover', set: null })
    // Nobody mends it later: the candidate is there until it is up again.
    expect(planned.tables.flatMap(({ commit }) => commit).map(({ action }) => words(action))).toEqual([
      'stop web.next',
      'start web',
      'web: restart policy always',
      'remove web.next',
    ])
  })
})

function withState(tree: Tree, state: { state?: 'stopped'; suspend?: boolean }): Tree {
  return { ...tree, leaves: new Map([...tree.leaves].map(([name, one]) => [name, { ...one, ...state }])) }
}

function never(): never {
  throw new Error('no table')
}
