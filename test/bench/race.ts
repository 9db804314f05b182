// Fifty services: fresh, nothing to do, one changed, all changed, by each contender in turn on the same engine.

import { watchAvailability } from './availability.ts'
import { bareCalls } from './bare.ts'
import { compose } from './compose.ts'
import type { Contender } from './contender.ts'
import { services, upgrade } from './fleet.ts'
import { graftApply, graftDaemon } from './graft.ts'
import type { Ground } from './ground.ts'
import { inWords, markdown, median, timed } from './samples.ts'

export const SERVICES = 50

export const TASKS = ['fresh', 'nothing to do', '1 of 50 changed', 'all 50 changed'] as const
export type Task = (typeof TASKS)[number]

export interface Runner {
  readonly name: string
  readonly note: string
  /** Milliseconds, one for each round. */
  readonly times: Readonly<Record<Task, number[]>>
  /** Longest time without a running container while all were changed: each service of each round, milliseconds. */
  readonly gaps: number[]
}

export async function race(ground: Ground, rounds: number, say: (text: string) => void): Promise<Runner[]> {
  const entries: ((ground: Ground) => Promise<Contender>)[] = [
    bareCalls,
    compose,
    (on) => graftApply(on, 'none'),
    (on) => graftApply(on, 'tcp'),
    (on) => graftDaemon(on, 'none'),
  ]
  const runners: Runner[] = []
  for (let round = 1; round <= rounds; round++) {
    for (const [index, enter] of entries.entries()) {
      const contender = await enter(ground)
      const runner = (runners[index] ??= emptyRunner(contender))
      say(`round ${round} of ${rounds}: ${contender.name}`)
      try {
        await runOnce(ground, contender, runner)
      } finally {
        await contender.end()
      }
    }
  }
  return runners
}

async function runOnce(ground: Ground, contender: Contender, runner: Runner): Promise<void> {
  const time = async (task: Task): Promise<void> => {
    runner.times[task].push((await timed(() => contender.make())).ms)
    await contender.rest()
  }
  let fleet = services('svc', SERVICES)
  await contender.want(fleet)
  await time('fresh')
  await expectRunning(ground, contender)
  await time('nothing to do')
  fleet = upgrade(fleet, 1)
  await contender.want(fleet)
  await time('1 of 50 changed')
  fleet = upgrade(fleet, SERVICES)
  await contender.want(fleet)
  const watch = await watchAvailability(ground.docker, contender.label, contender.serviceOf)
  await time('all 50 changed')
  runner.gaps.push(...(await watch.end()).gaps.values())
  await expectRunning(ground, contender)
}

/** A contender that did not do its work has no time. */
async function expectRunning({ docker }: Ground, { name, label, serviceOf }: Contender): Promise<void> {
  const rows = await docker.listContainers({ filters: { label: [label] } })
  const serving = new Set(rows.map((row) => serviceOf(row.Labels, (row.Names[0] ?? '').slice(1))))
  serving.delete(null)
  if (serving.size !== SERVICES) throw new Error(`${name}: ${serving.size} of ${SERVICES} services run`)
}

function emptyRunner({ name, note }: Contender): Runner {
  return {
    name,
    note,
    times: { fresh: [], 'nothing to do': [], '1 of 50 changed': [], 'all 50 changed': [] },
    gaps: [],
  }
}

export function raceLines(runners: readonly Runner[]): string[] {
  const [bare, rival] = runners
  const head = ['', ...runners.map(({ name }) => name)]
  const rows = TASKS.map((task) => [
    task,
    ...runners.map((runner) => {
      const own = median(runner.times[task])
      const ratios = [rival, bare].filter((other) => other !== undefined && other !== runner)
      const words = ratios.map((other) => `${(own / median(other?.times[task] ?? [])).toFixed(2)}×`)
      return runner === bare ? inWords(own) : `${inWords(own)} (${words.join(', ')})`
    }),
  ])
  const away = [
    'all changed: longest without a running container',
    ...runners.map(({ gaps }) => inWords(Math.max(...gaps))),
  ]
  const typical = ['all changed: the same, median of the services', ...runners.map(({ gaps }) => inWords(median(gaps)))]
  return [
    markdown(head, [...rows, away, typical]),
    '',
    `Medians of ${runners[0]?.times.fresh.length ?? 0} rounds. In brackets: times Compose's, times the bare calls'; for Compose times the bare calls'.`,
    ...runners.map(({ name, note }) => `- ${name}: ${note}.`),
  ]
}
