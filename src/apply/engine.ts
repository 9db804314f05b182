// The engine as graft needs it. src/engine implements it over the Docker Engine API and once in memory; the same
// contract tests hold both. Every call names what it acts on by id or name and may be repeated without harm.

import type { PublishedPort } from '../desired/spec.ts'
import type { HttpProbe, Leaf, NetworkWish, Tree, VolumeWish } from '../desired/tree.ts'
import type { ImageFacts, Observed, ObservedContainer } from '../plan/observed.ts'

export interface Engine {
  /** What the person would type to reach it. */
  readonly url: string

  /** One whole look. `images`: references whose facts are wanted, besides the deployment's own rollback tags. */
  observe(deployment: string, images: readonly string[]): Promise<Observed>
  /** One container, read afresh; null where there is none. */
  inspect(id: string): Promise<ObservedContainer | null>

  findImage(reference: string): Promise<ImageFacts | null>
  pullImage(reference: string, options: PullOptions): Promise<ImageFacts>
  tagImage(id: string, tag: string): Promise<void>
  removeTag(tag: string): Promise<void>
  /** The tags `graft.local/DEPLOYMENT/LEAF:…` that this engine has. */
  rollbackTags(deployment: string, leaf: string): Promise<readonly string[]>
  /** All tags below `graft.local/DEPLOYMENT/` that this engine has, sorted. */
  ownTags(deployment: string): Promise<readonly string[]>

  /** Creates, never starts; restart policy `no`. Resolves to the container's id. */
  create(order: CreateOrder): Promise<string>
  /** Puts files into a container that was not started yet. */
  putFiles(id: string, leaf: Leaf): Promise<void>
  start(id: string): Promise<void>
  /** Waits the container's own grace period; a container that does not run is no error. */
  stop(id: string): Promise<void>
  unpause(id: string): Promise<void>
  /** `no`, `always`, `unless-stopped`, `on-failure[:N]`. */
  setRestartPolicy(id: string, policy: string): Promise<void>
  updateLimits(id: string, leaf: Leaf, fields: readonly string[]): Promise<void>
  rename(id: string, name: string): Promise<void>
  /**
   * What is needed to make a container again that somebody removes while it is stopped: all of its configuration, and
   * the files at `paths`. Null where it is gone already.
   */
  capture(id: string, paths: readonly string[]): Promise<CapturedContainer | null>
  /** Makes it again under its name, stopped, with restart policy `no`. Resolves to the new container's id. */
  recreate(captured: CapturedContainer): Promise<string>
  /** Removes by force, without its volumes; a container that is not there is no error. */
  remove(id: string): Promise<void>
  connect(id: string, leaf: Leaf, network: string, networkName: string): Promise<void>
  disconnect(id: string, networkName: string): Promise<void>

  createNetwork(deployment: string, wish: NetworkWish): Promise<void>
  removeNetwork(id: string): Promise<void>
  createVolume(deployment: string, wish: VolumeWish): Promise<void>
  /** Takes away a volume of the deployment; one that is not there is no error, one of others a fault. */
  removeVolume(deployment: string, name: string): Promise<void>
  /** Running containers that belong to no deployment, sorted by name; their labels are empty but for the image. */
  unowned(): Promise<readonly ObservedContainer[]>
  /**
   * Takes over a container of nobody's: from then on it counts as if it had `container.labels`. Nothing is done to it.
   */
  adopt(container: ObservedContainer): Promise<void>
  /** The empty volume that marks a job as done. Making it twice is no error. */
  createMark(deployment: string, name: string, leaf: string, generation: number): Promise<void>

  /** Runs the leaf's check inside the container once. */
  exec(id: string, command: readonly string[], timeout: number): Promise<ProbeResult>
  /** Opens a connection to the container: from here, or from a helper in its network namespace. */
  probe(id: string, target: ProbeTarget, timeout: number): Promise<ProbeResult>
  /**
   * Opens one connection to a published port as a client of this host would, and closes it; with `http`, asks for its
   * path and waits for the whole answer. null where the port cannot be reached from here (a remote engine).
   */
  knock(port: PublishedPort, http: HttpProbe | null, timeout: number): Promise<ProbeResult | null>
  /** Puts the first configuration into an ingress container that was not started yet. */
  putIngressConfig(id: string, text: string): Promise<void>
  /**
   * Gives a running ingress container another configuration: HAProxy checks it, then takes it over without closing a
   * port that stays. Resolves when new connections are served by it. Throws IngressRejection where HAProxy does not take
   * it; then it serves what it served before, also after a restart.
   */
  loadIngressConfig(id: string, config: IngressConfig): Promise<void>
  /** Digest of the configuration an ingress container serves now; null where it does not run or does not answer. */
  ingressDigest(id: string, checkPort: number): Promise<string | null>
  /** How many clients are connected to the ports the container listens on; null where that cannot be seen from here. */
  openConnections(id: string): Promise<number | null>
  /** Resolves when the container no longer runs. */
  waitForExit(id: string, signal: AbortSignal): Promise<{ readonly exitCode: number }>
  endedBy(container: Ended): Promise<EndedBy>
  logs(id: string, options: LogOptions): AsyncIterable<LogLine>
  /** Container events of one deployment from now on; ends or throws when the connection does. */
  events(deployment: string, signal: AbortSignal): AsyncIterable<EngineEvent>
}

/** A container that ended, as it is now. */
export type Ended = Pick<ObservedContainer, 'id' | 'createdAt' | 'startedAt' | 'finishedAt' | 'state'>

/**
 * Why a container that was made a moment ago no longer runs. `signal`: somebody sent it one through the engine that ends
 * things (`docker stop`, `restart`, `kill`, or graft itself earlier). `unknown`: the engine does not remember its start.
 */
export type EndedBy = 'signal' | 'itself' | 'unknown'

/** Only the engine that made it knows what is inside. */
export interface CapturedContainer {
  readonly name: string
  readonly content: unknown
}

export interface PullOptions {
  readonly platform?: string
  readonly onProgress?: (progress: PullProgress) => void
  readonly signal?: AbortSignal
}

export interface PullProgress {
  /** Bytes; total 0 where the registry has not said yet. */
  readonly current: number
  readonly total: number
  readonly status: string
}

export interface CreateOrder {
  /** Full name on the engine. */
  readonly name: string
  readonly tree: Tree
  readonly leaf: Leaf
  /** The image to run: facts, and the reference to show in `docker ps`. */
  readonly image: ImageFacts
  readonly imageReference: string
  /** Keyed digest of everything resolved. */
  readonly runDigest: string
  /** For `service:X` namespaces: id of X's container. */
  readonly joins: ReadonlyMap<string, string>
}

/** One configuration of the ingress, as src/plan/ingress-config.ts renders it for one container. */
export interface IngressConfig {
  readonly text: string
  /** SHA-256 (hex) over what it does, the same for every container it is rendered for; the check answers with it. */
  readonly digest: string
  readonly checkPort: number
}

/** HAProxy did not take a configuration. */
export class IngressRejection extends Error {
  /** HAProxy's own words, a line each. */
  readonly words: readonly string[]
  /** Lines of the configuration that the words name, 1-based; empty where they name none. */
  readonly lines: readonly number[]
  constructor(words: readonly string[], lines: readonly number[]) {
    super(words.join('; '))
    this.name = 'IngressRejection'
    this.words = words
    this.lines = lines
  }
}

/** `ingress`: whether an ingress container serves a configuration of graft's; `port` is its check port. */
export type ProbeTarget = NetworkTarget | { readonly kind: 'ingress'; readonly port: number }

export type NetworkTarget =
  | { readonly kind: 'tcp'; readonly port: number }
  | {
      readonly kind: 'http'
      readonly port: number
      readonly path: string
      readonly scheme: 'http' | 'https'
      readonly headers: Readonly<Record<string, string>>
      readonly status: readonly (readonly [number, number])[]
    }

export interface ProbeResult {
  readonly healthy: boolean
  /** What was seen, for a person: `HTTP 503`, `connection refused`, `exit 1: no such table`. */
  readonly output: string
}

export interface LogOptions {
  /** Last lines; absent: all. */
  readonly tail?: number
  readonly follow?: boolean
  readonly signal?: AbortSignal
}

export interface LogLine {
  readonly stream: 'stdout' | 'stderr'
  /** Milliseconds since 1970. */
  readonly time: number
  readonly text: string
}

export interface EngineEvent {
  /** `die`, `start`, `rename`, `health_status: unhealthy`, … */
  readonly action: string
  readonly containerId: string
  readonly leaf: string | null
  readonly time: number
}

/**
 * What an engine, a registry or a container did, as a fault that says what follows:
 * `unreachable`, `registry`, `disk`, `engine`: tried again with growing backoff, never the spec's fault.
 * `name-taken`, `not-found`: what was planned no longer fits; look again and plan anew.
 * `start-failed`: the container's own command could not be run (exit 126 or 127); the spec is to blame.
 */
export type FaultKind = 'unreachable' | 'registry' | 'disk' | 'engine' | 'name-taken' | 'not-found' | 'start-failed'

export class EngineFault extends Error {
  readonly kind: FaultKind
  /** What a person can do about it, one sentence. */
  readonly remedy: string
  constructor(kind: FaultKind, message: string, remedy: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'EngineFault'
    this.kind = kind
    this.remedy = remedy
  }
}
