// What the networks of a leaf reach beyond a bridge of the deployment's own. Pure.

import type { Privilege } from './privileges.ts'
import type { Spec } from './spec.ts'
import type { NetworkWish, Tree } from './tree.ts'

/** Options of the bridge driver that concern nothing but the network itself. */
const HARMLESS_OPTIONS: ReadonlySet<string> = new Set([
  'com.docker.network.driver.mtu',
  'com.docker.network.bridge.enable_icc',
  'com.docker.network.bridge.enable_ip_masquerade',
  'mtu',
])

export function networkPrivileges(spec: Spec, tree: Pick<Tree, 'networks'>): Privilege[] {
  return Object.keys(spec.networks).flatMap((key): Privilege[] => {
    const network = tree.networks.get(key)
    return network === undefined ? [] : ofNetwork(network)
  })
}

/** What it takes to join one; nothing for a bridge of the deployment's own. */
export function ofNetwork({ name, key, external, options }: NetworkWish): Privilege[] {
  if (external) return [{ kind: 'external_network', name, text: `external network: ${name}` }]
  const found: Privilege[] = []
  const hasOptions = Object.keys(options.driver_opts).some((option) => !HARMLESS_OPTIONS.has(option))
  if (options.driver !== 'bridge') {
    found.push({
      kind: 'network_driver',
      driver: options.driver,
      hasOptions,
      text: `network driver: ${options.driver}`,
    })
  } else if (hasOptions) {
    found.push({ kind: 'network_driver', driver: 'bridge', hasOptions, text: `network driver options: ${key}` })
  }
  const addresses = options.ipam.driver ?? 'default'
  if (addresses !== 'default') {
    found.push({ kind: 'network_driver', driver: addresses, hasOptions: false, text: `ipam driver: ${addresses}` })
  }
  // An engine takes a range that is free; one that somebody chooses may be the host's own network.
  for (const { subnet } of options.driver === 'bridge' ? options.ipam.config : []) {
    if (subnet !== undefined) found.push({ kind: 'subnet', range: subnet, text: `subnet: ${subnet}` })
  }
  return found
}
