// What is said to have come of a commit, from the turns and tables of graft's own reconciler on the engine in memory.

import { describe, expect, it } from 'vitest'

import { createOutcomeRecorder } from '../../../src/daemon/outcome-recorder.ts'
import type { Turn, Wish } from '../../../src/daemon/reconcile.ts'
import type { Problem } from '../../../src/desired/problem.ts'
import type { Tree } from '../../../src/desired/tree.ts'
import type { OutcomeRecord } from '../../../src/report/outcome-record.ts'
import { hostOf, job, leaf, refusal, treeOf, type Host } from '../plan/build.ts'
import { reconcilerOn, wishOf } from './memory-stage.ts'

const CHECK = 'healthcheck: {test: [CMD, ok], interval: 1s}'
const PROBLEM: Problem = {
  file: 'web.yaml',
  line: 2,
  column: 1,
  text: null,
  message: 'image is not a reference',
  remedy: 'correct it',
  leaf: null,
  severity: 'unreadable',
}

function committed(id: string, tree: Tree): Tree {
  return { ...tree, commit: { id, parents: [], subject: id, author: 'Ann', time: 0 } }
}

/** A graft that follows commits on one host; `before` is what it finds in the notes. */
function graftOn(host: Host, before: readonly OutcomeRecord[] = []) {
  const told: OutcomeRecord[] = []
  const pending: string[] = []
  const recorder = createOutcomeRecorder({
    host: 'alpha',
    deployment: () => 'shop',
    now: () => host.clock.now(),
    before: (commit) => Promise.resolve(before.find((record) => record.commit === commit) ?? null),
    onPending: (commit) => pending.push(commit),
    onOutcome: (record) => told.push(record),
  })
  const reconciler = reconcilerOn(host, host.engine, { onResult: recorder.noteResult })
  let last: Turn | null = null
  return {
    told,
    pending,
    recorder,
    async settle(wish: Wish, problems: readonly Problem[] = []) {
      recorder.follow(wish.tree.commit?.id ?? '', problems)
      const onTurn = (turn: Turn): void => recorder.noteTurn((last = turn), reconciler.busy())
      await host.clock.run(reconciler.settle(wish, new AbortController().signal, onTurn))
      await recorder.told()
      return told.at(-1)
    },
    async finish() {
      if (last !== null) recorder.finish(last)
      await recorder.told()
      return told.at(-1)
    },
  }
}

const short = (record: OutcomeRecord | undefined) =>
  record === undefined
    ? null
    : [
        record.commit,
        record.result,
        ...record.leaves.map(({ leaf: name, result, from, to }) => `${name} ${from}→${to} ${result}`),
      ]

describe('the outcome of a commit', () => {
  it('tells each leaf that changed, once, with what its swap cost', async () => {
    const host = await hostOf(treeOf({}))
    for (let i = 1; i <= 2; i++) {
      host.engine.publish(`app:${i}`, {
        behaviour: ({ healthcheck }) => (healthcheck === undefined ? { exitsAfter: 200 } : {}),
      })
    }
    const graft = graftOn(host)
    const one = committed(
      'c1',
      treeOf({ web: leaf(1, CHECK), keep: leaf(1, CHECK), sync: job(1), old: leaf(1, CHECK) }),
    )
    const first = await graft.settle(wishOf(one))
    expect(short(first)?.slice(0, 2)).toEqual(['c1', 'deployed'])
    expect(first?.leaves.map(({ leaf: name, result }) => `${name} ${result}`).toSorted()).toEqual([
      'keep created',
      'old created',
      'sync ran',
      'web created',
    ])
    expect(graft.pending).toEqual(['c1'])
    const two = committed('c2', treeOf({ web: leaf(2, CHECK), keep: leaf(1, CHECK), sync: job(1) }))
    const second = await graft.settle(wishOf(two, one))
    expect(short(second)).toEqual(['c2', 'deployed', 'old 1→null removed', 'web 1→2 replaced'])
    expect(second?.leaves[1]).toMatchObject({ order: 'start-first', gap: 0, gate: expect.any(Number), message: null })
    expect(second?.milliseconds).toBeGreaterThan(0)
    expect(graft.told).toHaveLength(2)
  })

  it('is not touched by what is mended later', async () => {
    const host = await hostOf(treeOf({}))
    host.engine.publish('app:1', {})
    const graft = graftOn(host)
    const wish = wishOf(committed('c1', treeOf({ web: leaf(1) })))
    await graft.settle(wish)
    await host.engine.remove('web')
    await graft.settle(wish)
    expect(graft.told.map(short)).toEqual([['c1', 'deployed', 'web null→1 created']])
    // Nor by a graft that starts anew.
    const again = graftOn(host, graft.told)
    await host.engine.remove('web')
    await again.settle(wish)
    expect(again.told).toEqual([])
    expect(again.pending).toEqual([])
  })

  it('is failed where a gate failed, with the reason, and what depends on it held; better when it is mended', async () => {
    const host = await hostOf(treeOf({}))
    host.engine.publish('app:1', {})
    let broken = true
    host.engine.publish('app:2', { behaviour: () => (broken ? { exitsAfter: 100, exitCode: 3 } : {}) })
    const graft = graftOn(host)
    const one = committed('c1', treeOf({ db: leaf(1), web: leaf(1, 'depends_on: [db]') }))
    await graft.settle(wishOf(one))
    host.engine.publish('other:1', {})
    const two = committed('c2', treeOf({ db: leaf(2), web: 'generation: 2\nimage: other:1\ndepends_on: [db]\n' }))
    const bad = await graft.settle(wishOf(two, one))
    expect(short(bad)).toEqual(['c2', 'failed', 'db 1→2 failed', 'web 1→2 held'])
    expect(bad?.leaves[0]?.message).toMatch(/exit/)
    expect(bad?.leaves[1]?.message).toMatch(/depends on db/)
    // Somebody corrects what the image needs, and asks for another try.
    broken = false
    await host.engine.remove('db.failed')
    const next = graftOn(host, graft.told)
    const good = await next.settle(wishOf(two, one))
    expect(short(good)).toEqual(['c2', 'deployed', 'db 1→2 replaced', 'web 1→2 replaced'])
    expect(good?.milliseconds).toBeGreaterThanOrEqual(bad?.milliseconds ?? 0)
  })

  it('is refused where ledger or policy refuse a leaf, with the problem and its place', async () => {
    const host = await hostOf(treeOf({}))
    host.engine.publish('app:1', {})
    const graft = graftOn(host)
    const tree = committed('c1', treeOf({ web: leaf(1), api: leaf(1) }))
    const problem = { ...PROBLEM, severity: 'held', leaf: 'api', message: 'privileged is not granted' } as const
    const refused = await graft.settle(wishOf(tree, null, { refused: refusal('api', problem.message) }), [problem])
    expect(refused?.result).toBe('refused')
    expect(refused?.leaves.map(({ leaf: name, result }) => `${name} ${result}`).toSorted()).toEqual([
      'api refused',
      'web created',
    ])
    expect(refused?.problems).toEqual(['web.yaml:2: privileged is not granted'])
  })

  it('of a commit that does not read is told at once and once, and nothing changes for the one in force', async () => {
    const host = await hostOf(treeOf({}))
    host.engine.publish('app:1', {})
    const graft = graftOn(host)
    await graft.settle(wishOf(committed('c1', treeOf({ web: leaf(1) }))))
    graft.recorder.refuse('c2', [PROBLEM])
    graft.recorder.refuse('c2', [PROBLEM])
    await graft.recorder.told()
    expect(graft.told.map(short)).toEqual([
      ['c1', 'deployed', 'web null→1 created'],
      ['c2', 'refused'],
    ])
    expect(graft.told[1]?.problems).toEqual(['web.yaml:2: image is not a reference'])
    const again = graftOn(host, graft.told)
    again.recorder.refuse('c2', [PROBLEM])
    await again.recorder.told()
    expect(again.told).toEqual([])
  })

  it('is superseded where a newer commit comes first, and only then', async () => {
    const host = await hostOf(treeOf({}))
    host.engine.publish('app:1', {})
    host.engine.publish('app:2', {})
    const graft = graftOn(host)
    graft.recorder.follow('c1', [])
    const two = wishOf(committed('c2', treeOf({ web: leaf(2) })))
    await graft.settle(two)
    await graft.settle(wishOf(committed('c3', treeOf({ web: leaf(2) }))))
    expect(graft.told.map(short)).toEqual([
      ['c1', 'superseded'],
      ['c2', 'deployed', 'web null→2 created'],
      ['c3', 'deployed'],
    ])
  })

  it('waits a minute for a registry, then says what is missing, and says it when all is well', async () => {
    const host = await hostOf(treeOf({}))
    host.engine.publish('app:1', null)
    const graft = graftOn(host)
    const wish = wishOf(committed('c1', treeOf({ web: leaf(1) })))
    const begun = host.clock.now()
    for (let turn = 0; graft.told.length === 0 && turn < 100; turn++) {
      await graft.settle(wish)
      await host.clock.advance(5_000)
    }
    expect(host.clock.now() - begun).toBeGreaterThan(60_000)
    expect(graft.told.map(short)).toEqual([['c1', 'failed', 'web null→1 held']])
    host.engine.publish('app:1', {})
    await host.clock.advance(300_000)
    expect(short(await graft.settle(wish))).toEqual(['c1', 'deployed', 'web null→1 created'])
  })

  it('of a single apply tells at its end what still waits', async () => {
    const host = await hostOf(treeOf({}))
    host.engine.publish('app:1', null)
    const graft = graftOn(host)
    expect(await graft.settle(wishOf(committed('c1', treeOf({ web: leaf(1) }))))).toBeUndefined()
    expect(short(await graft.finish())).toEqual(['c1', 'failed', 'web null→1 held'])
  })

  it('does not count what a person holds: a suspended set, removals that wait for a word', async () => {
    const host = await hostOf(treeOf({}))
    host.engine.publish('app:1', {})
    const graft = graftOn(host)
    const one = committed('c1', treeOf({ api: leaf(1), bus: leaf(1), web: leaf(1) }))
    await graft.settle(wishOf(one))
    const rest = { 'zone/set.yaml': 'suspend: true\n', 'zone/web.yaml': leaf(2) }
    const two = committed('c2', treeOf(rest))
    const held = wishOf(two, one, { removals: { limit: () => 1, confirmed: false } })
    const outcome = await graft.settle(held)
    expect(short(outcome)).toEqual(['c2', 'deployed', 'api 1→null held', 'bus 1→null held'])
    const confirmed = { ...held, removals: { limit: () => 1, confirmed: true } }
    expect(short(await graft.settle(confirmed))).toEqual(['c2', 'deployed', 'api 1→null removed', 'bus 1→null removed'])
  })

  it('of a way back to an older commit is told anew', async () => {
    const host = await hostOf(treeOf({}))
    host.engine.publish('app:1', {})
    host.engine.publish('app:2', {})
    const [one, two] = [treeOf({ web: leaf(1) }), treeOf({ web: leaf(2) })]
    const first = graftOn(host)
    await first.settle(wishOf(committed('c1', one)))
    await first.settle(wishOf(committed('c2', two)))
    const back = graftOn(host, first.told)
    expect(short(await back.settle(wishOf(committed('c1', one))))).toEqual(['c1', 'deployed', 'web 2→1 replaced'])
  })
})
