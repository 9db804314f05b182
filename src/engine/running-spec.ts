// An inspected container as the spec it runs with, in the canonical form of `Spec`: what an engine fills in by itself
// is left out, what the image brought stays in. Holds for Engine API 1.41 to 1.51 and their differences.

import type { EngineHealthcheck, GpuRequest, PublishedPort, Spec } from '../desired/spec.ts'
import type { RunningSpec } from '../plan/observed.ts'
import type { EngineDefaults } from './connect.ts'
import { authoredLabels, readIngressPorts, readSecrets } from './labels.ts'
import { isSecretsFolder } from './secret-files.ts'
import { runningLimits } from './running-limits.ts'
import { runningMounts } from './running-mounts.ts'
import { runningNetworks } from './running-networks.ts'
import type { WireContainer, WireDeviceRequest, WireHealthcheck, WireHostConfig } from './wire.ts'

const NANOSECONDS_A_MILLISECOND = 1e6

type Labels = Record<string, string>

export function runningSpec(container: WireContainer, defaults: EngineDefaults): RunningSpec {
  const { Config: config, HostConfig: host } = container
  return {
    ...optional('command', nonEmpty(config.Cmd)),
    ...optional('entrypoint', nonEmpty(config.Entrypoint)),
    environment: readEnvironment(config.Env ?? [], readSecrets(config.Labels)),
    labels: authoredLabels(config.Labels),
    annotations: host.Annotations ?? {},
    ...optional('user', nonBlank(config.User)),
    ...optional('working_dir', nonBlank(config.WorkingDir)),
    ...optional('hostname', ownHostname(container, defaults)),
    ...optional('domainname', nonBlank(config.Domainname)),
    init: host.Init ?? false,
    tty: config.Tty ?? false,
    stdin_open: config.OpenStdin ?? false,
    read_only: host.ReadonlyRootfs ?? false,
    privileged: host.Privileged ?? false,

    expose: Object.keys(config.ExposedPorts ?? {}).toSorted(),
    ports: [...readPorts(host), ...readIngressPorts(config.Labels)],
    ...runningNetworks(container),
    extra_hosts: (host.ExtraHosts ?? []).toSorted(),
    dns: host.Dns ?? [],
    dns_search: host.DnsSearch ?? [],
    dns_opt: host.DnsOptions ?? [],

    mounts: runningMounts(host).filter((mount) => !isSecretsFolder(mount, config.Labels)),

    ...optional('healthcheck', readHealthcheck(config.Healthcheck)),
    ...optional('stop_signal', nonBlank(config.StopSignal)),
    ...optional('stop_grace_period', typeof config.StopTimeout === 'number' ? config.StopTimeout * 1000 : undefined),

    cap_add: (host.CapAdd ?? []).toSorted(),
    cap_drop: (host.CapDrop ?? []).toSorted(),
    security_opt: (host.SecurityOpt ?? []).toSorted(),
    devices: (host.Devices ?? []).map((device) => ({
      source: device.PathOnHost,
      target: device.PathInContainer,
      permissions: device.CgroupPermissions,
    })),
    device_cgroup_rules: host.DeviceCgroupRules ?? [],
    ...optional('gpus', host.DeviceRequests?.length ? host.DeviceRequests.map(readGpu) : undefined),
    group_add: (host.GroupAdd ?? []).toSorted(),
    ...optional('ipc', ownIpc(host)),
    ...optional('pid', nonBlank(host.PidMode)),
    ...optional('uts', nonBlank(host.UTSMode)),
    ...optional('userns_mode', nonBlank(host.UsernsMode)),
    ...optional('cgroup', nonBlank(host.CgroupnsMode)),
    ...optional('cgroup_parent', nonBlank(host.CgroupParent)),
    sysctls: host.Sysctls ?? {},
    ...optional('runtime', nonBlank(host.Runtime)),
    ...runningLimits(host),

    logging: { driver: host.LogConfig?.Type ?? '', options: host.LogConfig?.Config ?? {} },
    unsupported: ['platform', ...defaults.missingLimits],
    defaults: { cgroup: defaults.cgroup, runtime: defaults.runtime },
  }
}

/** `no`, `always`, `unless-stopped`, `on-failure[:N]`. */
export function readRestartPolicy(policy: WireHostConfig['RestartPolicy']): string {
  const name = policy?.Name || 'no'
  const retries = policy?.MaximumRetryCount ?? 0
  return name === 'on-failure' && retries > 0 ? `on-failure:${retries}` : name
}

/** The engine gives a container its short id, or in another's UTS namespace that one's name; neither was asked for. */
function ownHostname(container: WireContainer, defaults: EngineDefaults): string | undefined {
  const { Config: config, HostConfig: host, Id: id } = container
  const name = nonBlank(config.Hostname)
  if (name === undefined || name === id.slice(0, 12)) return undefined
  if (host.NetworkMode?.startsWith('container:')) return undefined
  const inherits = host.NetworkMode === 'host' || host.UTSMode === 'host'
  return inherits && name === defaults.hostname ? undefined : name
}

/** `private`, and before it `shareable`, is what the engine chooses by itself; only the former on 20.10 and newer. */
function ownIpc(host: WireHostConfig): string | undefined {
  return host.IpcMode === 'private' ? undefined : nonBlank(host.IpcMode)
}

function readPorts(host: WireHostConfig): PublishedPort[] {
  const ports: PublishedPort[] = []
  for (const [key, bindings] of Object.entries(host.PortBindings ?? {})) {
    const [target = '', protocol = 'tcp'] = key.split('/')
    for (const binding of bindings ?? []) {
      ports.push({
        target: Number(target),
        published: Number(binding.HostPort || 0),
        protocol: protocol === 'udp' || protocol === 'sctp' ? protocol : 'tcp',
        ...optional('host_ip', nonBlank(binding.HostIp)),
        mode: 'host',
      })
    }
  }
  return ports
}

function readHealthcheck(check: WireHealthcheck | null | undefined): EngineHealthcheck | undefined {
  if (!check) return undefined
  if (check.Test?.[0] === 'NONE') return { disable: true }
  const milliseconds = (nanoseconds: number | undefined) =>
    nanoseconds ? nanoseconds / NANOSECONDS_A_MILLISECOND : undefined
  const read: EngineHealthcheck = {
    ...optional('test', nonEmpty(check.Test)),
    ...optional('interval', milliseconds(check.Interval)),
    ...optional('timeout', milliseconds(check.Timeout)),
    ...optional('start_period', milliseconds(check.StartPeriod)),
    ...optional('start_interval', milliseconds(check.StartInterval)),
    ...optional('retries', check.Retries || undefined),
  }
  return Object.keys(read).length === 0 ? undefined : read
}

function readGpu(request: WireDeviceRequest): GpuRequest {
  return {
    ...optional('driver', nonBlank(request.Driver)),
    ...optional('count', request.Count || undefined),
    ...optional('device_ids', nonEmpty(request.DeviceIDs)),
    capabilities: request.Capabilities ?? [],
    ...optional('options', Object.keys(request.Options ?? {}).length > 0 ? (request.Options ?? {}) : undefined),
  }
}

/** What is a secret is not read: its digest is a label. */
function readEnvironment(entries: readonly string[], secrets: Readonly<Labels> | null): Spec['environment'] {
  const environment: Spec['environment'] = {}
  for (const entry of entries) {
    const equals = entry.indexOf('=')
    const name = equals < 0 ? entry : entry.slice(0, equals)
    if (secrets !== null && Object.hasOwn(secrets, `environment.${name}`)) continue
    environment[name] = equals < 0 ? '' : entry.slice(equals + 1)
  }
  return environment
}

function nonBlank(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text
}

function nonEmpty(list: string[] | null | undefined): string[] | undefined {
  return list && list.length > 0 ? list : undefined
}

function optional<Key extends string, Value>(key: Key, value: Value | undefined): { [key in Key]?: Value } {
  const holder: { [key in Key]?: Value } = {}
  if (value !== undefined) holder[key] = value
  return holder
}
