// The networks an inspected container is joined to, or the mode that stands in their place.

import type { NetworkJoin } from '../desired/spec.ts'
import type { RunningSpec } from '../plan/observed.ts'
import type { WireContainer, WireEndpoint } from './wire.ts'

/** Keyed by the network's name on the engine. */
export function runningNetworks(
  container: WireContainer,
): Pick<RunningSpec, 'networks' | 'network_mode' | 'mac_address'> {
  const mode = container.HostConfig.NetworkMode ?? ''
  const mac = container.Config.MacAddress
  const asked = mac ? { mac_address: mac } : {}
  const joined = container.NetworkSettings?.Networks ?? {}
  if (mode === 'host' || mode === 'none' || mode.startsWith('container:')) {
    return { networks: {}, network_mode: mode, ...asked }
  }
  const networks = Object.fromEntries(
    Object.entries(joined).map(([name, endpoint]) => {
      const first = name === mode && mac ? mac : undefined
      return [name, readJoin(endpoint, container, first)]
    }),
  )
  return { networks, ...asked }
}

/**
 * Engines before API 1.45 add the short id and the host name to the aliases. The MAC address of a network cannot be
 * told from one that the engine made up, so it is always there for a container that runs; `asked` is the one that
 * engines before API 1.44 keep for the container as a whole.
 */
function readJoin(endpoint: WireEndpoint, container: WireContainer, asked: string | undefined): NetworkJoin {
  const own = new Set([container.Id.slice(0, 12), container.Name.replace(/^\//, ''), container.Config.Hostname])
  const mac = endpoint.MacAddress || asked
  const { IPv4Address, IPv6Address, LinkLocalIPs } = endpoint.IPAMConfig ?? {}
  return {
    aliases: [...new Set(endpoint.Aliases ?? [])].filter((alias) => !own.has(alias)).toSorted(),
    ...(IPv4Address ? { ipv4_address: IPv4Address } : {}),
    ...(IPv6Address ? { ipv6_address: IPv6Address } : {}),
    ...(LinkLocalIPs?.length ? { link_local_ips: LinkLocalIPs } : {}),
    ...(mac ? { mac_address: mac } : {}),
  }
}
