// A set that switches together, carried out on the engine in memory and killed before and after every call: it ends as
// one generation or as the other, and never as half of each.

import { describe, expect, it, vi } from 'vitest'

import type { Tree } from '../../../src/desired/tree.ts'
import type { ImageDefinition } from '../../../src/engine/memory/behaviour.ts'
import { mortal, reconcilerOn, settle, standing, watch, wishOf, type KillAt } from '../daemon/memory-stage.ts'
import { hostOf, job, leaf, treeOf } from './build.ts'

vi.setConfig({ testTimeout: 60_000 })

const CHECK = 'healthcheck: {test: [CMD, check], interval: 1s}'
const IMAGE: ImageDefinition = {
  behaviour: ({ environment }) => {
    if (environment['BAD'] === 'yes') return { exitsAfter: 700, exitCode: 3, healthyAfter: 'never' }
    return environment['JOB'] === 'yes' ? { exitsAfter: 500 } : { healthyAfter: 400, stopTakes: 100 }
  },
}

/** `web` and `api` may overlap, `db` may not. */
function set(generation: number, more = '', others: Readonly<Record<string, string>> = {}): Tree {
  return treeOf(
    {
      'set/set.yaml': 'update: {together: true}\n',
      'set/web.yaml': leaf(generation, `${CHECK}\ndepends_on: [db]`),
      'set/api.yaml': leaf(generation, CHECK),
      'set/db.yaml': leaf(generation, `${CHECK}\nvolumes: ["data:/data"]\n${more}`),
      ...others,
    },
    'volumes: {data: {}}\n',
  )
}

interface Scenario {
  readonly name: string
  readonly after: Tree
  readonly ends: Readonly<Record<string, string>>
}

const ALL = (generation: number) => ({
  api: `running g${generation} always`,
  db: `running g${generation} always`,
  web: `running g${generation} always`,
})

const scenarios: readonly Scenario[] = [
  { name: 'all pass', after: set(2), ends: ALL(2) },
  {
    name: 'the stop-first member fails',
    after: set(2, 'environment: {BAD: "yes"}'),
    ends: { ...ALL(1), 'db.failed': 'exited g2 no' },
  },
  {
    name: 'a job that passes, and a member that fails',
    after: set(2, 'environment: {BAD: "yes"}\ndepends_on: [sync]', {
      'set/sync.yaml': job(2, 'environment: {JOB: "yes"}'),
    }),
    ends: { ...ALL(1), 'db.failed': 'exited g2 no' },
  },
]

async function change({ after }: Scenario, kill: KillAt | null, restart: boolean) {
  const before = set(1)
  const host = await hostOf(after, IMAGE)
  for (const name of before.leaves.keys()) await host.put(before, name)
  await settle(host, wishOf(before))
  const seen = watch(host.engine, ['api', 'db', 'web'])
  const first = mortal(host.engine, kill)
  const died = await settle(host, wishOf(after, before), reconcilerOn(host, first.engine)).then(
    () => false,
    () => true,
  )
  const crashed = standing(host.engine)
  if (restart) host.engine.restart()
  if (died) await settle(host, wishOf(after, before))
  return { calls: first.calls(), crashed, seen, died, ended: standing(host.engine) }
}

describe.each(scenarios)('$name', (scenario) => {
  it.each([false, true])('ends as one, wherever graft is killed (engine restart: %s)', async (restart) => {
    const whole = await change(scenario, null, false)
    expect(whole.ended).toMatchObject(scenario.ends)
    const wrong: unknown[] = []
    for (let call = 1; call <= whole.calls.length; call++) {
      for (const moment of ['before', 'after'] as const) {
        const { crashed, ended, seen } = await change(scenario, { call, moment }, restart)
        const isAsItShould =
          Object.entries(scenario.ends).every(([name, how]) => ended[name] === how) &&
          Object.keys(ended).every((name) => !/\.(next|prev)/.test(name)) &&
          (seen.get('db')?.most ?? 2) <= 1 &&
          (restart || (seen.get('api')?.fewest ?? 0) >= 1)
        if (!isAsItShould) wrong.push({ at: `${moment} ${whole.calls[call - 1]} (${call})`, crashed, ended })
      }
    }
    expect(wrong).toEqual([])
  })
})
