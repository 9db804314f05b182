// How many clients hold a connection to a container, read from the kernel's tables of its network namespace.

import { readFile } from 'node:fs/promises'
import type Dockerode from 'dockerode'
import { callEngine } from './call.ts'
import type { EngineConnection } from './connect.ts'

/** States in /proc/net/tcp (Linux, include/net/tcp_states.h). */
const ESTABLISHED = '01'
const LISTEN = '0A'

/**
 * Established TCP connections to ports the container listens on, from anywhere but itself. 0 for one that does not run.
 * null where it cannot be seen: a remote engine, a network namespace that is shared, no right to read it.
 */
export async function openConnections(connection: EngineConnection, id: string): Promise<number | null> {
  const what = `look at container ${id.slice(0, 12)}`
  const info = await callEngine<Dockerode.ContainerInspectInfo>(connection, what, { path: `/containers/${id}/json` })
  if (!info.State.Running) return 0
  const mode = info.HostConfig.NetworkMode ?? ''
  if (!connection.facts.addressesReachable || mode === 'host' || mode.startsWith('container:')) return null
  const process = `/proc/${info.State.Pid}`
  try {
    // In a PID namespace of graft's own this number is somebody else's; the process group of controls tells.
    if (!(await readFile(`${process}/cgroup`, 'utf8')).includes(info.Id)) return null
    const tables = await Promise.all([`${process}/net/tcp`, `${process}/net/tcp6`].map(readTable))
    return countConnections(tables.join('\n'))
  } catch {
    return null
  }
}

interface Row {
  readonly port: string
  readonly remote: string
  readonly state: string
}

/** IPv6 may be switched off, and then has no table. */
async function readTable(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (path.endsWith('6')) return ''
    throw error
  })
}

interface Row {
  readonly port: string
  readonly remote: string
  readonly state: string
}

/**
 * Established connections to ports that are listened on, but for those from a loopback address. `tables`: the texts of
 * /proc/net/tcp and tcp6, one after the other.
 */
export function countConnections(tables: string): number {
  const rows = tables.split('\n').flatMap(readRow)
  const listening = new Set(rows.filter((row) => row.state === LISTEN).map((row) => row.port))
  const open = rows.filter((row) => row.state === ESTABLISHED)
  return open.filter((row) => listening.has(row.port) && !isLoopback(row.remote)).length
}

/** `0: 0100007F:1F90 0200000A:C350 01 …`: number, local, remote, state; addresses in hex. */
function readRow(line: string): Row[] {
  const [, local, remote, state] = line.trim().split(/\s+/)
  const port = local?.split(':')[1]
  const address = remote?.split(':')[0]
  if (port === undefined || address === undefined || state === undefined) return []
  return [{ port, remote: address, state }]
}

/** The kernel writes each four bytes of an address in its own byte order. */
function isLoopback(address: string): boolean {
  if (address.length === 8) return address.endsWith('7F')
  return /^0{24}01000000$/.test(address) || /^0{16}FFFF0000[0-9A-F]{6}7F$/.test(address)
}
