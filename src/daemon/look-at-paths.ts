// Where the paths that leaves ask for lead on this host, links followed. Looks only, and only where the engine is here.

import type { Stats } from 'node:fs'
import { readdir, readlink, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'

import { cleanPath, UNSEEN, type HostPlaces } from '../desired/host-paths.ts'
import { privilegesOf } from '../desired/privileges.ts'
import type { Tree } from '../desired/tree.ts'
import { isRemoteAddress } from '../repository/address.ts'
import type { Settings } from './settings.ts'

/** Folders whose links only the host's root can have made: who writes there has the host anyway. */
const ROOTS_OWN = ['/', '/usr', '/var']
/** As many as the kernel follows (path_resolution(7)). */
const MOST_LINKS = 40

/** `engine`: its address; `own`: files and folders of graft itself. Never throws. */
export async function lookAtPaths(
  tree: Tree,
  { engine, own }: { readonly engine: string; readonly own: readonly string[] },
): Promise<HostPlaces> {
  if (process.platform !== 'linux') return UNSEEN
  // Behind a port of this host may be an engine elsewhere: then there is nothing of graft's own, and no harm done.
  if (!engine.startsWith('unix://')) return LOOPBACK.test(engine) ? { ...UNSEEN, own } : UNSEEN
  const asked = askedIn(tree)
  if (asked.length === 0) return UNSEEN
  const socket = engine.slice('unix://'.length)
  const socketStats = await stat(socket).catch(() => null)
  const resolved = new Map<string, string | null>()
  const sockets = new Set([(await leadsTo(socket)) ?? socket])
  for (const source of asked) {
    const real = await leadsTo(source)
    resolved.set(source, real)
    if (real !== null && socketStats !== null && isSame(await stat(real).catch(() => null), socketStats))
      sockets.add(real)
  }
  const ownReal = await Promise.all(own.map(async (path) => (await leadsTo(path)) ?? path))
  return { resolved, links: await trustedLinks(), sockets, own: ownReal }
}

/** What of this host is graft's own: who writes there can change what it does. `env`: that of the process. */
export function ownFiles(
  settings: Settings & { readonly repo: string; readonly state: string },
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  const files = Object.entries(settings).flatMap(([key, value]) =>
    typeof value === 'string' && (key.endsWith('_file') || OWN_SETTINGS.has(key)) ? [value] : [],
  )
  const { repo, state, verify } = settings
  const keys = typeof verify === 'object' && verify.keys !== undefined ? [verify.keys] : []
  const named = OWN_VARIABLES.flatMap((name) => env[name] ?? [])
  return [state, ...files, ...keys, ...named, ...(isRemoteAddress(repo) ? [] : [repo]), CONFIGURATION]
}

const OWN_SETTINGS: ReadonlySet<string> = new Set([
  'policy',
  'host_variables',
  'verify_keys',
  'secrets',
  'docker_config',
])
const OWN_VARIABLES = ['GRAFT_CONFIG', 'DOCKER_CERT_PATH', 'DOCKER_CONFIG']
/** Where the settings file of root is, and of the service. */
const CONFIGURATION = '/etc/graft'
const LOOPBACK = /^(tcp|https?):\/\/(localhost|127\.[\d.]+|\[::1\])[:/]/

function askedIn(tree: Tree): string[] {
  const found = new Set<string>()
  for (const leaf of tree.leaves.values()) {
    for (const privilege of privilegesOf(leaf, tree)) {
      if (privilege.kind !== 'bind' && privilege.kind !== 'device') continue
      const path = cleanPath(privilege.source)
      if (path.startsWith('/')) found.add(path)
    }
  }
  return [...found]
}

/** Of what is not there, its longest part that is, and the rest as written. Null where graft may not look, or links go in circles. */
async function leadsTo(path: string, links = 0): Promise<string | null> {
  if (links > MOST_LINKS) return null
  try {
    return await realpath(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null
    if (code !== 'ENOENT' && code !== 'ENOTDIR') return null
  }
  const parent = dirname(path)
  if (parent === path) return path
  const target = await readlink(path).catch(() => null)
  if (target !== null) return leadsTo(resolve(parent, target), links + 1)
  const above = await leadsTo(parent, links)
  return above === null ? null : join(above, basename(path))
}

function isSame(found: Stats | null, socket: Stats): boolean {
  return found !== null && found.dev === socket.dev && found.ino === socket.ino
}

async function trustedLinks(): Promise<ReadonlyMap<string, string>> {
  const links = new Map<string, string>()
  for (const folder of ROOTS_OWN) {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      if (!entry.isSymbolicLink()) continue
      const path = join(folder, entry.name)
      const real = await realpath(path).catch(() => null)
      if (real !== null) links.set(path, real)
    }
  }
  return links
}
