// A look at an engine in memory.

import { behaviourOf, isWell } from '../../src/engine/memory/behaviour.ts'
import { labelsOf, type MemoryContainer, type World } from '../../src/engine/memory/world.ts'
import type { Look, SeenContainer } from './look.ts'

/** `due`: what time has brought is not carried out by looking. */
export function lookAtWorld(world: World, deployment: string): Look {
  const at = world.clock.now()
  const containers = [...world.containers.values()].map((container) => seen(world, container))
  const foreign = new Map<string, string>()
  for (const container of world.containers.values()) {
    if (labelsOf(world, container)?.deployment === deployment) continue
    foreign.set(keyOf(container.id), fingerprint(container))
  }
  const own = new Set([...world.adopted.keys()].map(keyOf))
  for (const { name, deployment: of } of world.networks.values())
    if (of !== deployment) foreign.set(`network ${name}`, name)
  for (const { name, deployment: of } of world.volumes.values())
    if (of !== deployment) foreign.set(`volume ${name}`, name)
  return { at, containers, volumes: [...world.volumes.keys()], foreign, own }
}

const keyOf = (id: string): string => `container ${id.slice(0, 12)}`

/** Without its state: what runs ends by itself, too. Whoever is about to stop it is asked by `touches`. */
function fingerprint({ name, restartPolicy, imageId, running }: MemoryContainer): string {
  const networks = Object.keys(running.networks).toSorted()
  return `${name} ${restartPolicy} ${imageId.slice(0, 19)} ${running.network_mode ?? networks.join()}`
}

function seen(world: World, container: MemoryContainer): SeenContainer {
  const labels = labelsOf(world, container)
  const running = container.state === 'running' || container.state === 'paused'
  const uptime = world.clock.steady() - (container.runsSince ?? world.clock.steady())
  const script = behaviourOf(world.images.get(container.imageId), container.running)
  return {
    id: container.id,
    name: container.name,
    deployment: labels?.deployment ?? null,
    leaf: labels?.leaf ?? null,
    generation: labels === null ? null : String(labels.generation),
    runDigest: labels?.digest ?? null,
    commit: labels?.commit ?? null,
    running,
    healthy: container.state === 'paused' ? false : running ? isWell(script, uptime) : null,
    restartPolicy: container.restartPolicy,
  }
}
