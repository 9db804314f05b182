// The spec of a leaf in its one canonical form: what reaches the container, and nothing else.
// Keys are the Compose Specification's; short and long forms, units and defaults are already resolved.
// An absent optional key means "not asked": the image or the engine decides. Lists whose order has no meaning are
// sorted, so that two specs are equal exactly when their JSON is.

import type { SecretsSpec } from './secret-source.ts'

/** Milliseconds. */
export type Milliseconds = number
/** Bytes. */
export type Bytes = number

export interface Spec {
  /** The reference as the author wrote it, variables filled in: `quay.io/x/y:1.2`, `…@sha256:…`. */
  image: string
  platform?: string
  /** Absent: the image's. Compose's string form is split like a shell would. */
  command?: string[]
  entrypoint?: string[]
  /** Merged from env_file and environment; every key has a value. */
  environment: Record<string, string>
  labels: Record<string, string>
  annotations: Record<string, string>
  user?: string
  working_dir?: string
  hostname?: string
  domainname?: string
  /** Whether the engine puts a reaping PID 1 before the command. 'auto': yes, unless the image's entry point is itself an init. */
  init: boolean | 'auto'
  tty: boolean
  stdin_open: boolean
  read_only: boolean
  privileged: boolean

  /** `PORT/PROTOCOL`, sorted. */
  expose: string[]
  ports: PublishedPort[]
  /** Keyed by the name in `deployment.yaml` (`default` where the leaf names none). Empty with `network_mode`. */
  networks: Record<string, NetworkJoin>
  /** `host`, `none` or `service:LEAF`; absent: `networks`. */
  network_mode?: string
  mac_address?: string
  /** `NAME:ADDRESS`, sorted. */
  extra_hosts: string[]
  dns: string[]
  dns_search: string[]
  dns_opt: string[]

  /** Sorted by target. */
  mounts: Mount[]
  /** Files from the repository, keyed by their absolute path in the container. */
  files: Record<string, FileFacts>
  /** Which secrets go where; absent where the leaf has none. Their values are no part of a spec. */
  secrets?: SecretsSpec

  healthcheck?: EngineHealthcheck
  restart: RestartPolicy
  stop_signal?: string
  stop_grace_period?: Milliseconds

  cap_add: string[]
  cap_drop: string[]
  security_opt: string[]
  devices: Device[]
  device_cgroup_rules: string[]
  gpus?: GpuRequest[]
  group_add: string[]
  ipc?: string
  pid?: string
  uts?: string
  userns_mode?: string
  cgroup?: string
  cgroup_parent?: string
  sysctls: Record<string, string>
  /** Soft and hard limits, keyed by Compose's ulimit name. */
  ulimits: Record<string, { soft: number; hard: number }>
  runtime?: string

  shm_size?: Bytes
  mem_limit?: Bytes
  mem_reservation?: Bytes
  /** -1: unlimited swap. */
  memswap_limit?: Bytes
  /** Cores, as a decimal fraction. */
  cpus?: number
  cpu_shares?: number
  cpuset?: string
  /** -1: unlimited. */
  pids_limit?: number
  oom_score_adj?: number
  oom_kill_disable?: boolean

  logging: { driver: string; options: Record<string, string> }
}

export interface PublishedPort {
  /** Port inside the container. */
  target: number
  /** Port on the host; 0 where the engine is to choose one. */
  published: number
  protocol: 'tcp' | 'udp' | 'sctp'
  /** Address on the host; absent: all. */
  host_ip?: string
  /** `host`: published by the engine. `ingress`: a frontend of the deployment's ingress. */
  mode: 'host' | 'ingress'
  /** The ingress speaks HTTP on it. Absent: it passes bytes on. */
  http?: true
  /** The ingress tells the container the client's address by the PROXY protocol, version 2. */
  proxy_protocol?: true
}

export interface NetworkJoin {
  /** Names besides the container's own, sorted. */
  aliases: string[]
  ipv4_address?: string
  ipv6_address?: string
  link_local_ips?: string[]
  mac_address?: string
}

export type Mount =
  | {
      type: 'volume'
      /** Name in `deployment.yaml`; null: a volume of the leaf's own for the image's declared volume. */
      source: string
      target: string
      read_only: boolean
      nocopy?: boolean
      subpath?: string
    }
  | {
      type: 'bind'
      /** Absolute path on the host. */
      source: string
      target: string
      read_only: boolean
      propagation?: string
      /** Whether the folder on the host is made where it is missing (Compose's short form does). */
      create_host_path: boolean
      selinux?: 'z' | 'Z'
    }
  | { type: 'tmpfs'; target: string; size?: Bytes; mode?: number; options?: string[] }

export interface FileFacts {
  /** SHA-256 of the bytes, hex. */
  sha256: string
  /** Permission bits, for example 0o644. */
  mode: number
  uid: number
  gid: number
}

/** A check that the engine itself runs. `disable` also switches off the image's own. */
export type EngineHealthcheck =
  | { disable: true }
  | {
      /** `['CMD', …]` or `['CMD-SHELL', text]`; absent: the image's test with other timings. */
      test?: string[]
      interval?: Milliseconds
      timeout?: Milliseconds
      start_period?: Milliseconds
      start_interval?: Milliseconds
      retries?: number
    }

/** `no`, `always`, `unless-stopped`, `on-failure`, `on-failure:N`. */
export type RestartPolicy = string

export interface Device {
  source: string
  target: string
  permissions: string
}

export interface GpuRequest {
  driver?: string
  /** -1: all. */
  count?: number
  device_ids?: string[]
  capabilities: string[][]
  options?: Record<string, string>
}
