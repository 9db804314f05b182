// Taking over containers of nobody's, in memory.

import { EngineFault } from '../../apply/engine.ts'
import { adoptionName } from '../../plan/names.ts'
import type { ObservedContainer } from '../../plan/observed.ts'
import { NOBODYS } from '../labels.ts'
import { observeContainer } from './look.ts'
import { labelsOf, type World } from './world.ts'

export function unowned(world: World): ObservedContainer[] {
  const found = [...world.containers.values()].flatMap((container) => {
    if (labelsOf(world, container) !== null || container.state !== 'running') return []
    const tag = [...world.tags].find(([, id]) => id === container.imageId)?.[0]
    // As people write it.
    const image = tag?.replace(/^docker\.io\/(library\/)?/, '') ?? container.imageId
    const labels = { ...NOBODYS, image, imageId: container.imageId }
    const seen = observeContainer(world, { ...container, labels })
    return seen === null ? [] : [seen]
  })
  return found.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

export function adopt(world: World, { id, labels }: ObservedContainer): void {
  const { deployment, leaf, generation } = labels
  const name = adoptionName(deployment, leaf, generation, id)
  const options = { driver: 'local', driver_opts: {}, labels: {} }
  world.volumes.set(name, { name, deployment, kind: 'adopted', leaf, generation, optionsDigest: null, options })
  world.adopted.set(id, labels)
}

/** The container has gone. */
export function forget(world: World, id: string): void {
  const labels = world.adopted.get(id)
  if (labels === undefined) return
  world.adopted.delete(id)
  world.volumes.delete(adoptionName(labels.deployment, labels.leaf, labels.generation, id))
}

export function removeVolume(world: World, deployment: string, name: string): void {
  const volume = world.volumes.get(name)
  if (volume === undefined) return
  if (volume.deployment !== deployment) {
    throw new EngineFault('name-taken', `the volume ${name} is not ${deployment}'s`, 'Remove it by hand')
  }
  const isUsed = [...world.containers.values()].some(({ running }) =>
    running.mounts.some((mount) => mount.type === 'volume' && mount.source === name),
  )
  if (isUsed) throw new EngineFault('engine', `the volume ${name} is in use`, 'Remove its containers first')
  world.volumes.delete(name)
  for (const [id, labels] of world.adopted) {
    if (adoptionName(labels.deployment, labels.leaf, labels.generation, id) === name) world.adopted.delete(id)
  }
}
