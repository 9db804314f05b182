// Where an ingress container tells which configuration it serves: a loopback address of its own, so that two that run
// side by side on the host's network never answer for one another. Pure.

import { createHash } from 'node:crypto'

/** An IPv4 address in 127.64.0.0 to 127.127.255.255, by the container's full id. */
export function checkAddress(containerId: string): string {
  const [a = 0, b = 0, c = 0] = createHash('sha256').update(containerId).digest()
  // Never .0.0 or .255.255 at the end, which read like the address of a network.
  return `127.${64 + (a % 64)}.${b}.${1 + (c % 254)}`
}
