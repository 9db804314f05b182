// What can be done to containers in memory, with the answers a real engine gives.

import { EngineFault } from '../../apply/engine.ts'
import type { CapturedContainer, CreateOrder } from '../../apply/engine.ts'
import type { Leaf } from '../../desired/tree.ts'
import { effectiveSpec } from '../../plan/effective.ts'
import { imageVolumes, imageVolumeWish } from '../../plan/image-volumes.ts'
import type { RunningSpec } from '../../plan/observed.ts'
import { containerLabels, readContainerLabels } from '../labels.ts'
import { behaviourOf, hex } from './behaviour.ts'
import { joinAddress } from './claims.ts'
import { begin, halt, INITIAL_BACKOFF } from './lifecycle.ts'
import { createVolume } from './resources.ts'
import { emit, findContainer, labelsOf, type MemoryContainer, type World } from './world.ts'

/** What Docker fills in on a host with cgroup 2. */
const DEFAULTS = { cgroup: 'private', runtime: 'runc' }

/** Docker's grace period where a container names none (Engine API 1.41, ContainerStop). */
const GRACE = 10_000

export function create(world: World, order: CreateOrder): string {
  const { tree, leaf } = order
  const { image } = order
  if (!world.images.has(image.id)) throw missing(`image ${image.id}`)
  for (const volume of imageVolumes(tree.name, leaf.name, leaf.spec, image)) {
    if (!world.volumes.has(volume.name)) createVolume(world, tree.name, imageVolumeWish(volume))
  }
  const running: RunningSpec = { ...effectiveSpec(leaf, tree, image, order.joins), unsupported: [], defaults: DEFAULTS }
  const container = addContainer(world, order.name, image.id, running, readContainerLabels(containerLabels(order)))
  return container.id
}

/** Also for containers that are not graft's: their `labels` are null. */
export function addContainer(
  world: World,
  name: string,
  imageId: string,
  running: RunningSpec,
  labels: MemoryContainer['labels'],
): MemoryContainer {
  refuseTakenName(world, name)
  for (const mount of running.mounts) {
    if (mount.type === 'volume' && !world.volumes.has(mount.source)) addForeignVolume(world, mount.source)
  }
  const now = world.clock.steady()
  const container: MemoryContainer = {
    id: hex(`container ${world.sequence++}`),
    name,
    labels,
    imageId,
    running,
    state: 'created',
    health: 'none',
    exitCode: 0,
    error: '',
    createdAt: world.clock.now(),
    startedAt: null,
    runsSince: null,
    finishedAt: null,
    restartCount: 0,
    restartPolicy: 'no',
    stoppedByHand: false,
    signalled: false,
    startKnown: false,
    endedBy: 'unknown',
    exitAt: null,
    restartAt: null,
    backoff: INITIAL_BACKOFF,
    healthChanges: [],
    addresses: new Map(),
    log: [],
    ingress: null,
  }
  world.containers.set(container.id, container)
  emit(world, container, 'create', now)
  return container
}

export function capture(world: World, id: string): CapturedContainer | null {
  const container = findContainer(world, id)
  if (container === null) return null
  const content: MemoryContainer = { ...container, labels: labelsOf(world, container) }
  return { name: container.name, content }
}

export function recreate(world: World, { name, content }: CapturedContainer): string {
  const { imageId, running, labels, ingress } = content as MemoryContainer
  const container = addContainer(world, name, imageId, running, labels)
  container.ingress = ingress === null ? null : { file: ingress.file, served: null }
  return container.id
}

export function putFiles(world: World, id: string): void {
  get(world, id)
}

/** One that runs already is no error; a paused one is. */
export function start(world: World, id: string): void {
  const container = get(world, id)
  if (container.state === 'running' || container.state === 'restarting') return
  if (container.state === 'paused') throw refused('cannot start a paused container, try unpause instead')
  begin(world, container, world.clock.steady())
  container.stoppedByHand = false
  container.restartCount = 0
  container.backoff = INITIAL_BACKOFF
}

/** Takes as long as its script says, its grace period at most; then it is killed. */
export async function stop(world: World, id: string): Promise<void> {
  const container = get(world, id)
  if (container.state === 'created' || container.state === 'exited' || container.state === 'dead') return
  const { clock } = world
  const { stopTakes = 0 } = behaviourOf(world.images.get(container.imageId), container.running)
  const grace = container.running.stop_grace_period ?? GRACE
  container.stoppedByHand = true
  container.signalled = true
  if (container.state !== 'restarting') {
    emit(world, container, 'kill', clock.steady())
    if (stopTakes > 0) await clock.sleep(Math.min(stopTakes, grace))
  }
  // It may have ended or gone while its grace period ran.
  const after: MemoryContainer | undefined = world.containers.get(container.id)
  if (after !== undefined && after.state !== 'exited') {
    halt(world, container, stopTakes > grace ? 137 : 143, clock.steady())
    emit(world, container, 'die', clock.steady())
  }
  emit(world, container, 'stop', clock.steady())
}

export function unpause(world: World, id: string): void {
  const container = get(world, id)
  if (container.state !== 'paused') return
  container.state = 'running'
  emit(world, container, 'unpause', world.clock.steady())
}

export function pause(world: World, id: string): void {
  const container = get(world, id)
  if (container.state !== 'running') throw refused(`container ${id} is not running`)
  container.state = 'paused'
  emit(world, container, 'pause', world.clock.steady())
}

export function setRestartPolicy(world: World, id: string, policy: string): void {
  const container = get(world, id)
  container.restartPolicy = policy
  emit(world, container, 'update', world.clock.steady())
}

export function updateLimits(world: World, id: string, leaf: Leaf, fields: readonly string[]): void {
  const container = get(world, id)
  const wanted = new Map<string, unknown>(Object.entries(leaf.spec))
  const limits = fields.map((field) => [field.split('.')[0] ?? field, wanted.get(field.split('.')[0] ?? field)])
  container.running = { ...container.running, ...Object.fromEntries(limits) }
  emit(world, container, 'update', world.clock.steady())
}

export function rename(world: World, id: string, name: string): void {
  const container = get(world, id)
  if (container.name === name) return
  refuseTakenName(world, name)
  container.name = name
  emit(world, container, 'rename', world.clock.steady())
}

export function remove(world: World, id: string): void {
  const container = findContainer(world, id)
  if (container === null) return
  if (container.state === 'running' || container.state === 'paused') {
    container.stoppedByHand = true
    halt(world, container, 137, world.clock.steady())
    emit(world, container, 'die', world.clock.steady())
  }
  world.containers.delete(container.id)
  emit(world, container, 'destroy', world.clock.steady())
}

export function connect(world: World, id: string, leaf: Leaf, network: string, networkName: string): void {
  const container = get(world, id)
  if (!world.networks.has(networkName)) throw missing(`network ${networkName}`)
  const join = leaf.spec.networks[network] ?? { aliases: [] }
  const { network_mode, ...running } = container.running
  const alone = network_mode === undefined || network_mode === 'none' ? running : container.running
  container.running = { ...alone, networks: { ...container.running.networks, [networkName]: join } }
  if (container.state === 'running') container.addresses.set(networkName, joinAddress(world, container, networkName))
  emit(world, container, 'connect', world.clock.steady())
}

export function disconnect(world: World, id: string, networkName: string): void {
  const container = get(world, id)
  const { [networkName]: _left, ...networks } = container.running.networks
  container.running = { ...container.running, networks }
  container.addresses.delete(networkName)
  emit(world, container, 'disconnect', world.clock.steady())
}

export function get(world: World, id: string): MemoryContainer {
  const container = findContainer(world, id)
  if (container === null) throw missing(`container ${id}`)
  return container
}

function addForeignVolume(world: World, name: string): void {
  const options = { driver: 'local', driver_opts: {}, labels: {} }
  const none = { deployment: null, kind: null, leaf: null, generation: null, optionsDigest: null }
  world.volumes.set(name, { name, ...none, options })
}

function refuseTakenName(world: World, name: string): void {
  const holder = [...world.containers.values()].find((container) => container.name === name)
  if (holder === undefined) return
  const message = `the container name "/${name}" is already in use by container "${holder.id}"`
  throw new EngineFault('name-taken', message, 'Nothing has to be done where the name is free again at the next look')
}

function missing(what: string): EngineFault {
  return new EngineFault('not-found', `no such ${what}`, 'Nothing has to be done, the next turn looks again')
}

function refused(words: string): EngineFault {
  return new EngineFault('engine', words, 'It is tried again; the log of the engine may say more')
}
