// Swaps behind the ingress, carried out on the engine in memory and killed before and after every call, also on the way
// back: the port always leads to a container that is well, and the next graft ends what it finds.

import { describe, expect, it, vi } from 'vitest'

import type { Tree } from '../../../src/desired/tree.ts'
import type { ImageDefinition } from '../../../src/engine/memory/behaviour.ts'
import { knock } from '../../../src/engine/memory/ingress.ts'
import { renderIngress } from '../../../src/plan/ingress-config.ts'
import { mortal, reconcilerOn, settle, standing, watch, wishOf, type KillAt } from '../daemon/memory-stage.ts'
import { hostOf, leaf, treeOf } from './build.ts'

vi.setConfig({ testTimeout: 120_000 })

const INGRESS = 'ingress: {image: haproxy:1, generation: 1}\n'
const CHECK = 'healthcheck: {test: [CMD, check], interval: 1s, retries: 1}\nupdate: {drain: 4s, settle: 1s}\n'
const PORT = { protocol: 'tcp', published: 80, target: 80, mode: 'ingress' } as const

const shop = (generation: number, more = '', port = '80:80', ingress = INGRESS) =>
  treeOf({ web: leaf(generation, `ports: ["${port}"]\n${CHECK}${more}`) }, ingress)

/** `HOW` says what becomes of a container after the switch; a line with `:81` is one that HAProxy does not take. */
const IMAGE: ImageDefinition = {
  behaviour: ({ environment }) => {
    const script = { healthyAfter: 300, stopTakes: 100, connections: 2, rejects: [':81'] }
    if (environment['HOW'] === 'exits') return { ...script, exitsAfter: 4000, exitCode: 9 }
    return environment['HOW'] === 'sickens' ? { ...script, sickAfter: 4000 } : script
  },
}

interface Scenario {
  readonly name: string
  readonly after: Tree
  readonly ends: Readonly<Record<string, string>>
  /** How it may end as well where the engine restarts: an old container that drains does not come back then. */
  readonly orElse?: Readonly<Record<string, string>>
}

const NEW = { ingress: 'running g1 always', web: 'running g2 always' }
const OLD = { ingress: 'running g1 always', web: 'running g1 always', 'web.failed': 'exited g2 no' }

const scenarios: readonly Scenario[] = [
  { name: 'one that passes', after: shop(2), ends: NEW },
  { name: 'one that exits after the switch', after: shop(2, 'environment: {HOW: exits}'), ends: OLD, orElse: NEW },
  { name: 'one that sickens after the switch', after: shop(2, 'environment: {HOW: sickens}'), ends: OLD, orElse: NEW },
  { name: 'one whose port is not taken', after: shop(2, '', '80:81'), ends: OLD },
  {
    name: 'the ingress itself',
    after: shop(1, '', '80:80', INGRESS.replace('generation: 1', 'generation: 2')),
    ends: { ingress: 'running g2 always', web: 'running g1 always' },
  },
]

async function change({ after }: Scenario, kill: KillAt | null, restart: boolean) {
  const before = shop(1)
  const host = await hostOf(after, IMAGE)
  for (const { spec } of before.leaves.values()) host.engine.addImage(spec.image, IMAGE)
  await settle(host, wishOf(before))
  const world = host.engine.world()
  const seen = watch(host.engine, ['ingress', 'web'])
  let closed = 0
  const look = () => {
    if (knock(world, PORT, null)?.healthy !== true) closed++
  }
  look()
  world.listeners.add(look)
  const first = mortal(host.engine, kill)
  await settle(host, wishOf(after, before), reconcilerOn(host, first.engine)).catch(() => undefined)
  const crashed = standing(host.engine)
  if (restart) {
    host.engine.restart()
    // An ingress that does not answer yet is not asked to follow; a later turn sees it.
    await host.clock.advance(1000)
  }
  if (kill !== null) {
    // One that goes round in circles is ended, so that what it leaves is seen.
    const { engine } = mortal(host.engine, { call: 1000, moment: 'before' })
    await settle(host, wishOf(after, before), reconcilerOn(host, engine)).catch(() => undefined)
  }
  const observed = await host.observe(after)
  const ingress = observed.containers.find(({ name }) => name === 'ingress')
  const id = ingress?.id ?? ''
  const serves = await host.engine.ingressDigest(id, 1936)
  const follows = serves === renderIngress(after, observed, id, new Set()).config.digest
  return { calls: first.calls(), crashed, seen, closed, follows, ended: standing(host.engine) }
}

describe.each(scenarios)('$name', (scenario) => {
  it.each([false, true])('ends as it should, wherever graft is killed (engine restart: %s)', async (restart) => {
    const whole = await change(scenario, null, false)
    expect(whole).toMatchObject({ ended: scenario.ends, closed: 0, follows: true })
    expect(whole.calls.length).toBeGreaterThan(20)
    const wrong: unknown[] = []
    for (let call = 1; call <= whole.calls.length; call++) {
      for (const moment of ['before', 'after'] as const) {
        const { crashed, ended, seen, closed, follows } = await change(scenario, { call, moment }, restart)
        const may = restart ? [scenario.ends, scenario.orElse ?? scenario.ends] : [scenario.ends]
        const same = may.some((ends) => JSON.stringify(ends) === JSON.stringify(ended))
        const always = restart || (closed === 0 && [...seen.values()].every(({ fewest }) => fewest >= 1))
        if (!same || !follows || !always) {
          wrong.push({ at: `${moment} ${whole.calls[call - 1]} (${call})`, closed, follows, crashed, ended })
        }
      }
    }
    expect(wrong).toEqual([])
  })
})
