// A container and what lives in its namespace, carried out on the engine in memory and killed before and after every
// call. The commit that comes next has a generation that fails: what ran runs on, each in the namespace of the other.

import { describe, expect, it, vi } from 'vitest'

import type { Tree } from '../../../src/desired/tree.ts'
import type { ImageDefinition } from '../../../src/engine/memory/behaviour.ts'
import { mortal, reconcilerOn, settle, standing, wishOf, type KillAt } from '../daemon/memory-stage.ts'
import { hostOf, leaf, treeOf, type Host } from './build.ts'

vi.setConfig({ testTimeout: 60_000 })

const CHECK = 'healthcheck: {test: [CMD, check], interval: 1s}\nupdate: {deadline: 20s}'
const IMAGE: ImageDefinition = {
  behaviour: ({ environment }) =>
    environment['BAD'] === 'yes'
      ? { exitsAfter: 700, exitCode: 3, healthyAfter: 'never' }
      : { healthyAfter: 400, stopTakes: 100 },
}
const BAD = 'environment: {BAD: "yes"}'

interface Pair {
  readonly name: string
  /** Of the one that has the namespace. */
  readonly keys: string
}

const pairs: readonly Pair[] = [
  { name: 'start-first', keys: CHECK },
  { name: 'stop-first', keys: `${CHECK}\nvolumes: ["data:/data"]` },
]

/** Every leaf's image is `app:1`, so that nothing is fetched. */
function two({ keys }: Pair, main: readonly [number, string?], side: readonly [number, string?]): Tree {
  return treeOf(
    {
      main: leaf(main[0], `${keys}\n${main[1] ?? ''}`).replace(/app:\d+/, 'app:1'),
      side: leaf(side[0], `${CHECK}\nnetwork_mode: service:main\n${side[1] ?? ''}`).replace(/app:\d+/, 'app:1'),
    },
    'volumes: {data: {}}\n',
  )
}

/** null where both run, one in the namespace of the other, and nothing is left over. */
async function amiss(host: Host, tree: Tree): Promise<unknown> {
  const now = standing(host.engine)
  const { containers } = await host.observe(tree)
  const live = (name: string) => containers.find((container) => container.name === name)
  const joined = live('side')?.running.network_mode === `container:${live('main')?.id}`
  const up = ['main', 'side'].every((name) => /^running g\d always$/.test(now[name] ?? ''))
  const over = Object.keys(now).some((name) => /\.(next|prev)/.test(name))
  return joined && up && !over ? null : { now, joined }
}

async function killed(pair: Pair, kill: KillAt | null, next: Tree | null, again: KillAt | null = null) {
  const [before, after] = [two(pair, [1], [1]), two(pair, [2], [1])]
  const host = await hostOf(after, IMAGE)
  await settle(host, wishOf(before))
  const first = mortal(host.engine, kill)
  await settle(host, wishOf(after, before), reconcilerOn(host, first.engine)).catch(() => undefined)
  const second = mortal(host.engine, again)
  if (again !== null) await settle(host, wishOf(after), reconcilerOn(host, second.engine)).catch(() => undefined)
  const crashed = standing(host.engine)
  const own = reconcilerOn(host)
  const wish = wishOf(next ?? after, after)
  await settle(host, wish, own)
  // What was held for a fault, and comes back.
  await host.clock.advance(600_000)
  await settle(host, wish, own)
  return { calls: first.calls(), crashed, amiss: await amiss(host, next ?? after) }
}

describe.each(pairs)('$name', (pair) => {
  const nexts: readonly (readonly [string, Tree | null])[] = [
    ['the same commit', null],
    ['a side that fails', two(pair, [2], [2, BAD])],
    ['an owner that fails', two(pair, [3, BAD], [1])],
  ]
  it.each(nexts)('%s after a kill anywhere', async (_name, next) => {
    const whole = await killed(pair, null, null)
    expect(whole.amiss).toBe(null)
    const wrong: unknown[] = []
    for (let call = 1; call <= whole.calls.length; call++) {
      for (const moment of ['before', 'after'] as const) {
        const ended = await killed(pair, { call, moment }, next)
        if (ended.amiss !== null) wrong.push({ at: `${moment} ${whole.calls[call - 1]} (${call})`, ...ended, calls: 0 })
      }
    }
    expect(wrong).toEqual([])
  })

  it('a side that fails after a kill anywhere, and one more in what finishes that', async () => {
    const whole = await killed(pair, null, null)
    const next = two(pair, [2], [2, BAD])
    const wrong: unknown[] = []
    for (let call = 1; call <= whole.calls.length; call++) {
      for (let then = 1; then <= 12; then += 1) {
        const again = { call: then, moment: 'after' } as const
        const ended = await killed(pair, { call, moment: 'after' }, next, again)
        const at = `${whole.calls[call - 1]} (${call}), ${then}`
        if (ended.amiss !== null) wrong.push({ at, ...ended, calls: 0 })
      }
    }
    expect(wrong).toEqual([])
  })
})
