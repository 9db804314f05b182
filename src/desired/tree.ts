// The desired state as a commit declares it: a deployment, its sets, and at the leaves containers and jobs.

import type { CommitFacts } from '../repository/snapshot.ts'
import type { ImagePolicy } from './image-policy.ts'
import type { OpenSecrets, SecretOrigin } from './secret-source.ts'
import type { Milliseconds, Spec } from './spec.ts'

export interface Tree {
  readonly commit: CommitFacts | null
  /** The deployment's name, part of every label. */
  readonly name: string
  /** Put before every container name; empty where none is wanted. */
  readonly prefix: string
  /** The root set; its path is ''. */
  readonly root: ContainerSet
  /** Every leaf by its name, in the order of their paths. */
  readonly leaves: ReadonlyMap<string, Leaf>
  /** Networks in use or declared, keyed by the name in `deployment.yaml`. */
  readonly networks: ReadonlyMap<string, NetworkWish>
  readonly volumes: ReadonlyMap<string, VolumeWish>
  /** The load balancer in front of the ports with `mode: ingress`; null where the deployment has none. */
  readonly ingress: Ingress | null
  /** The most leaves one plan may remove without confirmation, where the repository says so (it may only lower the host's). */
  readonly removal_limit: number | null
}

/**
 * What of `ingress` in `deployment.yaml` is about carrying connections. Its container is a leaf like any other, declared
 * in `deployment.yaml` and not in a file of its own. None of this is part of that leaf's spec: it reaches HAProxy with
 * the next configuration and needs no generation.
 */
export interface Ingress {
  /** Name of its leaf in `Tree.leaves`. */
  readonly leaf: string
  /**
   * Port on which each ingress container tells which configuration it serves, on an address of its own in 127.0.0.0/8.
   */
  readonly checkPort: number
  /** Whether ports without `host_ip` are also opened on all IPv6 addresses. */
  readonly ipv6: boolean
  readonly timeouts: IngressTimeouts
}

/** Milliseconds. `tcp`: silence on an open connection, in either direction; `http`: between two parts of an answer. */
export interface IngressTimeouts {
  readonly connect: Milliseconds
  readonly tcp: Milliseconds
  readonly http: Milliseconds
  /** An HTTP client's open connection without a request. */
  readonly keep_alive: Milliseconds
}

export interface ContainerSet {
  /** Folder below the deployment's folder; '' for the root. */
  readonly path: string
  /** Last part of the path; the deployment's name for the root. */
  readonly name: string
  readonly description: string
  /** Names of sibling sets or leaves. */
  readonly depends_on: readonly string[]
  readonly together: boolean
  readonly state: 'running' | 'stopped'
  readonly suspend: boolean
  readonly sets: readonly ContainerSet[]
  /** Names of the leaves directly in this set. */
  readonly leaves: readonly string[]
}

export interface Leaf {
  readonly name: string
  readonly kind: 'container' | 'job'
  /** Path of the file, for example `control/nova/nova-api.yaml`. */
  readonly file: string
  /** Path of the set it lies in. */
  readonly set: string
  readonly generation: number
  /** Line of `generation:` in the file, 1-based. */
  readonly generationLine: number
  /** Hex digits of `generation: 8 # 3fa91c`, the start of the ledger digest its author meant; null where there is none. */
  readonly digestComment: string | null
  readonly renamed_from: string | null
  /** With the host's own values, or with the examples where the host's are not known. */
  readonly spec: Spec
  /** SHA-256 (hex) of the spec as the repository alone determines it. */
  readonly ledgerDigest: string
  /** Contents of `spec.files`, keyed by the path in the container. */
  readonly fileContents: ReadonlyMap<string, Uint8Array>
  /** Where the values of `spec.secrets` come from, by their content there; absent for a leaf without secrets. */
  readonly secretOrigins?: ReadonlyMap<string, SecretOrigin>
  /** Their values; absent where nobody opened them: without the host, or where one cannot be read. */
  readonly secrets?: OpenSecrets
  readonly pull_policy: 'missing' | 'always' | 'never'
  /** graft's own probe, instead of a check that the engine runs. */
  readonly probe: Probe | null
  readonly update: UpdatePolicy
  /** Which tags of its image may follow; null: nothing is said. */
  readonly image_policy: ImagePolicy | null
  readonly on_unhealthy: 'restart' | 'ignore'
  /** false: never removed when the leaf goes away. */
  readonly prune: boolean
  /** What must be there first, sets resolved to their leaves: leaf name → condition. */
  readonly dependencies: ReadonlyMap<string, Dependency>
  /** stopped or suspended by its own set or any above it. */
  readonly state: 'running' | 'stopped'
  readonly suspend: boolean
}

export interface Dependency {
  readonly condition: 'service_started' | 'service_healthy' | 'service_completed_successfully'
  /** Restart this leaf when the dependency's container is replaced (Compose's depends_on.restart). */
  readonly restart: boolean
}

export type Probe = ProbeTiming & (HttpProbe | TcpProbe | IngressProbe)

export interface ProbeTiming {
  readonly interval: Milliseconds
  readonly timeout: Milliseconds
  readonly retries: number
  readonly start_period: Milliseconds
}

export interface HttpProbe {
  readonly kind: 'http'
  readonly port: number
  readonly path: string
  readonly scheme: 'http' | 'https'
  readonly headers: Readonly<Record<string, string>>
  /** Inclusive ranges of status codes that mean healthy. */
  readonly status: readonly (readonly [number, number])[]
}

export interface TcpProbe {
  readonly kind: 'tcp'
  readonly port: number
}

/** The check of the ingress itself: whether it serves a configuration of graft's. */
export interface IngressProbe {
  readonly kind: 'ingress'
  readonly port: number
}

export interface UpdatePolicy {
  /** null: graft chooses. */
  readonly order: 'start-first' | 'stop-first' | null
  readonly deadline: Milliseconds
  /** null: chosen at the gate: 3 s without any check, 0 with one. */
  readonly settle: Milliseconds | null
  readonly drain: Milliseconds
  /** Whether clients are played during a swap, to tell how many requests were lost. */
  readonly measure: boolean
}

export interface NetworkWish {
  /** Name in `deployment.yaml`. */
  readonly key: string
  /** Name on the engine. */
  readonly name: string
  readonly external: boolean
  readonly options: NetworkOptions
}

export interface NetworkOptions {
  driver: string
  driver_opts: Record<string, string>
  internal: boolean
  attachable: boolean
  enable_ipv6: boolean
  ipam: {
    driver?: string
    options?: Record<string, string>
    config: { subnet?: string; gateway?: string; ip_range?: string; aux_addresses?: Record<string, string> }[]
  }
  labels: Record<string, string>
}

export interface VolumeWish {
  readonly key: string
  readonly name: string
  readonly external: boolean
  readonly options: { driver: string; driver_opts: Record<string, string>; labels: Record<string, string> }
}
