// Volumes on the engine: listed, made with graft's labels, never removed. An empty one may be a mark.

import type { VolumeWish } from '../desired/tree.ts'
import { EngineFault } from '../apply/engine.ts'
import type { ObservedVolume } from '../plan/observed.ts'
import { callEngine } from './call.ts'
import type { EngineConnection } from './connect.ts'
import { authoredLabels, deploymentOf, markLabels, readResourceLabels, volumeLabels } from './labels.ts'
import type { WireVolume } from './wire.ts'

/** By name. */
export async function listVolumes(connection: EngineConnection): Promise<Map<string, ObservedVolume>> {
  const answer = await callEngine<{ Volumes?: WireVolume[] | null }>(connection, 'list the volumes', {
    path: '/volumes',
  })
  return new Map(
    (answer.Volumes ?? []).map((row) => {
      const read = readResourceLabels(row.Labels)
      const options = { driver: row.Driver ?? '', driver_opts: row.Options ?? {}, labels: authoredLabels(row.Labels) }
      return [row.Name, { name: row.Name, ...read, options }]
    }),
  )
}

/** One that this deployment already has is no error. Rejects with `name-taken` where the name is another's. */
export async function createVolume(connection: EngineConnection, deployment: string, wish: VolumeWish): Promise<void> {
  const { driver, driver_opts } = wish.options
  await make(connection, deployment, wish.name, { driver, driver_opts, labels: volumeLabels(deployment, wish) })
}

/** The empty volume that says: this job has completed for this generation. Making it twice is no error. */
export async function createMark(
  connection: EngineConnection,
  deployment: string,
  name: string,
  leaf: string,
  generation: number,
): Promise<void> {
  await make(connection, deployment, name, {
    driver: 'local',
    driver_opts: {},
    labels: markLabels(deployment, leaf, generation),
  })
}

/** The engine gives back a volume of the same name that exists, whoever it belongs to. */
async function make(
  connection: EngineConnection,
  deployment: string,
  name: string,
  options: VolumeWish['options'],
): Promise<void> {
  const body = { Name: name, Driver: options.driver, DriverOpts: options.driver_opts, Labels: options.labels }
  const request = { method: 'POST', path: '/volumes/create', body } as const
  const volume = await callEngine<WireVolume>(connection, `create volume ${name}`, request)
  if (deploymentOf(volume.Labels) === deployment) return
  throw new EngineFault(
    'name-taken',
    `cannot create volume ${name}: there is one of this name that is not graft's`,
    'Give the volume another name in deployment.yaml, or say external: true',
  )
}
