// What an earlier turn left half done, and how it ends: the table of docs/crash-safety.md, row by row.

import { readFile } from 'node:fs/promises'

import { describe, expect, it } from 'vitest'

import type { Tree } from '../../../src/desired/tree.ts'
import { hostOf, leaf, planOf, treeOf } from './build.ts'
import { asJob, DOWN, NEXT, planFor, PREV, RUNS, startFirst, stopFirst, what } from './found.ts'
import { renderTable, words } from './render-table.ts'

const both = (side: number): Tree => treeOf({ main: leaf(2), side: leaf(side, 'network_mode: service:main') })

/**
 * What is done where `main` and `side`, which lives in its namespace, were to switch as one, and the side is down.
 * `name`: what the new container of `main` is called, null between its renames. `wanted`: the side's generation by now.
 */
async function whatOfBoth(name: 'main.next' | 'main' | null, wanted: number): Promise<string[]> {
  const tree = both(wanted)
  const host = await hostOf(tree)
  const before = treeOf({ main: leaf(1), side: leaf(1, 'network_mode: service:main') })
  const old = await host.put(before, 'main')
  await host.put(before, 'side', { state: 'stopped', policy: 'no' })
  await host.engine.rename(old, `main.prev-${old.slice(0, 6)}`)
  const next = await host.put(both(2), 'main')
  await host.put(both(2), 'side', NEXT)
  if (name !== 'main') await host.engine.rename(next, 'main.next')
  if (name === 'main.next') await host.engine.rename(old, 'main')
  const { tables, verdicts } = planOf(tree, await host.observe(tree))
  return verdicts.flatMap(({ leaf: of, kind, because }) => {
    const own = tables.filter(({ leaves }) => leaves.includes(of))
    const steps = own.flatMap(({ prepare, commit, cleanup }) => [...prepare, ...commit, ...cleanup])
    return [`${of} ${kind}: ${because}`, ...steps.map(({ action }) => words(action))]
  })
}

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
      'web: restart policy no',
      'prove web.next beside web for 5 s',
      'tag the image of web',
      'still-up web.next',
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
      prepare  stop web
               gate web.next                            undo: stop web.next, start web, web: restart policy always, discard web.next
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
  '`NAME.next` running, and something lives in the namespace of `NAME`': async () => {
    expect(await whatOfBoth('main.next', 2)).toEqual([
      'main recover: an interrupted swap starts over, with what lives in the same namespace',
      'stop main.next',
      'remove main.next',
      'side recover: an interrupted swap starts over, with what lives in the same namespace',
      'stop side.next',
      'remove side.next',
      'start side',
      'side: restart policy always',
    ])
  },
  'a candidate running in the namespace of a container that has taken its name, or is about to': async () => {
    const goesOn = [
      'side recover: an interrupted swap had passed its gate, and the container it joins has switched; it is finished',
      'rename side to side.prev-ID6',
      'rename side.next to side',
    ]
    expect(await whatOfBoth('main', 3)).toEqual(expect.arrayContaining(goesOn))
    expect(await whatOfBoth(null, 3)).toEqual(expect.arrayContaining(goesOn))
    // Also where it is what is wanted: there is no way back.
    expect(await whatOfBoth('main', 2)).toEqual(expect.arrayContaining(goesOn))
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
      'prove web beside web.prev-ID6 for 5 s',
      'tag the image of web',
      'still-up web',
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
  '`NAME` not serving and wanted by nobody, `NAME.prev-ID6` serving': async () => {
    const back = [
      'recover: the old container of an earlier swap still serves, and the new one does not; the old one comes back',
      'rename web to web.prev-ID6',
      'rename web.prev-ID6 to web',
      'web.prev-ID6: restart policy always',
    ]
    const change = { web: { health: 'starting' } } as const
    expect(await what(startFirst, { old: PREV, candidate: RUNS, wanted: 3, change })).toEqual([
      ...back,
      'web: restart policy no',
      'stop web',
      'remove web',
    ])
    expect(await what(startFirst, { old: PREV, candidate: DOWN, wanted: 3 })).toEqual([...back, 'remove web'])
    // Both serve, or there may only be one: the way is forward.
    expect((await what(startFirst, { old: PREV, candidate: RUNS, wanted: 3 })).join()).not.toContain('comes back')
    const alone = await what(stopFirst, { old: { ...PREV, state: 'stopped' }, candidate: RUNS, wanted: 3, change })
    expect(alone.join()).not.toContain('comes back')
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
