// What a leaf claims of which there is one: ports of the host, fixed addresses. Pure.

import type { Merged } from './merge.ts'
import type { PublishedPort, Spec } from './spec.ts'
import type { ValuePath } from './yaml-document.ts'

/** Something of which there is one: only one leaf that runs can have it. */
export interface Claim {
  /** What it is, in words that are equal exactly where the thing is the same: `port 80/tcp of the host`. */
  readonly what: string
  /** Address of the host that a port is meant on; undefined: all of them, or no port. */
  readonly on: string | undefined
  readonly path: () => ValuePath
}

/** Ports and fixed addresses that a leaf claims. */
export function claimsOf(spec: Spec, merged: Merged): Claim[] {
  const claims: Claim[] = []
  for (const port of spec.ports) {
    if (port.published === 0) continue
    const what = `port ${port.published}/${port.protocol} of the host`
    claims.push({ what, on: port.host_ip, path: () => portPath(merged, port) })
  }
  if (spec.mac_address !== undefined) {
    claims.push({ what: `the MAC address ${spec.mac_address}`, on: undefined, path: () => ['mac_address'] })
  }
  for (const [network, join] of Object.entries(spec.networks)) {
    for (const key of ['ipv4_address', 'ipv6_address', 'mac_address'] as const) {
      const address = join[key]
      if (address === undefined) continue
      const what = key === 'mac_address' ? `the MAC address ${address}` : `the address ${address} on ${network}`
      claims.push({ what, on: undefined, path: () => ['networks', network, key] })
    }
  }
  return claims
}

/** The item that names the published port, in Compose's short or long form. */
function portPath(merged: Merged, port: PublishedPort): ValuePath {
  const written = merged.value['ports']
  const items: unknown[] = Array.isArray(written) ? written : []
  const published = new RegExp(`(^|:)${port.published}:`)
  const index = items.findIndex((item) => {
    if (item !== null && typeof item === 'object')
      return String((item as { published?: unknown }).published) === String(port.published)
    return published.test(String(item))
  })
  return index < 0 ? ['ports'] : ['ports', index]
}
