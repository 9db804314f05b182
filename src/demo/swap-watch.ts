// Watches the swap of a service that a client keeps asking, and holds the daemon to what it says.

import { duration } from '../report/durations.ts'
import type { ServiceClient } from './service-client.ts'
import { follower, type Pushed } from './act-commit.ts'
import { claim } from './demo-failure.ts'
import { type DemoDeployment, isUp, leavesAt, type Seen } from './demo-deployment.ts'
import type { DemoStage } from './demo-stage.ts'

export interface Swapped {
  /** Milliseconds from the push until the new container held the name. */
  readonly pushToLive: number
  /** Milliseconds until the old one was gone. */
  readonly took: number
  readonly gate: number
  readonly requests: number
  readonly lost: number
  readonly missedLookups: number
  /** Milliseconds. */
  readonly longest: number
  readonly live: Seen
}

export interface WatchedSwap {
  readonly leaf: string
  /** Jobs that are told of, too. */
  readonly besides: readonly string[]
  readonly before: Seen
  readonly generation: number
  /** The release that answers afterwards. */
  readonly release: string
}

const PATIENCE = 60_000
/** The client goes on asking this long after the old container is gone. */
const AFTERWARDS = 1_000

export async function watchSwap(
  stage: DemoStage,
  deployment: DemoDeployment,
  pushed: Pushed,
  client: ServiceClient,
  swap: WatchedSwap,
): Promise<Swapped> {
  const { leaf, before, generation, release } = swap
  const { events } = deployment
  const follow = follower(stage, deployment, pushed, [...swap.besides, leaf])
  stage.live(() => ['', ...clientLines(client, leaf, stage)])
  const done = await stage.until(`${leaf} becomes generation ${generation}`, PATIENCE, async () => {
    await follow()
    const failed = events.slice(pushed.seen).find((event) => event.event === 'failed' && event.leaf === leaf)
    claim(failed === undefined, `${leaf} was refused: ${failed?.reason ?? ''}`, failed?.log)
    return events.slice(pushed.seen).find((event) => event.event === 'done' && event.gates[leaf] !== undefined) ?? null
  })
  const asked = Date.now()
  await stage.until('all is as declared again', PATIENCE, async () => {
    await follow()
    const all = leavesAt(await deployment.status(), pushed.commit)
    return all !== null && all.every(isUp) && Date.now() - asked >= AFTERWARDS ? all : null
  })
  const { requests, lost, missedLookups, longest, versions } = client.count()
  stage.live(null)
  stage.say('', ...clientLines(client, leaf, stage))
  const live = await deployment.container(leaf)
  claim(live !== null && live.running && live.id !== before.id, `${leaf} should be another container by now`)
  claim(
    live?.generation === String(generation),
    `${leaf} should be generation ${generation} and is ${live?.generation ?? 'not there'}`,
  )
  claim((await deployment.container(`${leaf}.next`)) === null, `${leaf}.next should be gone`)
  claim(
    [...versions.keys()].at(-1) === release,
    `${release} should answer and ${[...versions.keys()].at(-1) ?? 'nothing'} does`,
  )
  claim(requests > 20, `the client should have asked often, and asked ${requests} times`)
  claim(lost === 0, `${lost} of ${requests} requests were lost`)
  if (live === null) throw new Error('unreachable')
  const renamed = events
    .slice(pushed.seen)
    .findLast((event) => event.event === 'step' && event.step === 'rename' && event.leaf === leaf)
  const pushToLive = (renamed ?? done).time - pushed.at
  return {
    pushToLive,
    took: done.time - pushed.at,
    gate: done.gates[leaf] ?? 0,
    requests,
    lost,
    missedLookups,
    longest,
    live,
  }
}

function clientLines(client: ServiceClient, leaf: string, { palette }: DemoStage): string[] {
  const { requests, lost, missedLookups, longest, versions } = client.count()
  const parts = [
    `${palette.bold(requests.toLocaleString('en'))} requests to http://${leaf}`,
    lost === 0 ? palette.good('0 lost') : palette.bad(`${lost} lost`),
    ...(missedLookups > 0 ? [`${missedLookups} ${missedLookups === 1 ? 'lookup' : 'lookups'} repeated`] : []),
    `longest ${duration(longest)}`,
  ]
  const releases = [...versions].map(
    ([release, answers]) => `${release} ${palette.dim(`×${answers.toLocaleString('en')}`)}`,
  )
  return [
    `  ${palette.accent('client')}  ${parts.join(palette.dim(' · '))}`,
    `          ${palette.dim('answered by')} ${releases.join(palette.dim(' → '))}`,
  ]
}
