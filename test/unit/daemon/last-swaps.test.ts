// The last swap of each leaf: what is noted, and that its file is never in the way.

import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import type { TableResult } from '../../../src/apply/outcome.ts'
import { openLastSwaps } from '../../../src/daemon/last-swaps.ts'
import { hostOf, leaf, treeOf, verdictOn } from '../plan/build.ts'
import { reconcilerOn, settle, wishOf } from './memory-stage.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'graft-swaps-'))
  file = join(folder, 'deep', 'swaps.json')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const MANY = { drain: { how: 'time', milliseconds: 3_000, open: 2 }, availability: seen(1_203, 1) } as const

function seen(tried: number, lost: number) {
  return { port: '0.0.0.0:80', tried, lost, longestPause: 12 }
}

function result(leaves: readonly string[], change: Partial<TableResult> = {}): TableResult {
  return {
    table: { id: 'x', leaves, after: [], preemptible: true, prepare: [], commit: [step()], cleanup: [] },
    outcome: { kind: 'done' },
    leftovers: [],
    startedAt: 0,
    endedAt: 5_000,
    gates: new Map(leaves.map((name) => [name, 1_200])),
    gaps: new Map(),
    drains: new Map(),
    availability: new Map(),
    ...change,
  }
}

function step() {
  return { action: { do: 'rename', container: { leaf: 'x', name: 'x', id: 'y' }, to: 'z' }, undo: [] } as const
}

async function verdictsOf(order: 'start-first' | 'stop-first') {
  const before = treeOf({ web: leaf(1) })
  const host = await hostOf(before)
  await host.put(before, 'web')
  host.engine.publish('app:2', {})
  const turn = await reconcilerOn(host).look(wishOf(treeOf({ web: leaf(2, `update: {order: ${order}}`) })))
  return new Map([['web', verdictOn(turn.plan, 'web')]])
}

describe('a swap', () => {
  it('is noted with its generations, and is there for the next graft', async () => {
    const swaps = await openLastSwaps(file)
    const verdicts = await verdictsOf('stop-first')
    const measured = {
      gaps: new Map([['web', 600]]),
      drains: new Map([['web', MANY.drain]]),
      availability: new Map([['web', MANY.availability]]),
    }
    swaps.note(result(['web'], measured), verdicts)
    await swaps.written()
    const noted = { at: 5_000, from: 1, to: 2, order: 'stop-first', gate: 1_200, gap: 600, ...MANY }
    expect(Object.fromEntries((await openLastSwaps(file)).all())).toEqual({ web: noted })
    expect(readdirSync(join(folder, 'deep'))).toEqual(['swaps.json'])
  })

  it('start-first has no gap; one that was not done is not noted', async () => {
    const swaps = await openLastSwaps(null)
    const verdicts = await verdictsOf('start-first')
    swaps.note(result(['web'], { outcome: { kind: 'superseded', message: '' } }), verdicts)
    expect(swaps.all().size).toBe(0)
    swaps.note(result(['web']), verdicts)
    expect(swaps.all().get('web')).toMatchObject({ gap: 0, drain: null, availability: null })
  })
})

describe('the file', () => {
  it.each(['', 'null', '{"format":1,"swaps":{"web":{"at":"yesterday"}}}', '{"format":2}', '\u0000\u0001'])(
    'that is damaged is forgotten, and written anew: %j',
    async (text) => {
      await (await openLastSwaps(file)).written()
      const beside = join(folder, 'swaps.json')
      writeFileSync(beside, text)
      const swaps = await openLastSwaps(beside)
      expect(swaps.all().size).toBe(0)
      swaps.note(result(['web']), await verdictsOf('start-first'))
      await swaps.written()
      expect((await openLastSwaps(beside)).all().size).toBe(1)
    },
  )

  it('that cannot be written is no fault', async () => {
    writeFileSync(join(folder, 'deep'), 'a file where a folder should be')
    const swaps = await openLastSwaps(file)
    swaps.note(result(['web']), await verdictsOf('start-first'))
    await swaps.written()
    expect(swaps.all().size).toBe(1)
  })

  it('stays small', async () => {
    const [verdict] = (await verdictsOf('start-first')).values()
    if (verdict === undefined) throw new Error('no verdict')
    const swaps = await openLastSwaps(file)
    for (let i = 0; i < 1_100; i++) {
      const name = `leaf-${i}`
      swaps.note(result([name], { endedAt: i }), new Map([[name, { ...verdict, leaf: name }]]))
    }
    await swaps.written()
    expect([...swaps.all().keys()].slice(0, 1)).toEqual(['leaf-100'])
    expect(Object.keys(JSON.parse(readFileSync(file, 'utf8')).swaps)).toHaveLength(1_000)
  })
})

describe('the reconciler', () => {
  it('notes what it swapped, and expects the same gap the next time', async () => {
    const [one, two, three] = [1, 2, 3].map((generation) =>
      treeOf({ web: leaf(generation, 'update: {order: stop-first, settle: 0s}\nhealthcheck: {test: [CMD, ok]}') }),
    )
    if (one === undefined || two === undefined || three === undefined) throw new Error('no trees')
    const host = await hostOf(one, { behaviour: { healthyAfter: 400, stopTakes: 200 } })
    await host.put(one, 'web')
    for (const image of ['app:2', 'app:3']) host.engine.publish(image, { behaviour: { healthyAfter: 400 } })
    const swaps = await openLastSwaps(null)
    const own = reconcilerOn(host, host.engine, { swaps })
    const first = await own.look(wishOf(two))
    expect(verdictOn(first.plan, 'web').gap?.milliseconds ?? null).toBeNull()
    await settle(host, wishOf(two), own)
    const { gap = null } = swaps.all().get('web') ?? {}
    expect(gap).toBeGreaterThan(500)
    await host.clock.run(host.engine.pullImage('app:3', {}))
    expect(verdictOn((await own.look(wishOf(three))).plan, 'web').gap).toMatchObject({ milliseconds: gap })
  })
})
