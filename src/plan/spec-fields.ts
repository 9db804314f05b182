// A spec as a flat table of comparable fields in Compose's words: two specs mean the same to an engine exactly when
// their tables are equal. Different spellings of one thing (CAP_NET_ADMIN, a limit's default) become one text. Pure.

import type { EngineHealthcheck, Mount, NetworkJoin, PublishedPort } from '../desired/spec.ts'
import type { EffectiveSpec } from './effective.ts'

/** Field → value ready to show. A field that is absent is not there, or is the engine's default. */
export type SpecFields = Map<string, string>

/** What every Linux engine fills in for an absent value; saying it is the same as not saying it. */
const SHM_SIZE = 64 * 1024 * 1024
const BIND_PROPAGATION = 'rprivate'

export function specFields(spec: EffectiveSpec): SpecFields {
  const fields: SpecFields = new Map()
  const put = (field: string, value: string | number | boolean | undefined) => {
    if (value !== undefined && value !== '' && value !== false) fields.set(field, String(value))
  }
  const putEach = (field: string, entries: Readonly<Record<string, string>>) => {
    for (const [key, value] of Object.entries(entries)) fields.set(`${field}.${key}`, value)
  }
  const putSet = (field: string, values: readonly string[]) => put(field, [...new Set(values)].toSorted().join(', '))

  put('command', words(spec.command))
  put('entrypoint', words(spec.entrypoint))
  putEach('environment', spec.environment)
  putEach('labels', spec.labels)
  putEach('annotations', spec.annotations)
  putEach('sysctls', spec.sysctls)
  for (const key of ['user', 'working_dir', 'hostname', 'domainname', 'uts', 'userns_mode', 'pid'] as const)
    put(key, spec[key])
  for (const key of ['init', 'tty', 'stdin_open', 'read_only', 'privileged'] as const) put(key, spec[key])
  put('ipc', spec.ipc === 'private' ? '' : spec.ipc)
  put('cgroup', spec.cgroup)
  put('cgroup_parent', spec.cgroup_parent)
  put('runtime', spec.runtime)
  put('stop_signal', signalName(spec.stop_signal))
  if (spec.stop_grace_period !== undefined) put('stop_grace_period', `${Math.ceil(spec.stop_grace_period / 1000)}s`)

  const hostPorts = spec.ports.filter((port) => port.mode === 'host')
  const published = new Set(hostPorts.map((port) => `${port.target}/${port.protocol}`))
  putSet(
    'expose',
    spec.expose.filter((port) => !published.has(port)),
  )
  putPorts(put, spec.ports)
  put('network_mode', spec.network_mode)
  put('mac_address', spec.mac_address?.toLowerCase())
  for (const [name, join] of Object.entries(spec.networks)) putNetwork(fields, put, name, join)
  putSet('extra_hosts', spec.extra_hosts)
  put('dns', spec.dns.join(', '))
  put('dns_search', spec.dns_search.join(', '))
  put('dns_opt', spec.dns_opt.join(', '))

  for (const mount of spec.mounts) put(`volumes.${mount.target.replace(/(.)\/+$/, '$1')}`, mountText(mount))
  putHealthcheck(put, spec.healthcheck)

  putSet('cap_add', spec.cap_add.map(capability))
  putSet('cap_drop', spec.cap_drop.map(capability))
  putSet('security_opt', securityOptions(spec))
  putSet('group_add', spec.group_add)
  for (const device of spec.devices) put(`devices.${device.target}`, `${device.source} (${device.permissions})`)
  putSet('device_cgroup_rules', spec.device_cgroup_rules)
  spec.gpus?.forEach((gpu, index) => put(`gpus.${index}`, gpuText(gpu)))
  for (const [name, { soft, hard }] of Object.entries(spec.ulimits)) put(`ulimits.${name}`, `${soft}:${hard}`)

  put('mem_limit', nonZero(spec.mem_limit))
  put('mem_reservation', nonZero(spec.mem_reservation))
  const doubled = spec.mem_limit !== undefined && spec.memswap_limit === 2 * spec.mem_limit
  put('memswap_limit', doubled ? undefined : nonZero(spec.memswap_limit))
  put('cpus', nonZero(spec.cpus === undefined ? undefined : Math.round(spec.cpus * 1e6) / 1e6))
  put('cpu_shares', nonZero(spec.cpu_shares))
  put('cpuset', spec.cpuset)
  put('pids_limit', spec.pids_limit === -1 ? undefined : nonZero(spec.pids_limit))
  put('oom_score_adj', nonZero(spec.oom_score_adj))
  put('oom_kill_disable', spec.oom_kill_disable)
  put('shm_size', spec.shm_size === SHM_SIZE ? undefined : nonZero(spec.shm_size))

  put('logging.driver', spec.logging.driver)
  putEach('logging.options', spec.logging.options)
  return fields
}

type Put = (field: string, value: string | number | boolean | undefined) => void

function putPorts(put: Put, ports: readonly PublishedPort[]): void {
  const byTarget = new Map<string, string[]>()
  for (const port of ports) {
    const key = `ports.${port.target}/${port.protocol}`
    const address = port.host_ip === undefined || port.host_ip === '0.0.0.0' ? '' : `${port.host_ip}:`
    byTarget.set(key, [
      ...(byTarget.get(key) ?? []),
      `${address}${port.published === 0 ? 'any' : port.published}${way(port)}`,
    ])
  }
  for (const [key, texts] of byTarget) put(key, texts.toSorted().join(', '))
}

function way({ mode, http, proxy_protocol }: PublishedPort): string {
  if (mode === 'host') return ''
  return ` by the ingress${http === true ? ' (HTTP)' : ''}${proxy_protocol === true ? ' (PROXY protocol)' : ''}`
}

function putNetwork(fields: SpecFields, put: Put, name: string, join: NetworkJoin): void {
  fields.set(`networks.${name}`, 'joined')
  put(`networks.${name}.aliases`, join.aliases.toSorted().join(', '))
  put(`networks.${name}.ipv4_address`, join.ipv4_address)
  put(`networks.${name}.ipv6_address`, join.ipv6_address)
  put(`networks.${name}.link_local_ips`, join.link_local_ips?.toSorted().join(', '))
  put(`networks.${name}.mac_address`, join.mac_address?.toLowerCase())
}

function putHealthcheck(put: Put, check: EngineHealthcheck | undefined): void {
  if (check === undefined) return
  if ('disable' in check) return put('healthcheck.disable', true)
  put('healthcheck.test', words(check.test))
  for (const key of ['interval', 'timeout', 'start_period', 'start_interval'] as const) {
    const value = check[key]
    if (value !== undefined && value !== 0) put(`healthcheck.${key}`, `${value}ms`)
  }
  put('healthcheck.retries', nonZero(check.retries))
}

function mountText(mount: Mount): string {
  switch (mount.type) {
    case 'volume': {
      const options = [
        mount.read_only ? 'read-only' : '',
        mount.nocopy ? 'nocopy' : '',
        mount.subpath === undefined ? '' : `subpath ${mount.subpath}`,
      ]
      return withOptions(`volume ${mount.source}`, options)
    }
    case 'bind': {
      const propagation = mount.propagation === BIND_PROPAGATION ? '' : (mount.propagation ?? '')
      // What only the other form of the engine's API can say makes its folder too, asked or not.
      const made = mount.create_host_path || mount.selinux !== undefined ? 'create host path' : ''
      const options = [mount.read_only ? 'read-only' : '', propagation, made, mount.selinux ?? '']
      return withOptions(`bind ${mount.source}`, options)
    }
    case 'tmpfs': {
      const size = mount.size === undefined ? '' : `size ${mount.size}`
      const mode = mount.mode === undefined ? '' : `mode ${mount.mode.toString(8)}`
      return withOptions('tmpfs', [size, mode, ...(mount.options ?? []).toSorted()])
    }
  }
}

function withOptions(text: string, options: readonly string[]): string {
  const said = options.filter((option) => option !== '')
  return said.length === 0 ? text : `${text} (${said.join(', ')})`
}

function capability(name: string): string {
  return name.toUpperCase().replace(/^CAP_/, '')
}

/**
 * The engine takes `:` and `=` alike, and switches SELinux labels off by itself for a privileged container and one in
 * the host's or another container's IPC or PID namespace.
 */
function securityOptions(spec: EffectiveSpec): string[] {
  const options = spec.security_opt.map((option) => option.replace(/^([a-z-]+):/, '$1='))
  const shares = [spec.ipc, spec.pid].some((mode) => mode === 'host' || mode?.startsWith('container:'))
  return spec.privileged || shares ? options.filter((option) => option !== 'label=disable') : options
}

function signalName(signal: string | undefined): string {
  return signal === undefined || signal === 'SIGTERM' ? '' : signal
}

function gpuText(gpu: NonNullable<EffectiveSpec['gpus']>[number]): string {
  const which = gpu.device_ids?.join(', ') ?? (gpu.count === -1 ? 'all' : `count ${gpu.count ?? 0}`)
  const capabilities = gpu.capabilities.map((group) => group.join('+')).join(' or ')
  const options = Object.entries(gpu.options ?? {}).map(([name, value]) => `${name}=${value}`)
  return withOptions(`${gpu.driver ?? ''} ${which}`.trim(), [capabilities, ...options])
}

/** Words as they are, with quotes only where a reader could not tell where one ends. */
function words(list: readonly string[] | undefined): string {
  return (list ?? []).map((word) => (/^[^\s"'\\]+$/.test(word) ? word : JSON.stringify(word))).join(' ')
}

function nonZero(value: number | undefined): number | undefined {
  return value === 0 ? undefined : value
}
