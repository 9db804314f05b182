// graft killed before and after every engine call of every kind of swap, on the engine in memory: whatever the moment,
// never two of what must be one, never none of what was healthy, and the next graft brings it to its end.

import { describe, expect, it, vi } from 'vitest'

import type { Tree } from '../../../src/desired/tree.ts'
import type { ImageDefinition } from '../../../src/engine/memory/behaviour.ts'
import { hostOf, job, leaf, treeOf } from '../plan/build.ts'
import { mortal, reconcilerOn, settle, standing, watch, wishOf, type KillAt } from './memory-stage.ts'

// Many runs each; a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 })

interface Scenario {
  readonly name: string
  readonly before: Tree
  readonly after: Tree
  /** Leaves of which there must never be two. */
  readonly single: readonly string[]
  /** Leaves of which there must always be one. */
  readonly always: readonly string[]
  readonly ends: Readonly<Record<string, string>>
  readonly image?: ImageDefinition
  /** What the second graft finds as the newest commit; left out: the same. */
  readonly later?: Tree
  /** What the change finds: leaves that somebody stopped, which an engine restart would bring back. */
  readonly stopped?: readonly string[]
}

const CHECK = 'healthcheck: {test: [CMD, check], interval: 1s}\nupdate: {drain: 2s}'
const VOLUMES = 'volumes: {data: {}}\n'
const PORT = 'ports: ["8080:80"]'

const healthyAfterASecond: ImageDefinition = { behaviour: { healthyAfter: 1000, stopTakes: 300 } }
const endsAfterASecond: ImageDefinition = {
  behaviour: (running) => (running.environment['JOB'] === 'yes' ? { exitsAfter: 1000 } : { healthyAfter: 500 }),
}

const scenarios: readonly Scenario[] = [
  {
    name: 'start-first',
    before: treeOf({ web: leaf(1, CHECK) }),
    after: treeOf({ web: leaf(2, CHECK) }),
    single: [],
    always: ['web'],
    ends: { web: 'running g2 always' },
    image: healthyAfterASecond,
  },
  {
    name: 'stop-first',
    before: treeOf({ db: leaf(1, `${CHECK}\nvolumes: ["data:/data"]`) }, VOLUMES),
    after: treeOf({ db: leaf(2, `${CHECK}\nvolumes: ["data:/data"]`) }, VOLUMES),
    single: ['db'],
    always: [],
    ends: { db: 'running g2 always' },
    image: healthyAfterASecond,
  },
  {
    name: 'job, then what needs it',
    before: treeOf({ web: leaf(1) }),
    after: treeOf({ sync: job(1, 'environment: {JOB: "yes"}'), web: leaf(2, 'depends_on: [sync]') }),
    single: ['sync'],
    always: ['web'],
    ends: { sync: 'exited g1 no', web: 'running g2 always' },
    image: endsAfterASecond,
  },
  {
    name: 'a port moves from leaf to leaf',
    before: treeOf({ left: leaf(1, PORT), right: leaf(1) }),
    after: treeOf({ left: leaf(2), right: leaf(2, PORT) }),
    single: ['left', 'right'],
    always: [],
    ends: { left: 'running g2 always', right: 'running g2 always' },
  },
  {
    name: 'a port moves from a leaf that goes',
    before: treeOf({ left: leaf(1, PORT), right: leaf(1) }),
    after: treeOf({ right: leaf(2, PORT) }),
    single: ['left', 'right'],
    always: [],
    ends: { right: 'running g2 always' },
  },
  {
    name: 'two leaves in one namespace',
    before: treeOf({ main: leaf(1), side: leaf(1, 'network_mode: service:main') }),
    after: treeOf({ main: leaf(2), side: leaf(1, 'network_mode: service:main') }),
    single: ['side'],
    always: ['main'],
    ends: { main: 'running g2 always', side: 'running g1 always' },
  },
  {
    name: 'stop-first, and its live container is down already',
    before: treeOf({ db: leaf(1, 'volumes: ["data:/data"]') }, VOLUMES),
    after: treeOf({ db: leaf(2, 'volumes: ["data:/data"]') }, VOLUMES),
    single: ['db'],
    always: [],
    ends: { db: 'running g2 always' },
    stopped: ['db'],
  },
  {
    name: 'start-first, then back',
    before: treeOf({ web: leaf(1, CHECK) }),
    after: treeOf({ web: leaf(2, CHECK) }),
    later: treeOf({ web: leaf(1, CHECK) }),
    single: [],
    always: ['web'],
    ends: { web: 'running g1 always' },
    image: healthyAfterASecond,
  },
  {
    name: 'stop-first, then something else',
    before: treeOf({ db: leaf(1, `${CHECK}\nvolumes: ["data:/data"]`) }, VOLUMES),
    after: treeOf({ db: leaf(2, `${CHECK}\nvolumes: ["data:/data"]`) }, VOLUMES),
    later: treeOf({ db: leaf(3, `${CHECK}\nvolumes: ["data:/data"]`) }, VOLUMES),
    single: ['db'],
    always: [],
    ends: { db: 'running g3 always' },
    image: healthyAfterASecond,
  },
  {
    name: 'stop-first, then the leaf goes',
    before: treeOf({ db: leaf(1, 'volumes: ["data:/data"]'), web: leaf(1) }, VOLUMES),
    after: treeOf({ db: leaf(2, 'volumes: ["data:/data"]'), web: leaf(1) }, VOLUMES),
    later: treeOf({ web: leaf(1) }, VOLUMES),
    single: ['db'],
    always: ['web'],
    ends: { web: 'running g1 always' },
  },
  {
    name: 'stop-first, then its set is stopped',
    before: treeOf({ db: leaf(1, 'volumes: ["data:/data"]') }, VOLUMES),
    after: treeOf({ db: leaf(2, 'volumes: ["data:/data"]') }, VOLUMES),
    later: treeOf({ db: leaf(2, 'volumes: ["data:/data"]') }, `${VOLUMES}state: stopped\n`),
    single: ['db'],
    always: [],
    // Either generation, as far as the first graft had come.
    ends: { db: 'exited g[12] no' },
  },
  {
    name: 'a start-first candidate that fails',
    before: treeOf({ web: leaf(1, CHECK) }),
    after: treeOf({ web: leaf(2, `${CHECK}\nenvironment: {BAD: "yes"}`) }),
    single: [],
    always: ['web'],
    ends: { web: 'running g1 always', 'web.failed': 'exited g2 no' },
    image: {
      behaviour: ({ environment }) =>
        environment['BAD'] === 'yes' ? { exitsAfter: 700, exitCode: 3, healthyAfter: 'never' } : {},
    },
  },
  {
    name: 'a stop-first candidate that fails',
    before: treeOf({ db: leaf(1, 'volumes: ["data:/data"]') }, VOLUMES),
    after: treeOf({ db: leaf(2, 'volumes: ["data:/data"]\nenvironment: {BAD: "yes"}') }, VOLUMES),
    single: ['db'],
    always: [],
    ends: { db: 'running g1 always', 'db.failed': 'exited g2 no' },
    image: {
      behaviour: ({ environment }) => (environment['BAD'] === 'yes' ? { exitsAfter: 700, exitCode: 3 } : {}),
    },
  },
  {
    name: 'first launch',
    before: treeOf({}),
    after: treeOf({ db: leaf(1, CHECK), web: leaf(1, `${CHECK}\ndepends_on: [db]`) }),
    single: [],
    always: [],
    ends: { db: 'running g1 always', web: 'running g1 always' },
    image: healthyAfterASecond,
  },
]

/** Runs the change, killed at `kill`, then lets a second graft end it. Returns how many calls the first one made. */
async function change(scenario: Scenario, kill: KillAt | null, restart: boolean) {
  const { before, after, later = after, single, always } = scenario
  const host = await hostOf(after, scenario.image)
  for (const { spec } of later.leaves.values()) host.engine.addImage(spec.image, scenario.image)
  for (const name of before.leaves.keys()) await host.put(before, name)
  await settle(host, wishOf(before))
  for (const name of scenario.stopped ?? []) await host.engine.stop(name)
  const first = mortal(host.engine, kill)
  const seen = watch(host.engine, [...single, ...always])
  const run = settle(host, wishOf(after, before), reconcilerOn(host, first.engine))
  const died = await run.then(
    () => false,
    () => true,
  )
  const crashed = standing(host.engine)
  if (restart) host.engine.restart()
  if (died || later !== after) await settle(host, wishOf(later, after))
  return { calls: first.calls(), crashed, died, seen, ended: standing(host.engine) }
}

describe.each(scenarios)('$name', (scenario) => {
  it.each([false, true])('converges from a kill at any call (engine restart: %s)', async (restart) => {
    const whole = await change(scenario, null, false)
    expect(isAsItShould(whole.ended, scenario)).toBe(true)
    const wrong: unknown[] = []
    for (let call = 1; call <= whole.calls.length; call++) {
      for (const moment of ['before', 'after'] as const) {
        const { ended, seen, crashed, died } = await change(scenario, { call, moment }, restart)
        const two = scenario.single.filter((name) => (seen.get(name)?.most ?? 0) > 1)
        const none = restart ? [] : scenario.always.filter((name) => (seen.get(name)?.fewest ?? 0) < 1)
        const converged = isAsItShould(ended, scenario)
        if (!died || two.length > 0 || none.length > 0 || !converged) {
          wrong.push({ call, name: whole.calls[call - 1], moment, died, two, none, crashed, ended })
        }
      }
    }
    expect(whole.calls.length).toBeGreaterThan(8)
    expect(wrong).toEqual([])
  })
})

function isAsItShould(ended: Readonly<Record<string, string>>, { ends }: Scenario): boolean {
  const names = Object.keys(ends)
  if (Object.keys(ended).join() !== names.join()) return false
  return names.every((name) => new RegExp(`^${ends[name] ?? ''}$`).test(ended[name] ?? ''))
}
