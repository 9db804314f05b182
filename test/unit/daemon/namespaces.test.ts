// Leaves that live in another one's namespace: neither loses it because the other is replaced, and who is to blame where
// the two do not get on.

import { describe, expect, it } from 'vitest'

import type { RunningSpec } from '../../../src/plan/observed.ts'
import type { Behaviour } from '../../../src/engine/memory/behaviour.ts'
import type { Tree } from '../../../src/desired/tree.ts'
import { hostOf, job, leaf, planOf, treeOf, verdictOn, type Host } from '../plan/build.ts'
import { reconcilerOn, settle, standing, wishOf } from './memory-stage.ts'

const two = (main: number, side: number): Tree =>
  treeOf({ main: leaf(main), side: leaf(side, `network_mode: service:main\nenvironment: {SIDE: "${side}"}`) })

const BOTH = { main: 'running g1 always', side: 'running g1 always' }

/** A host with the images of every generation up to 3, on which generation 1 of both runs. */
async function running(behaviour: (running: RunningSpec) => Behaviour): Promise<Host> {
  const host = await hostOf(two(1, 1), { behaviour })
  for (const image of ['app:2', 'app:3']) host.engine.publish(image, { behaviour })
  await settle(host, wishOf(two(1, 1)))
  expect(standing(host.engine)).toEqual(BOTH)
  return host
}

/** A side that runs only in the namespace that it knows first. */
function onlyIn(first: number): (running: RunningSpec) => Behaviour {
  const known = new Set<string>()
  return ({ network_mode }) => {
    if (network_mode === undefined) return {}
    known.add(network_mode)
    return [...known].indexOf(network_mode) < first || known.size > 2 ? {} : { exitsAfter: 50, exitCode: 3 }
  }
}

describe('two leaves in one namespace', () => {
  it('the newer owner is to blame where what lives in it, unchanged, does not come up', async () => {
    const host = await running(onlyIn(1))
    const own = reconcilerOn(host)
    await settle(host, wishOf(two(2, 1)), own)
    expect(standing(host.engine)).toMatchObject({
      ...BOTH,
      'main.failed': 'exited g2 no',
      'side.failed': 'exited g1 no',
    })
    await host.clock.advance(3_600_000)
    const again = await settle(host, wishOf(two(2, 1)), own)
    expect(again.results).toEqual([])
    expect(verdictOn(again.turn.plan, 'main').because).toMatch(/^generation 2 failed before .* see main.failed\)$/)
    expect(verdictOn(again.turn.plan, 'side').because).toBe('as declared')
    // Another owner is another try.
    await settle(host, wishOf(two(3, 1)), own)
    expect(standing(host.engine)).toMatchObject({ main: 'running g3 always', side: 'running g1 always' })
  })

  it('the owner waits where a newer generation of what lives in it has failed', async () => {
    const host = await running(({ environment }) =>
      environment['SIDE'] === '2' ? { exitsAfter: 50, exitCode: 3 } : {},
    )
    const own = reconcilerOn(host)
    await settle(host, wishOf(two(2, 2)), own)
    await host.clock.advance(3_600_000)
    const { turn } = await settle(host, wishOf(two(2, 2)), own)
    expect(standing(host.engine)).toEqual({ ...BOTH, 'side.failed': 'exited g2 no' })
    expect(verdictOn(turn.plan, 'main').because).toBe(
      'side, which lives in its namespace, cannot come along: generation 2 failed before (it ended with exit code 3; see side.failed)',
    )
    await settle(host, wishOf(two(2, 3)), own)
    expect(standing(host.engine)).toMatchObject({ main: 'running g2 always', side: 'running g3 always' })
  })

  it('the owner waits for the image of what lives in it', async () => {
    const before = two(1, 1)
    const host = await hostOf(before)
    await host.put(before, 'main')
    await host.put(before, 'side')
    const after = treeOf({ main: leaf(1, 'environment: {NEW: "1"}'), side: leaf(7, 'network_mode: service:main') })
    const pulls = planOf(after, await host.observe(after))
    expect(verdictOn(pulls, 'main')).toMatchObject({ kind: 'hold', awaits: 'side' })
    expect(pulls.tables.map(({ id }) => id)).toEqual(['image of side'])
    const meanwhile = planOf(after, await host.observe(after), { busy: new Set(['side']) })
    expect(verdictOn(meanwhile, 'main')).toMatchObject({ kind: 'hold', awaits: 'side' })
    expect(meanwhile.tables).toEqual([])
    host.engine.addImage('app:7', {})
    const [table] = planOf(after, await host.observe(after)).tables
    expect(table?.leaves).toEqual(['main', 'side'])
  })

  it.each([true, false])(
    'the owner waits for one that is being swapped, also where somebody removed it',
    async (next) => {
      const host = await hostOf(two(1, 1))
      await host.put(two(1, 1), 'main')
      if (next) await host.put(two(1, 1), 'side', { role: 'candidate' })
      const after = treeOf({ main: leaf(1, 'environment: {NEW: "1"}'), side: leaf(1, 'network_mode: service:main') })
      const planned = planOf(after, await host.observe(after), { busy: new Set(['side']) })
      expect(verdictOn(planned, 'main')).toMatchObject({ kind: 'hold', awaits: 'side' })
    },
  )

  it('the owner does not wait for a job that is done', async () => {
    const withJob = (main: number) => treeOf({ main: leaf(main), sync: job(1, 'network_mode: service:main') })
    const host = await hostOf(withJob(2))
    await host.put(withJob(1), 'main')
    await host.put(withJob(1), 'sync')
    await host.engine.createMark('shop', 'shop_sync.done-g1', 'sync', 1)
    const planned = planOf(withJob(2), await host.observe(withJob(2)))
    expect(planned.verdicts.map(({ leaf: name, kind }) => `${name} ${kind}`)).toEqual(['main replace', 'sync keep'])
  })

  it('the owner stays where what lives in it is suspended', async () => {
    const before = treeOf({
      main: leaf(1),
      'edge/set.yaml': '{}\n',
      'edge/side.yaml': leaf(1, 'network_mode: service:main'),
    })
    const after = treeOf({
      main: leaf(2),
      'edge/set.yaml': 'suspend: true\n',
      'edge/side.yaml': leaf(1, 'network_mode: service:main'),
    })
    const host = await hostOf(after)
    await host.put(before, 'main')
    await host.put(before, 'side')
    const planned = planOf(after, await host.observe(after))
    expect(verdictOn(planned, 'main').because).toMatch(
      /^side, which lives in its namespace, cannot come along: its set is/,
    )
    expect(planned.tables).toEqual([])
  })
})
