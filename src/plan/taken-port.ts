// A port of the host that somebody else holds already: told before anything is touched. Pure.

import type { PublishedPort } from '../desired/spec.ts'
import type { Leaf } from '../desired/tree.ts'
import type { ForeignPort, ObservedContainer } from './observed.ts'

/** One clause that says who holds it; null where all ports are free, or held by the leaf's own container. */
export function takenPort(leaf: Leaf, live: ObservedContainer | null, foreign: readonly ForeignPort[]): string | null {
  const own = live?.running.ports ?? []
  for (const port of leaf.spec.ports) {
    if (port.published === 0 || own.some((held) => clash(held, port))) continue
    const other = foreign.find((held) => clash(held, port))
    if (other !== undefined) return `the port ${port.published}/${port.protocol} is taken by ${other.holder}`
  }
  return null
}

type Place = Pick<PublishedPort, 'protocol' | 'published' | 'host_ip'>

/** A port on all addresses of a family clashes with the same port on each of them; without an address it is on both. */
function clash(a: Place, b: Place): boolean {
  if (a.protocol !== b.protocol || a.published !== b.published) return false
  if (a.host_ip === undefined || b.host_ip === undefined || a.host_ip === b.host_ip) return true
  if (a.host_ip.includes(':') !== b.host_ip.includes(':')) return false
  return [a.host_ip, b.host_ip].some((address) => address === '0.0.0.0' || address === '::')
}
