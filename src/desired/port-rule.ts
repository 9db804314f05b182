// Which ports of the host a rule lets a leaf publish. Pure.

import { isInRange, isUnspecified } from './address-range.ts'
import { fault } from './fault.ts'
import type { Fault } from './fault.ts'
import type { Rule } from './policy.ts'
import type { PublishedPort } from './spec.ts'

type Allowed = NonNullable<Rule['ports']>[number]

/** Of ports that none of `allowed` admits. */
export function portFaults(ports: readonly PublishedPort[], allowed: readonly Allowed[]): Fault[] {
  const right =
    allowed.length === 0
      ? 'leave it out, or publish it through the ingress'
      : `publish ${allowed.map(words).join(', ')}`
  return ports
    .filter((port) => !allowed.some((one) => admits(one, port)))
    .map(({ published, protocol, host_ip }) => {
      const number = published === 0 ? 'a port that the engine chooses' : `the port ${published}`
      return fault(`it publishes ${number}/${protocol} on ${host_ip ?? 'all addresses'}`, right)
    })
}

function admits({ published, host_ip, protocol }: Allowed, port: PublishedPort): boolean {
  if (protocol !== undefined && protocol !== port.protocol) return false
  if (published !== undefined && !isWithin(port.published, published)) return false
  if (host_ip === undefined) return true
  const address = port.host_ip
  return address !== undefined && !isUnspecified(address) && isInRange(address, host_ip)
}

/** 0 is what the engine chooses, and in no range. */
function isWithin(port: number, range: number | string): boolean {
  const [first = 0, last = first] = String(range).split('-').map(Number)
  return port >= first && port <= last && (port !== 0 || first === last)
}

function words({ published, host_ip, protocol }: Allowed): string {
  const number = published === undefined ? 'any port' : String(published)
  return `${number}${protocol === undefined ? '' : `/${protocol}`}${host_ip === undefined ? '' : ` on ${host_ip}`}`
}
