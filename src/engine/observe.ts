// One whole look at an engine on behalf of one deployment: a few lists, and an inspection of each container that may
// have changed since the last look.

import PQueue from 'p-queue'

import type { ForeignPort, Observed, ObservedContainer } from '../plan/observed.ts'
import { labelsOf } from './adoption.ts'
import { callEngine, rawCall } from './call.ts'
import type { EngineConnection } from './connect.ts'
import { statusOf, toEngineFault } from './faults.ts'
import { imageById, observeImages } from './images.ts'
import { observedContainer } from './inspected.ts'
import { foreignPortsOf, namesOf } from './foreign-ports.ts'
import { deploymentOf, readContainerLabels } from './labels.ts'
import { countEndpoints, listNetworks } from './networks.ts'
import { withAnonymousVolumes } from './running-mounts.ts'
import { listVolumes } from './volumes.ts'
import type { WireContainer, WireContainerRow } from './wire.ts'

/** Inspections at a time; an engine answers more no faster. */
const SIDE_BY_SIDE = 12

/** Rejects with an EngineFault; a container that goes away meanwhile is left out. */
export async function observe(
  connection: EngineConnection,
  deployment: string,
  images: readonly string[],
): Promise<Observed> {
  const { memory } = connection
  const stamp = memory.stamp
  const [rows, networks, volumes, imageFacts] = await Promise.all([
    callEngine<WireContainerRow[]>(connection, 'list the containers', {
      path: '/containers/json',
      query: { all: true },
    }),
    listNetworks(connection),
    listVolumes(connection),
    observeImages(connection, deployment, images),
  ])
  const own: WireContainerRow[] = []
  const foreignNames = new Map<string, string>()
  const foreignPorts: ForeignPort[] = []
  for (const row of rows) {
    const adopted = deploymentOf(row.Labels) === null ? memory.adoptions.get(row.Id) : undefined
    if (deploymentOf(row.Labels) === deployment) {
      if (readContainerLabels(row.Labels ?? {}) !== null) own.push(row)
    } else if (adopted?.labels.deployment === deployment) own.push(row)
    else {
      for (const name of namesOf(row)) foreignNames.set(name, describeForeign(row, name))
      foreignPorts.push(...foreignPortsOf(row))
    }
  }
  const containers = await inspectAll(connection, own, stamp)
  return {
    engine: connection.facts,
    containers: containers.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)),
    foreignNames,
    foreignPorts,
    networks: countEndpoints(networks, rows),
    volumes,
    images: imageFacts,
  }
}

/** One container, read afresh; null where there is none, or where it is not a deployment's. */
export async function inspectContainer(connection: EngineConnection, id: string): Promise<ObservedContainer | null> {
  try {
    const container = await rawCall<WireContainer>(connection, {
      path: `/containers/${encodeURIComponent(id)}/json`,
    })
    const labels = await labelsOf(connection, container)
    if (labels === null) return null
    const image = await imageById(connection, container.Image)
    const seen = observedContainer(container, labels, image, connection.defaults)
    return labels.adopted === undefined ? seen : { ...seen, running: withAnonymousVolumes(seen.running, container) }
  } catch (error) {
    if (statusOf(error) === 404) return null
    throw toEngineFault(error, connection.url, `inspect container ${id}`)
  }
}

async function inspectAll(
  connection: EngineConnection,
  rows: readonly WireContainerRow[],
  stamp: number,
): Promise<ObservedContainer[]> {
  const { memory } = connection
  const found: ObservedContainer[] = []
  const queue = new PQueue({ concurrency: SIDE_BY_SIDE })
  const failures: unknown[] = []
  for (const row of rows) {
    const text = `${rowText(row)}${memory.adoptions.get(row.Id)?.volume ?? ''}`
    const recalled = memory.recall(row.Id, text)
    if (recalled !== null) found.push(recalled)
    else {
      void queue.add(async () => {
        try {
          const container = await inspectContainer(connection, row.Id)
          if (container === null) return
          found.push(container)
          memory.remember(container, text, stamp)
        } catch (error) {
          failures.push(error)
        }
      })
    }
  }
  await queue.onIdle()
  memory.keepOnly(new Set(rows.map((row) => row.Id)))
  if (failures.length > 0) throw failures[0]
  return found
}

/** What the list says of a container, without what only tells how long ago something was. */
function rowText(row: WireContainerRow): string {
  const status = row.Status ?? ''
  const marks = /\((?:\d+|healthy|unhealthy|health: starting|Paused)\)/g
  const networks = Object.entries(row.NetworkSettings?.Networks ?? {}).map(([name, endpoint]) => [
    name,
    endpoint.NetworkID,
    endpoint.EndpointID,
    endpoint.IPAddress,
    endpoint.Aliases,
  ])
  return JSON.stringify([row.Names, row.State, status.match(marks), row.Image, row.ImageID, networks])
}

function describeForeign(row: WireContainerRow, name: string): string {
  const project = row.Labels?.['com.docker.compose.project']
  const owner = deploymentOf(row.Labels)
  const details = [
    `image ${row.Image ?? 'unknown'}`,
    ...(project === undefined ? [] : [`Compose project ${project}`]),
    ...(owner === null ? [] : [`deployment ${owner}`]),
  ]
  return `container ${name} (${details.join(', ')})`
}
