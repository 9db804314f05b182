// A look at what is in memory, in the planner's words.

import type {
  EngineFacts,
  ForeignPort,
  ImageFacts,
  Observed,
  ObservedContainer,
  ObservedNetwork,
} from '../../plan/observed.ts'
import { parseRollbackTag } from '../../plan/rollback-tag.ts'
import { ingressPlace, isServed } from '../foreign-ports.ts'
import { findImage } from './resources.ts'
import { labelsOf, type MemoryContainer, type World } from './world.ts'

export function observe(
  world: World,
  engine: EngineFacts,
  deployment: string,
  references: readonly string[],
): Observed {
  const containers: ObservedContainer[] = []
  const foreignNames = new Map<string, string>()
  const foreignPorts: ForeignPort[] = []
  for (const container of world.containers.values()) {
    const seen = labelsOf(world, container)?.deployment === deployment ? observeContainer(world, container) : null
    if (seen !== null) containers.push(seen)
    else {
      foreignNames.set(container.name, holder(world, container))
      foreignPorts.push(...portsOf(world, container))
    }
  }
  const images = new Map<string, ImageFacts | null>()
  for (const reference of references) images.set(reference, findImage(world, reference))
  for (const tag of world.tags.keys()) {
    if (parseRollbackTag(tag)?.deployment === deployment) images.set(tag, findImage(world, tag))
  }
  return {
    engine,
    containers: containers.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    foreignNames,
    foreignPorts,
    networks: new Map([...world.networks].map(([name, network]) => [name, observeNetwork(world, network)])),
    volumes: new Map(world.volumes),
    images,
  }
}

/** null where it is not graft's. */
export function observeContainer(world: World, container: MemoryContainer): ObservedContainer | null {
  const labels = labelsOf(world, container)
  const { id, name, state, health, exitCode, error, createdAt, startedAt, finishedAt } = container
  if (labels === null) return null
  const { restartCount, restartPolicy, imageId, running, addresses } = container
  const image = world.images.get(imageId)?.facts ?? null
  const life = { state, health, exitCode, oomKilled: false, error, createdAt, startedAt, finishedAt }
  return {
    id,
    name,
    labels,
    ...life,
    restartCount,
    restartPolicy,
    imageId,
    image,
    running,
    addresses: new Map(addresses),
  }
}

function observeNetwork(world: World, network: Omit<ObservedNetwork, 'endpoints'>): ObservedNetwork {
  // Stopped containers are joined, too.
  const joined = [...world.containers.values()].filter(({ running }) => running.networks[network.name] !== undefined)
  return { ...network, endpoints: joined.length }
}

function portsOf(world: World, container: MemoryContainer): ForeignPort[] {
  const { name, state, running } = container
  const labels = labelsOf(world, container)
  const who = labels === null ? `the container ${name}` : `${labels.leaf} of the deployment ${labels.deployment}`
  return running.ports.flatMap((port) => {
    const held = port.mode === 'host' ? state === 'running' : isServed(name, state === 'running')
    return held && port.published !== 0 ? [{ ...ingressPlace(port), holder: who }] : []
  })
}

function holder(world: World, container: MemoryContainer): string {
  const owner = labelsOf(world, container)?.deployment
  const tag = [...world.tags].find(([, id]) => id === container.imageId)?.[0]
  const details = [`image ${tag ?? container.imageId}`, ...(owner === undefined ? [] : [`deployment ${owner}`])]
  return `container ${container.name} (${details.join(', ')})`
}
