// The third act: a commit brings a release that does not work, and the old container goes on.

import { join } from 'node:path'

import { follower, showAndPush } from './act-commit.ts'
import { bump } from './demo-copy.ts'
import { claim } from './demo-failure.ts'
import { type DemoDeployment, isUp, leavesAt, type Seen } from './demo-deployment.ts'
import type { DemoStage } from './demo-stage.ts'

export const VICTIM = 'nova-conductor'
const FILE = `openstack-control/nova-controller/${VICTIM}.yaml`
/** The stand-in of a tag with this word in it ends with code 1 after a second. */
export const BROKEN_IMAGE = `quay.io/openstack.kolla/${VICTIM}:2025.2-broken`

export interface Refused {
  readonly commit: string
  /** Milliseconds from the push until the generation was refused. */
  readonly took: number
  readonly exitCode: number
  readonly reason: string
  readonly before: Seen
}

export async function refusal(stage: DemoStage, deployment: DemoDeployment): Promise<Refused> {
  const { git, place, events } = deployment
  const { palette } = stage
  const base = await git.git('rev-parse', 'HEAD')
  const before = await deployment.container(VICTIM)
  if (before === null) throw new Error(`${VICTIM} is not there`)
  await bump(join(place.work, FILE), BROKEN_IMAGE)
  await git.commit(`${VICTIM}: release 2025.2`)
  const pushed = await showAndPush(stage, deployment, base)
  const follow = follower(stage, deployment, pushed, [VICTIM])
  const failed = await stage.until(`${VICTIM} generation 2 is refused`, 60_000, async () => {
    await follow()
    const since = events.slice(pushed.seen)
    claim(
      !since.some((event) => event.event === 'done' && event.gates[VICTIM] !== undefined),
      `${VICTIM} generation 2 should not have passed its gate`,
    )
    return since.find((event) => event.event === 'failed' && event.leaf === VICTIM) ?? null
  })
  const leaves = await stage.until(`status tells of ${VICTIM}`, 30_000, async () => {
    await follow()
    const all = leavesAt(await deployment.status(), pushed.commit)
    return all?.some(({ name, sync }) => name === VICTIM && sync === 'held') === true ? all : null
  })
  const live = await deployment.container(VICTIM)
  claim(live?.id === before.id && live.running, `the ${VICTIM} of before should still run`)
  claim(live?.generation === '1', `${VICTIM} should still be generation 1`)
  const kept = await deployment.container(`${VICTIM}.failed`)
  claim(
    kept !== null && !kept.running && kept.generation === '2' && kept.exitCode === 1,
    `${VICTIM}.failed should have been kept, with exit code 1`,
  )
  claim(
    leaves.every((leaf) => leaf.name === VICTIM || isUp(leaf)),
    'everything else should be as declared',
  )
  const said = failed.log.some((line) => line.includes('CRITICAL'))
  claim(said, 'the end of its log should be told', failed.log)
  stage.say(
    '',
    `  ${palette.good('✓')} ${palette.bold(VICTIM)} generation 1, container ${before.id.slice(0, 12)}, ran on all the time`,
    `    ${palette.dim(`the failed one is kept as ${VICTIM}.failed for its log, and is not tried again until its file changes`)}`,
  )
  return {
    commit: pushed.commit,
    took: failed.time - pushed.at,
    exitCode: kept?.exitCode ?? -1,
    reason: failed.reason,
    before,
  }
}
