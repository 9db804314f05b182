// The second act: one API service gets a new release by one commit, with its migration before it.

import { join } from 'node:path'

import { showAndPush } from './act-commit.ts'
import { bump } from './demo-copy.ts'
import { claim } from './demo-failure.ts'
import type { DemoDeployment, Seen } from './demo-deployment.ts'
import type { DemoStage } from './demo-stage.ts'
import type { ServiceClient } from './service-client.ts'
import { type Swapped, watchSwap } from './swap-watch.ts'

export const SERVICE = 'nova-api'
export const MIGRATION = 'nova-api-db-sync'
export const SERVICE_PORT = 8774
const FILES = 'openstack-interface'
/** Beside the release of the example. */
export const NEXT_RELEASE = '2025.2-ubuntu-noble'
export const NEXT_IMAGE = `quay.io/openstack.kolla/nova-api:${NEXT_RELEASE}`

export interface Upgraded extends Swapped {
  readonly commit: string
  readonly before: Seen
}

export async function upgrade(stage: DemoStage, deployment: DemoDeployment, client: ServiceClient): Promise<Upgraded> {
  const { git, place } = deployment
  const base = await git.git('rev-parse', 'HEAD')
  const before = await deployment.container(SERVICE)
  if (before === null) throw new Error(`${SERVICE} is not there`)
  for (const leaf of [MIGRATION, SERVICE]) await bump(join(place.work, FILES, `${leaf}.yaml`), NEXT_IMAGE)
  await git.commit(`${SERVICE}: release 2025.2`)
  client.reset()
  const pushed = await showAndPush(stage, deployment, base)
  const swap = { leaf: SERVICE, besides: [MIGRATION], before, generation: 2, release: NEXT_RELEASE }
  const swapped = await watchSwap(stage, deployment, pushed, client, swap)
  const since = deployment.events.slice(pushed.seen)
  const migrated = since.findIndex((event) => event.event === 'done' && event.gates[MIGRATION] !== undefined)
  const started = since.findIndex((event) => event.event === 'step' && event.step === 'start' && event.leaf === SERVICE)
  claim(migrated !== -1 && migrated < started, `${MIGRATION} should have run before ${SERVICE} started`)
  return { ...swapped, commit: pushed.commit, before }
}
