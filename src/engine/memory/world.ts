// Everything an engine in memory holds, and who is told when it changes.

import type { Clock } from '../../apply/clock.ts'
import type { EndedBy, EngineEvent, LogLine } from '../../apply/engine.ts'
import type {
  ContainerState,
  GraftLabels,
  ObservedContainer,
  ObservedNetwork,
  ObservedVolume,
  RunningSpec,
} from '../../plan/observed.ts'
import type { MemoryImage } from './behaviour.ts'

export interface MemoryContainer {
  readonly id: string
  name: string
  /** null: not graft's. */
  readonly labels: GraftLabels | null
  readonly imageId: string
  running: RunningSpec
  state: ContainerState
  health: ObservedContainer['health']
  exitCode: number
  error: string
  readonly createdAt: number
  startedAt: number | null
  /** Steady time of its last start: how long something runs does not hang on the host's clock. */
  runsSince: number | null
  finishedAt: number | null
  restartCount: number
  restartPolicy: string
  /** Whether somebody stopped it: then it does not come back by itself while the engine runs. */
  stoppedByHand: boolean
  /** What the engine's events say of it, which are forgotten when the engine restarts: whether it was sent a signal. */
  signalled: boolean
  /** Whether its last start is among them. */
  startKnown: boolean
  /** What they say of its last end. */
  endedBy: EndedBy
  /** What its own script and its policy will do, in steady time; see lifecycle.ts. */
  exitAt: number | null
  restartAt: number | null
  backoff: number
  healthChanges: { readonly at: number; readonly health: 'healthy' | 'unhealthy' }[]
  addresses: Map<string, { ipv4: string; ipv6: string }>
  readonly log: LogLine[]
  /** Of an ingress container: the configuration in its file, and what it serves while it runs. */
  ingress: { file: string; served: string | null } | null
}

export interface World {
  readonly clock: Clock
  /** By id, in the order of their making. */
  readonly containers: Map<string, MemoryContainer>
  /** By name. `endpoints` is counted when somebody looks. */
  readonly networks: Map<string, Omit<ObservedNetwork, 'endpoints'>>
  readonly volumes: Map<string, ObservedVolume>
  /** Containers of nobody's that were taken over, by id. */
  readonly adopted: Map<string, GraftLabels>
  /** By id. */
  readonly images: Map<string, MemoryImage>
  /** Reference → id of an image that is here. */
  readonly tags: Map<string, string>
  /** What the registries have. */
  readonly published: Map<string, MemoryImage>
  /** Told of every change of a container, with the event that an engine would send. */
  readonly listeners: Set<(event: WorldEvent) => void>
  sequence: number
}

export type WorldEvent =
  | { readonly kind: 'event'; readonly deployment: string | null; readonly event: EngineEvent }
  /** The engine itself went down: every open stream breaks. */
  | { readonly kind: 'down' }

export function emptyWorld(clock: Clock): World {
  const network = (name: string, driver: string) => ({
    id: name.padEnd(64, '0'),
    name,
    deployment: null,
    optionsDigest: null,
    options: {
      driver,
      driver_opts: {},
      internal: false,
      attachable: false,
      enable_ipv6: false,
      ipam: { config: [] },
      labels: {},
    },
  })
  return {
    clock,
    containers: new Map(),
    networks: new Map(
      [network('bridge', 'bridge'), network('host', 'host'), network('none', 'null')].map((n) => [n.name, n]),
    ),
    volumes: new Map(),
    adopted: new Map(),
    images: new Map(),
    tags: new Map(),
    published: new Map(),
    listeners: new Set(),
    sequence: 0,
  }
}

/** `at`: in the clock's steady time. */
export function emit(world: World, container: MemoryContainer, action: string, at: number): void {
  const labels = labelsOf(world, container)
  const event = { action, containerId: container.id, leaf: labels?.leaf ?? null, time: wallTime(world, at) }
  const told = { kind: 'event', deployment: labels?.deployment ?? null, event } as const
  for (const listener of world.listeners) listener(told)
}

/** By itself or by adoption; null: nobody's. */
export function labelsOf(world: World, container: MemoryContainer): GraftLabels | null {
  return container.labels ?? world.adopted.get(container.id) ?? null
}

/** What the host's clock says at a moment of steady time, in milliseconds since 1970: what an engine writes down. */
export function wallTime({ clock }: World, at: number): number {
  return clock.now() - clock.steady() + at
}

export function emitDown(world: World): void {
  for (const listener of world.listeners) listener({ kind: 'down' })
}

/** By id, the beginning of one, or name, as an engine finds it. */
export function findContainer(world: World, idOrName: string): MemoryContainer | null {
  const byId = world.containers.get(idOrName)
  if (byId !== undefined) return byId
  for (const container of world.containers.values()) if (container.name === idOrName) return container
  return null
}
