// What an earlier turn left half done, and how it ends: the table of docs/crash-safety.md row by row, and the corners
// around it.

import { readFile } from 'node:fs/promises'

import { describe, expect, it } from 'vitest'

import type { Tree } from '../../../src/desired/tree.ts'
import type { ObservedContainer } from '../../../src/plan/observed.ts'
import type { PlanInput } from '../../../src/plan/planning.ts'
import {
  hostOf,
  job,
  leaf,
  planOf,
  refusal,
  runDigest,
  leafIn,
  treeOf,
  verdictOn,
  withContainer,
  type Put,
} from './build.ts'
import { renderTable, words } from './render-table.ts'

const VOLUME = 'volumes: ["data:/data"]'
const VOLUMES = 'volumes: {data: {}}\n'
const SLOW_DRAIN = 'update: {drain: 5s}'

/** Generation 1 is what ran, 2 is what is wanted, 3 is what a still newer commit wants. */
const startFirst = (generation: number) => treeOf({ web: leaf(generation, SLOW_DRAIN) })
const stopFirst = (generation: number) => treeOf({ web: leaf(generation, VOLUME) }, VOLUMES)
const asJob = (generation: number) => treeOf({ web: job(generation) })

type Kind = typeof startFirst

interface Found {
  readonly old?: Put | null
  readonly candidate?: Put | null
  readonly more?: readonly (readonly [generation: number, put: Put])[]
  readonly wanted?: number
  readonly input?: (tree: Tree) => Partial<PlanInput>
  readonly change?: Readonly<Record<string, Partial<ObservedContainer>>>
  readonly tree?: (tree: Tree) => Tree
}

/** The plan for a leaf of which `found` is there. */
async function planFor(kind: Kind, found: Found) {
  const { old = null, candidate = null, wanted = 2 } = found
  const tree = found.tree?.(kind(wanted)) ?? kind(wanted)
  const host = await hostOf(tree)
  if (old !== null) await host.put(kind(1), 'web', old)
  if (candidate !== null) await host.put(kind(2), 'web', candidate)
  for (const [generation, put] of found.more ?? []) await host.put(kind(generation), 'web', put)
  let observed = await host.observe(tree)
  for (const [name, change] of Object.entries(found.change ?? {})) observed = withContainer(observed, name, change)
  const planned = planOf(tree, observed, found.input?.(tree) ?? {})
  return { planned, verdict: verdictOn(planned, 'web') }
}

/** The verdict's kind and reason, and what is done, on one line each. */
async function what(kind: Kind, found: Found): Promise<string[]> {
  const { planned, verdict } = await planFor(kind, found)
  const actions = planned.tables.flatMap(({ prepare, commit, cleanup }) => [...prepare, ...commit, ...cleanup])
  return [`${verdict.kind}: ${verdict.because}`, ...actions.map(({ action }) => words(action))]
}

const DOWN = { state: 'stopped', policy: 'no' } as const
const RUNS = { state: 'running' } as const
const PREV = { role: 'retired' } as const
const NEXT = { role: 'candidate' } as const

/** One test for each row: its key is the first cell of the row in docs/crash-safety.md. */
const rows: Readonly<Record<string, () => Promise<void>>> = {
  '`NAME.next` created, never started': async () => {
    expect(await what(startFirst, { old: RUNS, candidate: { ...NEXT, state: 'created' } })).toEqual([
      'recover: a candidate was left over: its files may be half written',
      'remove web.next',
    ])
    expect(await what(stopFirst, { old: DOWN, candidate: { ...NEXT, state: 'created' } })).toEqual([
      'recover: a candidate was left over: its files may be half written',
      'remove web.next',
      'start web',
      'web: restart policy always',
    ])
    expect(await what(startFirst, { candidate: { ...NEXT, state: 'created' } })).toEqual([
      'recover: a candidate was left over: its files may be half written',
      'remove web.next',
    ])
  },
  '`NAME.next` running, `NAME` running': async () => {
    expect(await what(startFirst, { old: RUNS, candidate: NEXT })).toEqual([
      'recover: an interrupted swap goes on at its gate',
      'gate web.next',
      'web.next: restart policy always',
      'rename web to web.prev-ID6',
      'rename web.next to web',
      'tag the image of web',
      'web: restart policy no',
      'drain web for 5 s',
      'stop web',
      'remove web',
    ])
    expect(await what(startFirst, { old: RUNS, candidate: NEXT, wanted: 3 })).toEqual([
      'recover: a candidate was left over: it is no longer wanted',
      'stop web.next',
      'remove web.next',
    ])
    // They must not overlap: an engine restart or somebody's hand brought the old one back.
    expect(await what(stopFirst, { old: RUNS, candidate: NEXT })).toEqual([
      'recover: a candidate was left over: it may not run beside the live one',
      'stop web.next',
      'remove web.next',
    ])
  },
  '`NAME.next` running, `NAME` exited': async () => {
    const { planned } = await planFor(stopFirst, { old: DOWN, candidate: NEXT })
    expect(planned.tables.map(renderTable)).toMatchInlineSnapshot(`
      [
        "web
      prepare  gate web.next                            undo: stop web.next, start web, web: restart policy always, discard web.next
      commit   web.next: restart policy always          undo: web.next: restart policy no
               rename web to web.prev-ID6               undo: rename web to web
               rename web.next to web                   undo: rename web.next to web.next
      cleanup  tag the image of web
               remove web",
      ]
    `)
    expect(await what(stopFirst, { old: DOWN, candidate: NEXT, wanted: 3 })).toEqual([
      'recover: a candidate was left over: it is no longer wanted',
      'stop web.next',
      'remove web.next',
      'start web',
      'web: restart policy always',
    ])
  },
  '`NAME.next` exited': async () => {
    const failed = { ...NEXT, state: 'exited', exitCode: 3 } as const
    expect(await what(stopFirst, { old: DOWN, candidate: failed })).toEqual([
      'recover: a candidate was left over: it had failed with exit code 3',
      'keep-failed web.next',
      'start web',
      'web: restart policy always',
    ])
    expect(await what(startFirst, { old: RUNS, candidate: failed })).toEqual([
      'recover: a candidate was left over: it had failed with exit code 3',
      'keep-failed web.next',
    ])
    // What is not wanted any more is no memory worth keeping.
    expect(await what(startFirst, { old: RUNS, candidate: failed, wanted: 3 })).toEqual([
      'recover: a candidate was left over: it had been stopped',
      'remove web.next',
    ])
  },
  'no `NAME`, `NAME.next` and `NAME.prev-ID6`': async () => {
    for (const candidate of [NEXT, { ...NEXT, state: 'stopped' } as const]) {
      expect(await what(startFirst, { old: PREV, candidate })).toEqual([
        'recover: an interrupted swap had passed its gate; it is finished',
        'rename web.next to web',
      ])
    }
    expect(await what(stopFirst, { old: { ...PREV, state: 'stopped' }, candidate: NEXT, wanted: 3 })).toEqual([
      'recover: an interrupted swap had passed its gate; it is finished',
      'rename web.next to web',
    ])
  },
  'no `NAME`, only `NAME.prev-ID6`': async () => {
    expect(await what(stopFirst, { old: { ...PREV, state: 'stopped' } })).toEqual([
      'recover: an interrupted swap lost its new container; the old one takes its name back',
      'rename web.prev-ID6 to web',
      'start web.prev-ID6',
      'web.prev-ID6: restart policy always',
    ])
    expect(
      await what(stopFirst, { old: { ...PREV, state: 'stopped' }, candidate: { ...NEXT, state: 'created' } }),
    ).toEqual([
      'recover: an interrupted swap lost its new container; the old one takes its name back',
      'rename web.prev-ID6 to web',
      'start web.prev-ID6',
      'web.prev-ID6: restart policy always',
      'remove web.next',
    ])
  },
  '`NAME` running, `NAME.prev-ID6`': async () => {
    expect(await what(startFirst, { old: PREV, candidate: RUNS })).toEqual([
      'recover: the old container of an earlier swap is still there',
      'tag the image of web',
      'drain web.prev-ID6 for 5 s',
      'stop web.prev-ID6',
      'remove web.prev-ID6',
    ])
    expect(await what(stopFirst, { old: { ...PREV, state: 'stopped' }, candidate: RUNS })).toEqual([
      'recover: the old container of an earlier swap is still there',
      'tag the image of web',
      'remove web.prev-ID6',
    ])
  },
  '`NAME` exited, `NAME.prev-ID6`': async () => {
    const { planned } = await planFor(stopFirst, { old: { ...PREV, state: 'stopped' }, candidate: { state: 'exited' } })
    expect(planned.tables.map(renderTable)).toMatchInlineSnapshot(`
      [
        "web
      prepare  start web                                undo: discard web, rename web.prev-ID6 to web, start web.prev-ID6, web.prev-ID6: restart policy always
               gate web",
      ]
    `)
  },
  'a job’s `NAME.next` running': async () => {
    expect(await what(asJob, { candidate: NEXT })).toEqual([
      'recover: the job is still running; graft waits for it',
      'wait-job web.next',
      'mark shop_web.done-g2',
      'rename web.next to web',
    ])
    expect(await what(asJob, { candidate: NEXT, wanted: 3 })).toEqual([
      'recover: a candidate was left over: it is no longer wanted',
      'stop web.next',
      'remove web.next',
    ])
  },
  'a job’s `NAME.next` exited': async () => {
    expect(await what(asJob, { candidate: { ...NEXT, state: 'exited', exitCode: 0 } })).toEqual([
      'recover: the job had finished; that is written down',
      'wait-job web.next',
      'mark shop_web.done-g2',
      'rename web.next to web',
    ])
    expect(await what(asJob, { candidate: { ...NEXT, state: 'exited', exitCode: 4 } })).toEqual([
      'recover: a candidate was left over: it had failed with exit code 4',
      'keep-failed web.next',
    ])
    for (const exitCode of [137, 143, 255]) {
      expect(await what(asJob, { candidate: { ...NEXT, state: 'exited', exitCode } })).toEqual([
        'recover: a candidate was left over: it had been stopped half way',
        'remove web.next',
      ])
    }
  },
}

describe('the crash table', () => {
  for (const [row, check] of Object.entries(rows)) it(row, check)

  it('has the same rows in the document', async () => {
    const text = await readFile(new URL('../../../docs/crash-safety.md', import.meta.url), 'utf8')
    const section = text.split('\n## ').find((part) => part.startsWith('What is found')) ?? ''
    const table = section.split('\n').filter((line) => line.startsWith('| '))
    const documented = table.slice(1).map((line) => (line.split(' | ')[0] ?? '').replace(/^\| /, ''))
    expect(documented.filter((cell) => !/^-+$/.test(cell))).toEqual(Object.keys(rows))
  })
})

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

  it('a container under a name that graft never gave is taken for live where there is none, else it goes', async () => {
    expect(await what(startFirst, { candidate: { name: 'my-web' } })).toEqual([
      'restore: someone renamed it to my-web',
      'rename my-web to web',
    ])
    expect(await what(startFirst, { old: { name: 'web-old' }, candidate: RUNS })).toEqual([
      'recover: the old container of an earlier swap is still there',
      'tag the image of web',
      'web-old: restart policy no',
      'drain web-old for 5 s',
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
    expect(planned.tables.flatMap(({ commit }) => commit).map(({ action }) => words(action))).toEqual([
      'stop web.next',
      'remove web.next',
      'start web',
      'web: restart policy always',
    ])
  })
})

function withState(tree: Tree, state: { state?: 'stopped'; suspend?: boolean }): Tree {
  return { ...tree, leaves: new Map([...tree.leaves].map(([name, one]) => [name, { ...one, ...state }])) }
}

function never(): never {
  throw new Error('no table')
}
