// Networks, volumes and images in memory.

import { EngineFault } from '../../apply/engine.ts'
import type { PullOptions } from '../../apply/engine.ts'
import type { NetworkWish, VolumeWish } from '../../desired/tree.ts'
import { optionsDigest } from '../../plan/digests.ts'
import type { ImageFacts } from '../../plan/observed.ts'
import { pullFault } from '../pull-faults.ts'
import { formatReference, parseReference } from '../../desired/image-reference.ts'
import { hex, type MemoryImage } from './behaviour.ts'
import type { World } from './world.ts'

/** One that this deployment has already is no error. */
export function createNetwork(world: World, deployment: string, wish: NetworkWish): void {
  if (alreadyOurs('network', world.networks.get(wish.name), deployment)) return
  const { name, options } = wish
  world.networks.set(name, {
    id: hex(`network ${world.sequence++}`),
    name,
    deployment,
    optionsDigest: optionsDigest(options),
    options,
  })
}

export function removeNetwork(world: World, id: string): void {
  const network = [...world.networks.values()].find((candidate) => candidate.id === id)
  if (network === undefined) return
  // Only what runs holds a network fast.
  if ([...world.containers.values()].some((container) => container.addresses.has(network.name))) {
    throw new EngineFault('engine', `network ${network.name} has active endpoints`, 'Remove its containers first')
  }
  world.networks.delete(network.name)
}

export function createVolume(world: World, deployment: string, wish: VolumeWish): void {
  if (alreadyOurs('volume', world.volumes.get(wish.name), deployment)) return
  const { name, options } = wish
  const label = { deployment, kind: 'volume', leaf: null, generation: null, optionsDigest: optionsDigest(options) }
  world.volumes.set(name, { name, ...label, options })
}

export function createMark(world: World, deployment: string, name: string, leaf: string, generation: number): void {
  if (alreadyOurs('volume', world.volumes.get(name), deployment)) return
  const options = { driver: 'local', driver_opts: {}, labels: {} }
  world.volumes.set(name, { name, deployment, kind: 'job-done', leaf, generation, optionsDigest: null, options })
}

function alreadyOurs(
  what: string,
  there: { readonly name: string; readonly deployment: string | null } | undefined,
  deployment: string,
): boolean {
  if (there === undefined || there.deployment === deployment) return there !== undefined
  const message = `cannot create ${what} ${there.name}: there is one of this name that is not graft's`
  throw new EngineFault('name-taken', message, 'Give it another name in deployment.yaml, or say external: true')
}

/** By id or by reference. */
export function findImage(world: World, reference: string): ImageFacts | null {
  const id = world.images.has(reference) ? reference : world.tags.get(fullReference(reference))
  return id === undefined ? null : (world.images.get(id)?.facts ?? null)
}

export async function pullImage(world: World, reference: string, options: PullOptions): Promise<ImageFacts> {
  options.signal?.throwIfAborted()
  const image = world.published.get(fullReference(reference))
  if (image === undefined) throw pullFault(reference, `manifest for ${reference} not found: manifest unknown`, null)
  const { size = 1000, pullTakes = 0 } = image.definition
  options.onProgress?.({ current: 0, total: size, status: 'Downloading' })
  if (pullTakes > 0) await world.clock.sleep(pullTakes, options.signal)
  options.signal?.throwIfAborted()
  options.onProgress?.({ current: size, total: size, status: 'Pull complete' })
  addImage(world, reference, image)
  return image.facts
}

export function addImage(world: World, reference: string, image: MemoryImage): void {
  world.images.set(image.facts.id, image)
  world.tags.set(fullReference(reference), image.facts.id)
}

export function tagImage(world: World, id: string, tag: string): void {
  if (!world.images.has(id)) throw new EngineFault('not-found', `no such image ${id}`, 'The next turn looks again')
  world.tags.set(fullReference(tag), id)
}

/** The image goes with its last tag, unless a container is made from it: then the tag stays, as on an engine. */
export function removeTag(world: World, tag: string): void {
  const reference = fullReference(tag)
  const id = world.tags.get(reference)
  if (id === undefined) return
  const last = [...world.tags.values()].filter((other) => other === id).length === 1
  const used = [...world.containers.values()].some((container) => container.imageId === id)
  if (last && used) return
  world.tags.delete(reference)
  if (last) world.images.delete(id)
}

export function fullReference(reference: string): string {
  const parsed = parseReference(reference)
  return parsed === null ? reference : formatReference(parsed)
}
