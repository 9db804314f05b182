// Volumes on the engine: listed, made with graft's labels, and removed by nobody but a person. An empty one may be a mark.

import type { VolumeWish } from '../desired/tree.ts'
import { EngineFault } from '../apply/engine.ts'
import type { ObservedVolume } from '../plan/observed.ts'
import { callEngine, rawCall } from './call.ts'
import type { EngineConnection } from './connect.ts'
import { statusOf, toEngineFault } from './faults.ts'
import {
  authoredLabels,
  deploymentOf,
  markLabels,
  readMarkedContainer,
  readResourceLabels,
  volumeLabels,
} from './labels.ts'
import type { WireVolume } from './wire.ts'

/** By name. */
export async function listVolumes(connection: EngineConnection): Promise<Map<string, ObservedVolume>> {
  return new Map(
    (await watchedVolumes(connection)).map((row) => {
      const read = readResourceLabels(row.Labels)
      const options = { driver: row.Driver ?? '', driver_opts: row.Options ?? {}, labels: authoredLabels(row.Labels) }
      return [row.Name, { name: row.Name, ...read, options }]
    }),
  )
}

/** All volumes; which containers are taken over is remembered from them. */
export async function watchedVolumes(connection: EngineConnection): Promise<WireVolume[]> {
  const { Volumes: volumes } = await callEngine<{ Volumes?: WireVolume[] | null }>(connection, 'list the volumes', {
    path: '/volumes',
  })
  const { memory } = connection
  memory.knowsAdoptions = true
  memory.adoptions = new Map()
  for (const { Name: volume, Labels: labels } of volumes ?? []) {
    const mark = readMarkedContainer(labels)
    if (mark !== null) memory.adoptions.set(mark.id, { volume, labels: mark.labels })
  }
  return volumes ?? []
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
  await makeMark(connection, deployment, name, markLabels(deployment, leaf, generation))
}

/** An empty volume whose labels say something. */
export async function makeMark(
  connection: EngineConnection,
  deployment: string,
  name: string,
  labels: Record<string, string>,
): Promise<void> {
  await make(connection, deployment, name, { driver: 'local', driver_opts: {}, labels })
}

/**
 * One that is not there is no error. Rejects with `name-taken`, and leaves it, where it does not carry the deployment's
 * label, and with `engine` where a container uses it.
 */
export async function removeVolume(connection: EngineConnection, deployment: string, name: string): Promise<void> {
  const path = `/volumes/${encodeURIComponent(name)}`
  try {
    const volume = await rawCall<WireVolume>(connection, { path })
    if (deploymentOf(volume.Labels) !== deployment) {
      const remedy = 'Remove it by hand if it is not needed'
      throw new EngineFault('name-taken', `the volume ${name} is not ${deployment}'s`, remedy)
    }
    await rawCall(connection, { method: 'DELETE', path })
  } catch (error) {
    if (error instanceof EngineFault) throw error
    if (statusOf(error) !== 404) throw toEngineFault(error, connection.url, `remove volume ${name}`)
  }
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
