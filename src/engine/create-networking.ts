// Networks, ports and shared namespaces of a create order. Engines below API 1.44 join one network at creation; the
// others are joined before the container starts.

import type { NetworkJoin, Spec } from '../desired/spec.ts'
import { type CreateOrder, EngineFault } from '../apply/engine.ts'
import { compareVersions } from '../plan/api-needs.ts'
import type { WireConfig, WireEndpoint, WireHostConfig } from './wire.ts'

export interface Networking {
  readonly config: WireConfig
  readonly hostConfig: WireHostConfig
  /** Keyed by the network's name on the engine. */
  readonly endpoints: Record<string, WireEndpoint>
  readonly afterwards: readonly { readonly network: string; readonly endpoint: WireEndpoint }[]
}

export function networkOptions(order: CreateOrder, apiVersion: string): Networking {
  const { spec } = order.leaf
  const ports = publishedPorts(spec)
  const hostConfig: WireHostConfig = {
    PortBindings: ports.bindings,
    ExtraHosts: spec.extra_hosts,
    Dns: spec.dns,
    DnsSearch: spec.dns_search,
    DnsOptions: spec.dns_opt,
    ...(spec.ipc === undefined ? {} : { IpcMode: sharedNamespace(order, spec.ipc) }),
    ...(spec.pid === undefined ? {} : { PidMode: sharedNamespace(order, spec.pid) }),
  }
  const config: WireConfig = Object.keys(ports.exposed).length === 0 ? {} : { ExposedPorts: ports.exposed }
  const names = Object.keys(spec.networks)
  const [first] = names
  if (spec.network_mode !== undefined || first === undefined) {
    const mode = sharedNamespace(order, spec.network_mode ?? 'none')
    const mac = spec.mac_address === undefined ? {} : { MacAddress: spec.mac_address }
    return {
      config: { ...config, ...mac },
      hostConfig: { ...hostConfig, NetworkMode: mode },
      endpoints: {},
      afterwards: [],
    }
  }

  const macPerNetwork = compareVersions(apiVersion, '1.44') >= 0
  const joins = names.map((key) => ({
    network: engineNetwork(order, key),
    endpoint: endpointOptions(spec, key, macPerNetwork),
  }))
  const mac = spec.networks[first]?.mac_address ?? spec.mac_address
  const atOnce = macPerNetwork ? joins : joins.slice(0, 1)
  return {
    config: { ...config, ...(macPerNetwork || mac === undefined ? {} : { MacAddress: mac }) },
    hostConfig: { ...hostConfig, NetworkMode: engineNetwork(order, first) },
    endpoints: Object.fromEntries(atOnce.map(({ network, endpoint }) => [network, endpoint])),
    afterwards: joins.slice(atOnce.length),
  }
}

/** How a leaf joins one of its networks. A container-wide MAC address goes to the first of them, as in Compose. */
export function endpointOptions(spec: Spec, key: string, macPerNetwork: boolean): WireEndpoint {
  const join: NetworkJoin = spec.networks[key] ?? { aliases: [] }
  const mac = join.mac_address ?? (Object.keys(spec.networks)[0] === key ? spec.mac_address : undefined)
  const addresses = {
    ...(join.ipv4_address === undefined ? {} : { IPv4Address: join.ipv4_address }),
    ...(join.ipv6_address === undefined ? {} : { IPv6Address: join.ipv6_address }),
    ...(join.link_local_ips === undefined ? {} : { LinkLocalIPs: join.link_local_ips }),
  }
  return {
    Aliases: join.aliases,
    ...(Object.keys(addresses).length === 0 ? {} : { IPAMConfig: addresses }),
    ...(macPerNetwork && mac !== undefined ? { MacAddress: mac } : {}),
  }
}

function engineNetwork(order: CreateOrder, key: string): string {
  return order.tree.networks.get(key)?.name ?? key
}

/** `service:LEAF` becomes `container:ID`; anything else passes. */
function sharedNamespace(order: CreateOrder, mode: string): string {
  if (!mode.startsWith('service:')) return mode
  const leaf = mode.slice('service:'.length)
  const id = order.joins.get(leaf)
  if (id !== undefined) return `container:${id}`
  throw new EngineFault(
    'not-found',
    `cannot create container ${order.name}: ${leaf}, whose namespace it joins, has no container`,
    'It is created at a later turn, after the one it joins',
  )
}

/** A binding without its exposed port publishes nothing, so both are set. Ports of the ingress are not published. */
function publishedPorts(spec: Spec): {
  exposed: Record<string, object>
  bindings: Record<string, { HostIp?: string; HostPort?: string }[]>
} {
  const exposed: Record<string, object> = Object.fromEntries(spec.expose.map((port) => [port, {}]))
  const bindings: Record<string, { HostIp?: string; HostPort?: string }[]> = {}
  for (const port of spec.ports) {
    if (port.mode !== 'host') continue
    const key = `${port.target}/${port.protocol}`
    exposed[key] = {}
    const list = (bindings[key] ??= [])
    list.push({ HostIp: port.host_ip ?? '', HostPort: port.published === 0 ? '' : String(port.published) })
  }
  return { exposed, bindings }
}
