// Paths of the host as a policy sees them: where they lead, and which of them are the whole host under another name. Pure.

import { posix } from 'node:path'
import { matchesGlob } from './glob.ts'

/** What only the host can tell about paths; made at the edge, where the engine is on the same host. */
export interface HostPlaces {
  /**
   * What a leaf asks for, cleaned → where it leads with every link followed; of what is not there, its longest part that
   * is. Null: graft may not look there. Absent: taken as it is written.
   */
  readonly resolved: ReadonlyMap<string, string | null>
  /** Links that no container can have made, such as `/lib` → `/usr/lib`. */
  readonly links: ReadonlyMap<string, string>
  /** Resolved paths of the engine's socket. */
  readonly sockets: ReadonlySet<string>
  /** graft's own folders and files. */
  readonly own: readonly string[]
}

/** Where nothing of the host is known: a pull request, an engine elsewhere. */
export const UNSEEN: HostPlaces = { resolved: new Map(), links: new Map(), sockets: new Set(), own: [] }

/** One path that a leaf asks for, as it is judged. */
export interface SeenPath {
  readonly kind: 'root' | 'socket' | 'path'
  readonly path: string
  /** The path is not where it says: a link leads elsewhere. */
  readonly moved: boolean
  /** false: where it leads could not be looked at. */
  readonly sure: boolean
  /** What whoever has it has; null where it is a path like any other. */
  readonly danger: string | null
}

const SOCKET_OWNER = 'docker|dockerd|dockershim|balena-engine|podman|containerd|crio|cri-dockerd|buildkit|buildkitd'
/** `docker.sock`, `docker-raw.sock`, `containerd/containerd.sock.ttrpc`, `podman/podman.sock`. */
const SOCKET = new RegExp(`/(?:(?:${SOCKET_OWNER})(?:-[a-z]+)?|(?:${SOCKET_OWNER})/.*)\\.sock(?:\\.[a-z]+)?$`)

const SOCKETS = "it holds the engine's socket, and whoever has that has the whole host"
const CONTAINERS = 'it holds the files and volumes of every container on the engine'
const PROGRAMS = 'it holds programs that the host runs as root'
const GRAFTS_OWN = "it holds graft's own files, its policy and keys among them"
const KEYS = 'it holds the keys and start-up files of people who log in'

/** Where a daemon of graft listens, if not in its state folder. */
const DAEMON_SOCKETS = /^\/(?:run(?:\/user\/\d+)?|tmp)\/graft(?:-\d+)?(?:\/|$)/

/** Folders that are the host, or a large part of it, under another name. */
const GUARDED: ReadonlyMap<string, string> = new Map([
  ['/run', SOCKETS],
  ['/run/docker', SOCKETS],
  ['/run/containerd', SOCKETS],
  ['/run/podman', SOCKETS],
  ['/run/crio', SOCKETS],
  ['/run/buildkit', SOCKETS],
  ['/run/user', SOCKETS],
  ['/var/lib/docker', CONTAINERS],
  ['/var/lib/containerd', CONTAINERS],
  ['/var/lib/containers', CONTAINERS],
  ['/var/lib/kubelet', CONTAINERS],
  ['/var/lib/graft', GRAFTS_OWN],
  ['/tmp', 'it holds files and sockets of programs of the host'],
  ['/var/spool/cron', 'it holds commands that the host runs as root'],
  ['/etc', 'it holds who may log in and what the host starts'],
  ['/proc', "it holds the kernel's settings and every process of the host"],
  ['/sys', "it holds the kernel's settings and the host's devices"],
  ['/dev', "it holds the host's disks and memory"],
  ['/boot', 'it holds what the host starts next time'],
  ['/root', KEYS],
  ['/home', KEYS],
  ['/usr', PROGRAMS],
  ['/bin', PROGRAMS],
  ['/sbin', PROGRAMS],
  ['/lib', PROGRAMS],
  ['/lib32', PROGRAMS],
  ['/lib64', PROGRAMS],
  ['/opt', PROGRAMS],
])

/** `/a//b/../c/` → `/a/c`. */
export function cleanPath(path: string): string {
  const normal = posix.normalize(path)
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal
}

/** `source` as it is written, seen as it is on the host. */
export function seen(source: string, places: HostPlaces): SeenPath {
  const clean = cleanPath(source)
  const known = places.resolved.get(clean)
  const path = throughLinks(known ?? clean, places.links)
  const rest = { path, moved: path !== throughLinks(clean, places.links), sure: known !== null }
  if (path === '/') return { ...rest, kind: 'root', danger: 'it is the whole host' }
  if (SOCKET.test(path) || places.sockets.has(path)) {
    return { ...rest, kind: 'socket', danger: "it is the engine's socket, and whoever has that has the whole host" }
  }
  return { ...rest, kind: 'path', danger: dangerOf(path, places) }
}

/**
 * Whether `pattern`, a path or a glob, covers it. Guarded folders are covered by their own name only, and what lies in
 * them by patterns that begin there: neither `/**` nor `/*` is meant to give `/etc`. Never the root, never a socket.
 */
export function covers(pattern: string, wanted: SeenPath, places: HostPlaces): boolean {
  if (wanted.kind !== 'path') return false
  const clean = throughLinks(cleanPath(pattern), places.links)
  if (clean === wanted.path) return true
  if (wanted.danger !== null || !wanted.sure || !matchesGlob(clean, wanted.path)) return false
  const start = literalStart(clean)
  return [...GUARDED.keys()].every((folder) => !isInside(wanted.path, folder) || isWithin(start, folder))
}

/** Whether a policy names it where a pattern can never give it; null where it is right. */
export function neverCovered(pattern: string): 'root' | 'socket' | null {
  const { kind } = seen(pattern, UNSEEN)
  return kind === 'path' ? null : kind
}

/** The part of a glob before its first wildcard, whole folders only. */
export function literalStart(pattern: string): string {
  const parts = pattern.split('/')
  const wild = parts.findIndex((part) => /[*?]/.test(part))
  return wild < 0 ? pattern : parts.slice(0, wild).join('/') || '/'
}

/** Follows links that can be trusted, and `/var/run`, which is `/run` wherever there is a Docker engine. */
export function throughLinks(path: string, links: ReadonlyMap<string, string>): string {
  for (const [from, to] of [...links, ['/var/run', '/run'] as const]) {
    if (isWithin(path, from)) return to + path.slice(from.length)
  }
  return path
}

function dangerOf(path: string, { own, sockets }: HostPlaces): string | null {
  const exact = GUARDED.get(path)
  if (exact !== undefined) return exact
  if (/^\/run\/user\/\d+$/.test(path) || [...sockets].some((socket) => isInside(socket, path))) return SOCKETS
  if (DAEMON_SOCKETS.test(path) || own.some((place) => isWithin(place, path) || isWithin(path, place)))
    return GRAFTS_OWN
  for (const [folder, danger] of GUARDED) if (isInside(folder, path)) return danger
  return null
}

function isInside(path: string, folder: string): boolean {
  return folder === '/' ? path !== '/' : path.startsWith(`${folder}/`)
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || isInside(path, folder)
}
