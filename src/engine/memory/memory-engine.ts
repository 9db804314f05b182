// An engine in memory, in virtual time: the same interface and the same answers as the real one, held to the same
// contract. For proofs over thousands of simulated turns, with faults before and after each call.

import type { Clock } from '../../apply/clock.ts'
import { EngineFault } from '../../apply/engine.ts'
import type { Engine, ProbeResult } from '../../apply/engine.ts'
import type { EngineFacts, ImageFacts } from '../../plan/observed.ts'
import { deploymentRepositories, parseRollbackTag } from '../../plan/rollback-tag.ts'
import * as adoption from './adoption.ts'
import { behaviourOf, defineImage, isWell, type ImageDefinition } from './behaviour.ts'
import { virtualClock } from './clock.ts'
import * as containers from './containers.ts'
import * as ingress from './ingress.ts'
import { restartEngine } from './engine-restart.ts'
import { catchUp, exit } from './lifecycle.ts'
import { observe, observeContainer } from './look.ts'
import * as resources from './resources.ts'
import * as watching from './watching.ts'
import { emptyWorld, findContainer, type MemoryContainer, type World } from './world.ts'

/** Called around each call of the engine; what it throws is what the caller gets. After: the effect is there already. */
export interface Interference {
  readonly before?: (call: keyof Engine, args: readonly unknown[]) => void | Promise<void>
  readonly after?: (call: keyof Engine, args: readonly unknown[]) => void | Promise<void>
}

export interface MemoryEngineOptions {
  readonly clock?: Clock
  readonly facts?: Partial<EngineFacts>
  readonly interference?: Interference
  /** Milliseconds that a call takes, before it has its effect. */
  readonly durations?: Partial<Record<keyof Engine, number>>
}

export interface MemoryEngine extends Engine {
  /** For assertions; what is due is carried out first. */
  readonly world: () => World
  readonly clock: Clock
  /** An image that is on the engine already. */
  addImage(reference: string, definition?: ImageDefinition): ImageFacts
  /** An image that a pull finds; null takes it away. */
  publish(reference: string, definition: ImageDefinition | null): void
  /** A container that is not graft's, running. */
  addForeign(name: string, reference: string): string
  /** What somebody does by hand, besides the engine's own calls. */
  kill(id: string, exitCode?: number): void
  pause(id: string): void
  /** The engine goes down and comes back, its containers with it unless they live on; see engine-restart.ts. */
  restart(options?: { readonly liveRestore: boolean }): void
}

export function memoryEngine(options: MemoryEngineOptions = {}): MemoryEngine {
  const clock = options.clock ?? virtualClock()
  const world = emptyWorld(clock)
  const facts: EngineFacts = { ...FACTS, ...options.facts }
  const { before, after } = options.interference ?? {}

  /** One call: its time, what interferes, what was due, its effect. */
  async function call<T>(name: keyof Engine, args: readonly unknown[], effect: () => T | Promise<T>): Promise<T> {
    await before?.(name, args)
    const duration = options.durations?.[name] ?? 0
    if (duration > 0) await clock.sleep(duration)
    catchUp(world)
    const result = await effect()
    await after?.(name, args)
    return result
  }

  /** A stream opens at once; what interferes is thrown to whoever iterates. */
  function openStream<T>(
    name: 'logs' | 'events',
    args: readonly unknown[],
    open: () => AsyncIterable<T>,
  ): AsyncIterable<T> {
    try {
      const waiting = before?.(name, args)
      return waiting === undefined ? open() : later(() => waiting, open)
    } catch (error) {
      return later(() => Promise.reject(error), open)
    }
  }

  return {
    url: facts.url,
    clock,
    world: () => {
      catchUp(world)
      return world
    },

    observe: (...args) => call('observe', args, () => observe(world, facts, ...args)),
    inspect: (...args) =>
      call('inspect', args, () => {
        const container = findContainer(world, args[0])
        return container === null ? null : observeContainer(world, container)
      }),

    findImage: (...args) => call('findImage', args, () => resources.findImage(world, ...args)),
    pullImage: (...args) => call('pullImage', args, () => resources.pullImage(world, ...args)),
    tagImage: (...args) => call('tagImage', args, () => resources.tagImage(world, ...args)),
    removeTag: (...args) => call('removeTag', args, () => resources.removeTag(world, ...args)),
    ownTags: (...args) =>
      call('ownTags', args, () => {
        const start = `${deploymentRepositories(args[0])}/`
        return [...world.tags.keys()].filter((tag) => tag.startsWith(start)).toSorted()
      }),
    rollbackTags: (...args) =>
      call('rollbackTags', args, () => {
        const [deployment, leaf] = args
        const tags = [...world.tags.keys()].toSorted()
        return tags.filter((tag) => {
          const parsed = parseRollbackTag(tag)
          return parsed?.deployment === deployment && parsed.leaf === leaf
        })
      }),

    create: (...args) => call('create', args, () => containers.create(world, ...args)),
    putFiles: (...args) => call('putFiles', args, () => containers.putFiles(world, args[0])),
    start: (...args) => call('start', args, () => containers.start(world, ...args)),
    stop: (...args) => call('stop', args, () => containers.stop(world, ...args)),
    unpause: (...args) => call('unpause', args, () => containers.unpause(world, ...args)),
    setRestartPolicy: (...args) => call('setRestartPolicy', args, () => containers.setRestartPolicy(world, ...args)),
    updateLimits: (...args) => call('updateLimits', args, () => containers.updateLimits(world, ...args)),
    rename: (...args) => call('rename', args, () => containers.rename(world, ...args)),
    capture: (...args) => call('capture', args, () => containers.capture(world, args[0])),
    recreate: (...args) => call('recreate', args, () => containers.recreate(world, ...args)),
    remove: (...args) =>
      call('remove', args, () => {
        containers.remove(world, ...args)
        adoption.forget(world, args[0])
      }),
    connect: (...args) => call('connect', args, () => containers.connect(world, ...args)),
    disconnect: (...args) => call('disconnect', args, () => containers.disconnect(world, ...args)),

    createNetwork: (...args) => call('createNetwork', args, () => resources.createNetwork(world, ...args)),
    removeNetwork: (...args) => call('removeNetwork', args, () => resources.removeNetwork(world, ...args)),
    createVolume: (...args) => call('createVolume', args, () => resources.createVolume(world, ...args)),
    removeVolume: (...args) => call('removeVolume', args, () => adoption.removeVolume(world, ...args)),
    unowned: () => call('unowned', [], () => adoption.unowned(world)),
    adopt: (...args) => call('adopt', args, () => adoption.adopt(world, ...args)),
    createMark: (...args) => call('createMark', args, () => resources.createMark(world, ...args)),

    knock: (...args) => call('knock', args, () => ingress.knock(world, args[0], args[1])),
    putIngressConfig: (...args) => call('putIngressConfig', args, () => ingress.putIngressConfig(world, ...args)),
    loadIngressConfig: (...args) => call('loadIngressConfig', args, () => ingress.loadIngressConfig(world, ...args)),
    ingressDigest: (...args) => call('ingressDigest', args, () => ingress.ingressDigest(world, args[0])),
    exec: (...args) => call('exec', args, () => check(world, args[0], { passes: 'exit 0', fails: 'exit 1' })),
    probe: (...args) => {
      const [id, target] = args
      if (target.kind === 'ingress') return call('probe', args, () => ingress.probeIngress(world, id))
      const http = target.kind === 'http'
      const words = http
        ? { passes: 'HTTP 200', fails: 'HTTP 503' }
        : { passes: `port ${target.port} is open`, fails: 'connection refused' }
      return call('probe', args, () => check(world, id, words))
    },
    openConnections: (...args) =>
      call('openConnections', args, () => {
        const container = containers.get(world, args[0])
        return container.state === 'running' ? (script(world, container).connections ?? 0) : 0
      }),
    endedBy: ({ id }) => call('endedBy', [id], () => containers.get(world, id).endedBy),
    waitForExit: (...args) => call('waitForExit', args, () => watching.waitForExit(world, ...args)),
    logs: (...args) => openStream('logs', args, () => watching.logs(world, ...args)),
    events: (...args) => openStream('events', args, () => watching.events(world, ...args)),

    addImage: (reference, definition = {}) => {
      const image = defineImage(reference, definition)
      resources.addImage(world, reference, image)
      return image.facts
    },
    publish: (reference, definition) => {
      const key = resources.fullReference(reference)
      if (definition === null) world.published.delete(key)
      else world.published.set(key, defineImage(reference, definition))
    },
    addForeign: (name, reference) => {
      const image = defineImage(reference, {})
      resources.addImage(world, reference, image)
      const { id } = containers.addContainer(world, name, image.facts.id, FOREIGN, null)
      containers.start(world, id)
      return id
    },
    kill: (id, exitCode = 137) => {
      catchUp(world)
      const container = containers.get(world, id)
      if (container.state !== 'running' && container.state !== 'paused') return
      // `docker kill` counts as a stop by hand; a crash of its own does not, and is scripted with the image.
      container.stoppedByHand = true
      container.signalled = true
      exit(world, container, exitCode, clock.steady())
    },
    pause: (id) => {
      catchUp(world)
      containers.pause(world, id)
    },
    restart: (options = { liveRestore: false }) => {
      catchUp(world)
      restartEngine(world, options)
    },
  }
}

const FACTS: EngineFacts = {
  url: 'memory:',
  id: 'memory',
  version: '20.10.24',
  apiVersion: '1.41',
  os: 'linux',
  architecture: 'amd64',
  product: 'docker',
  addressesReachable: true,
}

/** A container that asks for nothing. */
const FOREIGN: MemoryContainer['running'] = {
  environment: {},
  labels: {},
  annotations: {},
  networks: {},
  sysctls: {},
  ulimits: {},
  init: false,
  tty: false,
  stdin_open: false,
  read_only: false,
  privileged: false,
  expose: [],
  ports: [],
  extra_hosts: [],
  dns: [],
  dns_search: [],
  dns_opt: [],
  mounts: [],
  cap_add: [],
  cap_drop: [],
  security_opt: [],
  devices: [],
  device_cgroup_rules: [],
  group_add: [],
  logging: { driver: 'json-file', options: {} },
  unsupported: [],
}

/** What the image's script says of the container's check now. */
function check(world: World, id: string, words: { passes: string; fails: string }): ProbeResult {
  const container = containers.get(world, id)
  if (container.state === 'paused') return { healthy: false, output: 'the container is paused' }
  if (container.state !== 'running') return { healthy: false, output: 'the container is not running' }
  const behaviour = script(world, container)
  const healthy = isWell(behaviour, world.clock.steady() - (container.runsSince ?? 0))
  if (healthy) return { healthy, output: words.passes }
  return { healthy, output: behaviour.checkOutput ?? words.fails }
}

function script(world: World, container: MemoryContainer) {
  return behaviourOf(world.images.get(container.imageId), container.running)
}

async function* later<T>(ready: () => Promise<void>, open: () => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  await ready()
  yield* open()
}

/** A fault for tests that interfere: the engine cannot be reached. */
export function unreachable(): EngineFault {
  return new EngineFault('unreachable', 'the engine in memory cannot be reached', 'See whether the engine runs')
}
