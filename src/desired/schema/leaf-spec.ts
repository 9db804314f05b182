// From what a leaf says to its spec in canonical form: defaults of `format: 1`, ports, networks and mounts resolved.

import type { Mount, PublishedPort, Spec } from '../spec.ts'
import { comparePorts } from './keys/ports.ts'
import { defaultLogging } from './keys/lifecycle.ts'
import type { LeafValues } from './service-keys.ts'

/** Keys whose canonical form goes into the spec as it is, where the leaf has them. */
const OPTIONAL = [
  'platform',
  'command',
  'entrypoint',
  'user',
  'working_dir',
  'hostname',
  'domainname',
  'network_mode',
  'mac_address',
  'stop_signal',
  'stop_grace_period',
  'gpus',
  'ipc',
  'pid',
  'uts',
  'userns_mode',
  'cgroup',
  'cgroup_parent',
  'runtime',
  'shm_size',
  'mem_limit',
  'mem_reservation',
  'memswap_limit',
  'cpus',
  'cpu_shares',
  'cpuset',
  'pids_limit',
  'oom_score_adj',
  'oom_kill_disable',
] as const satisfies readonly (keyof LeafValues & keyof Spec)[]

/** The spec without `files`. `image` is there: its absence was reported before. */
export function leafSpec(values: LeafValues, ingress: boolean): Omit<Spec, 'files'> {
  const spec: Omit<Spec, 'files'> = {
    image: values.image ?? '',
    environment: plainVariables(values),
    labels: values.labels ?? {},
    annotations: values.annotations ?? {},
    init: values.init ?? 'auto',
    tty: values.tty ?? false,
    stdin_open: values.stdin_open ?? false,
    read_only: values.read_only ?? false,
    privileged: values.privileged ?? false,
    expose: values.expose ?? [],
    ports: publishedPorts(values, ingress),
    networks: joinedNetworks(values),
    extra_hosts: values.extra_hosts ?? [],
    dns: values.dns ?? [],
    dns_search: values.dns_search ?? [],
    dns_opt: values.dns_opt ?? [],
    mounts: mounts(values),
    restart: values.kind === 'job' ? 'no' : (values.restart ?? 'always'),
    cap_add: values.cap_add ?? [],
    cap_drop: values.cap_drop ?? [],
    security_opt: values.security_opt ?? [],
    devices: values.devices ?? [],
    device_cgroup_rules: values.device_cgroup_rules ?? [],
    group_add: values.group_add ?? [],
    sysctls: values.sysctls ?? {},
    ulimits: values.ulimits ?? {},
    logging: values.logging ?? defaultLogging(),
  }
  if (values.healthcheck?.kind === 'engine') spec.healthcheck = values.healthcheck.healthcheck
  for (const key of OPTIONAL) {
    if (values[key] !== undefined) Object.assign(spec, { [key]: values[key] })
  }
  return spec
}

/** Those whose value is no secret. */
function plainVariables({ environment }: LeafValues): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment ?? {}).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  )
}

/** A TCP port with a number on the host is the ingress's where there is one, unless the leaf says `mode: host`. */
function publishedPorts(values: LeafValues, ingress: boolean): PublishedPort[] {
  return (values.ports ?? [])
    .map(({ line: _line, mode, ...port }) => {
      const chosen = ingress && port.protocol === 'tcp' && port.published !== 0 ? 'ingress' : 'host'
      return { ...port, mode: mode ?? chosen } as const
    })
    .sort(comparePorts)
}

function joinedNetworks(values: LeafValues): Spec['networks'] {
  if (values.network_mode !== undefined) return {}
  const named = values.networks ?? {}
  return Object.keys(named).length === 0 ? { default: { aliases: [] } } : named
}

function mounts(values: LeafValues): Mount[] {
  return [...(values.volumes ?? []), ...(values.tmpfs ?? [])].sort((a, b) =>
    a.target < b.target ? -1 : a.target > b.target ? 1 : 0,
  )
}
