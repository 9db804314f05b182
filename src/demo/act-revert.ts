// The fourth act: git revert takes both commits back, from the image that ran before and without another migration.

import { MIGRATION, SERVICE, type Upgraded } from './act-upgrade.ts'
import { type Refused, VICTIM } from './act-refusal.ts'
import { showAndPush } from './act-commit.ts'
import { claim } from './demo-failure.ts'
import type { DemoDeployment } from './demo-deployment.ts'
import type { DemoStage } from './demo-stage.ts'
import type { ServiceClient } from './service-client.ts'
import { type Swapped, watchSwap } from './swap-watch.ts'

export interface Reverted extends Swapped {
  readonly commit: string
}

export async function revert(
  stage: DemoStage,
  deployment: DemoDeployment,
  client: ServiceClient,
  upgraded: Upgraded,
  refused: Refused,
  release: string,
): Promise<Reverted> {
  const { git, names } = deployment
  const { palette } = stage
  const base = await git.git('rev-parse', 'HEAD')
  stage.say(`  ${palette.dim('$')} git revert ${refused.commit.slice(0, 7)} ${upgraded.commit.slice(0, 7)}`)
  await git.git('revert', '--no-edit', refused.commit, upgraded.commit)
  client.reset()
  const pushed = await showAndPush(stage, deployment, base)
  const swap = { leaf: SERVICE, besides: [], before: upgraded.live, generation: 1, release }
  const swapped = await watchSwap(stage, deployment, pushed, client, swap)
  claim(swapped.live.imageId === upgraded.before.imageId, `${SERVICE} should run the very image that ran before`)
  claim(
    swapped.live.imageName.startsWith(`graft.local/${names.deployment}/`),
    `${SERVICE} should run from the image that graft kept, and runs from ${swapped.live.imageName}`,
  )
  const since = deployment.events.slice(pushed.seen)
  claim(
    !since.some(({ event, step, leaf }) => event === 'step' && step === 'wait-job' && leaf === MIGRATION),
    `${MIGRATION} should not run again`,
  )
  const conductor = await deployment.container(VICTIM)
  claim(conductor?.id === refused.before.id && conductor.running, `the ${VICTIM} of the first commit should still run`)
  stage.say(
    `  ${palette.good('✓')} ${palette.bold(SERVICE)} generation 1 is back, from the image that ran before`,
    `    ${palette.dim(swapped.live.imageName)}`,
    `  ${palette.good('✓')} ${palette.bold(VICTIM)} never left generation 1; ${MIGRATION} did not run again`,
  )
  return { ...swapped, commit: pushed.commit }
}
