// What the planner needs to know of an engine, in graft's own words: nothing here knows the engine's API.

import type { NetworkOptions, VolumeWish } from '../desired/tree.ts'
import type { Spec } from '../desired/spec.ts'

/** One look at one engine on behalf of one deployment. */
export interface Observed {
  readonly engine: EngineFacts
  /** Containers that carry this deployment's label, in any state, sorted by name. */
  readonly containers: readonly ObservedContainer[]
  /** Names held by containers without this deployment's label → who holds it, in words for a person. */
  readonly foreignNames: ReadonlyMap<string, string>
  /** Ports of the host that containers of others hold, or that their deployment's ingress holds for them. */
  readonly foreignPorts: readonly ForeignPort[]
  /** All networks by name, ours and others (external ones must be found). */
  readonly networks: ReadonlyMap<string, ObservedNetwork>
  /** All volumes by name. */
  readonly volumes: ReadonlyMap<string, ObservedVolume>
  /**
   * Local images, keyed by each reference the planner asked about (a leaf's image after the host's mirror rules, and
   * the tags `graft.local/DEPLOYMENT/LEAF:gN-…` that exist); null where the engine does not have it.
   */
  readonly images: ReadonlyMap<string, ImageFacts | null>
}

export interface ForeignPort {
  readonly protocol: 'tcp' | 'udp' | 'sctp'
  readonly published: number
  /** Absent: on all addresses. */
  readonly host_ip?: string
  /** Who, in words for a person: `the container other-web`, `web of the deployment shop`. */
  readonly holder: string
}

export interface EngineFacts {
  /** What the person would type to reach it: `unix:///var/run/docker.sock`. */
  readonly url: string
  /** The engine's own id. */
  readonly id: string
  readonly version: string
  /** `1.41`, `1.51`. */
  readonly apiVersion: string
  readonly os: string
  readonly architecture: string
  /** `docker` or `podman`. */
  readonly product: string
  /** Whether graft can open connections to container addresses (not on a remote engine, Docker Desktop, rootless). */
  readonly addressesReachable: boolean
}

export type ContainerState = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead'

export interface ObservedContainer {
  readonly id: string
  /** Without the leading slash. */
  readonly name: string
  readonly labels: GraftLabels
  readonly state: ContainerState
  /** `none` where the container has no check of its own that is switched on. */
  readonly health: 'none' | 'starting' | 'healthy' | 'unhealthy'
  readonly exitCode: number
  readonly oomKilled: boolean
  /** The engine's own words on why it did not start; empty otherwise. */
  readonly error: string
  /** Milliseconds since 1970; null: never. */
  readonly createdAt: number
  readonly startedAt: number | null
  readonly finishedAt: number | null
  readonly restartCount: number
  /** The restart policy in force now, in Compose's words. */
  readonly restartPolicy: string
  /** Id of the image it was made from. */
  readonly imageId: string
  /** Facts of that image; null where the engine no longer has it. */
  readonly image: ImageFacts | null
  /** How it is configured now, raw: image values are still merged in (`effective` in compare.ts does the same to a spec). */
  readonly running: RunningSpec
  /** Address per network name on the engine; empty for a container that does not run. */
  readonly addresses: ReadonlyMap<string, { ipv4: string; ipv6: string }>
}

/** The labels under `dev.graft.`, read back. */
export interface GraftLabels {
  readonly deployment: string
  readonly leaf: string
  readonly kind: 'container' | 'job' | 'lock'
  readonly generation: number
  /** Run digest. */
  readonly digest: string
  readonly commit: string
  /** Authored restart policy. */
  readonly restart: string
  /** Authored image reference. */
  readonly image: string
  readonly imageId: string
  /** Digest over `spec.files`, empty for none. */
  readonly files: string
  /** Keyed digest of each secret, by the field it stands for; absent for a container without any. */
  readonly secrets?: Readonly<Record<string, string>>
  /** Of a container that graft took over: fields that stay as they are until the leaf's next generation. */
  readonly adopted?: { readonly stays: readonly string[] }
}

/**
 * A spec as an engine holds it. `networks` is keyed by the network's name on the engine; volume mounts carry the
 * volume's name on the engine; `network_mode`, `pid` and `ipc` of the form `service:X` read `container:ID`.
 * `unsupported` names the spec keys that this engine cannot tell back, which are then not compared.
 */
export interface RunningSpec extends Omit<Spec, 'image' | 'files' | 'init' | 'restart' | 'secrets'> {
  readonly init: boolean
  readonly unsupported: readonly (keyof Spec)[]
  /** What this engine fills in where a spec does not say. */
  readonly defaults?: { readonly cgroup?: string; readonly runtime?: string }
}

export interface ImageFacts {
  readonly id: string
  readonly digests: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly command: readonly string[]
  readonly entrypoint: readonly string[]
  readonly user: string
  readonly working_dir: string
  readonly labels: Readonly<Record<string, string>>
  /** Keys that only graft may write. An image has none of them in good faith; left out where it has none. */
  readonly graftLabels?: readonly string[]
  readonly expose: readonly string[]
  readonly volumes: readonly string[]
  readonly stop_signal: string
  /** The image's own HEALTHCHECK; null where it has none. */
  readonly healthcheck: {
    readonly test: readonly string[]
    readonly interval?: number
    readonly timeout?: number
    readonly start_period?: number
    readonly start_interval?: number
    readonly retries?: number
  } | null
}

export interface ObservedNetwork {
  readonly id: string
  readonly name: string
  /** Deployment label; null where it is not graft's. */
  readonly deployment: string | null
  /** Digest of the options it was made with (label); null where it is not graft's. */
  readonly optionsDigest: string | null
  /** How many containers are joined to it. */
  readonly endpoints: number
  readonly options: NetworkOptions
}

export interface ObservedVolume {
  readonly name: string
  readonly deployment: string | null
  /** `volume`, or `job-done` / `adopted` for the empty volumes that are marks; null where it is not graft's. */
  readonly kind: string | null
  /** Leaf and generation of a mark; null for data. */
  readonly leaf: string | null
  readonly generation: number | null
  readonly optionsDigest: string | null
  readonly options: VolumeWish['options']
}
