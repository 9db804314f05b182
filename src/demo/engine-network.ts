// The part of the host's network that one engine gets for itself: a bridge and a range of addresses that no other
// engine or route uses. Interfaces are made with busybox, as a bare machine may lack iproute2.

import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { GroundFault } from './ground-fault.ts'
import { runCommand } from './run-command.ts'

export interface EngineNetwork {
  /** At most 15 characters, the kernel's limit. */
  readonly bridge: string
  /** The second byte: the engine has 10.N.0.0/16, its bridge 10.N.0.0/24. */
  readonly range: number
}

/** Picks a bridge name and a range for the engine in `folder`; ranges that the host has routes to are left out. */
export async function chooseNetwork(folder: string): Promise<EngineNetwork> {
  const digest = createHash('sha256').update(folder).digest()
  const taken = await routedRanges()
  const first = digest.readUInt16BE(0) % 100
  for (let step = 0; step < 100; step++) {
    const range = 128 + ((first + step) % 100)
    if (!taken.some(({ from, to }) => from <= range && range <= to))
      return { bridge: `graft-${digest.toString('hex', 2, 6)}`, range }
  }
  throw new GroundFault(
    'Every range from 10.128.0.0/16 to 10.227.0.0/16 has a route on this machine, so an engine finds no addresses.',
    'Remove interfaces that are no longer used (`ip route` shows them), then try again.',
  )
}

/** Makes the bridge and gives it its address; one that is there already is used. Throws GroundFault. */
export async function makeBridge(busybox: string, network: EngineNetwork): Promise<void> {
  if (!(await interfaces()).includes(network.bridge)) {
    const made = await runCommand(busybox, ['ip', 'link', 'add', network.bridge, 'type', 'bridge'])
    if (made.code !== 0)
      throw new GroundFault(
        `The network bridge ${network.bridge} could not be made: ${made.stderr.trim()}`,
        'An engine needs the right to make network interfaces (CAP_NET_ADMIN); run this where root has it.',
      )
    await runCommand(busybox, ['ip', 'addr', 'add', `10.${network.range}.0.1/24`, 'dev', network.bridge])
  }
  await runCommand(busybox, ['ip', 'link', 'set', network.bridge, 'up'])
}

/** Removes the bridge and those of the engine's own networks; `dataRoot` tells which those are. */
export async function removeInterfaces(busybox: string, network: EngineNetwork, dataRoot: string): Promise<void> {
  const present = await interfaces()
  // The engine keeps its networks in a key-value file whose values are JSON (libnetwork, local-kv.db).
  const store = await readFile(join(dataRoot, 'network', 'files', 'local-kv.db'), 'latin1').catch(() => '')
  const names = [...store.matchAll(/"BridgeName":"([\w.-]{1,15})"/g)].map(([, name]) => name)
  for (const name of new Set([network.bridge, ...names])) {
    if (name === undefined || !present.includes(name)) continue
    // Another engine's default bridge can only be named here by mistake; it is never removed.
    if (name === 'docker0') continue
    await runCommand(busybox, ['ip', 'link', 'delete', name])
  }
}

async function interfaces(): Promise<readonly string[]> {
  return readdir('/sys/class/net')
}

/** Second bytes of the 10.0.0.0/8 ranges in the main routing table (/proc/net/route, little-endian hexadecimal). */
async function routedRanges(): Promise<readonly { readonly from: number; readonly to: number }[]> {
  const table = await readFile('/proc/net/route', 'utf8').catch(() => '')
  const ranges: { from: number; to: number }[] = []
  for (const line of table.split('\n').slice(1)) {
    const fields = line.split('\t')
    const destination = Number.parseInt(fields[1] ?? '', 16)
    const mask = Number.parseInt(fields[7] ?? '', 16)
    if (Number.isNaN(destination) || (destination & 0xff) !== 10 || (mask & 0xff) !== 0xff) continue
    const from = (destination >> 8) & 0xff
    ranges.push({ from, to: from | (~(mask >> 8) & 0xff) })
  }
  return ranges
}
