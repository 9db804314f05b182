// The story that the demo tells, act by act. Each act asserts what it says; the first claim that is wrong ends it.

import { launch, type Launched } from './act-launch.ts'
import { refusal, type Refused } from './act-refusal.ts'
import { type Reverted, revert } from './act-revert.ts'
import { SERVICE, SERVICE_PORT, type Upgraded, upgrade } from './act-upgrade.ts'
import type { Scene } from './demo-setup.ts'
import type { DemoStage } from './demo-stage.ts'
import { showEnd } from './act-end.ts'
import { startClient } from './service-client.ts'

export interface Told {
  readonly launch: Launched
  readonly upgrade: Upgraded
  readonly refusal: Refused
  readonly revert: Reverted
}

/** Throws DemoFailure, or DemoStopped. */
export async function tellStory(stage: DemoStage, { deployment, firstCommit, begun }: Scene): Promise<Told> {
  const { tree, names, standIn, connection } = deployment
  stage.act('The first commit: OpenStack comes up in order')
  const launched = await launch(stage, deployment, firstCommit, begun)

  const service = tree.leaves.get(SERVICE)
  const network = tree.networks.get('default')
  if (service === undefined || network === undefined)
    throw new Error(`the example has no ${SERVICE} on a default network`)
  const { image } = service.spec
  const release = image.slice(image.lastIndexOf(':') + 1)
  const client = await startClient(connection.docker, {
    name: names.client,
    image: standIn(image),
    network: network.name,
    service: `${names.prefix}${SERVICE}`,
    port: SERVICE_PORT,
  })
  try {
    await stage.until(`${SERVICE} answers`, 20_000, () => (client.count().versions.has(release) ? true : null))
    stage.act(`One commit, one upgrade: ${SERVICE}, while a client keeps asking it`)
    const upgraded = await upgrade(stage, deployment, client)
    stage.act('A commit that does not work')
    const refused = await refusal(stage, deployment)
    stage.act('git revert takes both back')
    const reverted = await revert(stage, deployment, client, upgraded, refused, release)
    const told = { launch: launched, upgrade: upgraded, refusal: refused, revert: reverted }
    stage.act('What happened')
    await showEnd(stage, deployment, told)
    return told
  } finally {
    await client.stop()
  }
}
