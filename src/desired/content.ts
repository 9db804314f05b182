// Files of the repository that a leaf mounts or takes its environment from: found by their path, never through a link,
// never outside the deployment's folder. Pure.

import { posix } from 'node:path'
import type { Snapshot, SnapshotEntry } from '../repository/snapshot.ts'
import { bytesOf } from './entry-text.ts'
import type { Refusal } from './entry-text.ts'
import { nearest } from './nearest.ts'

export type Found =
  | { readonly kind: 'found'; readonly path: string; readonly entry: SnapshotEntry; readonly bytes: Uint8Array }
  /** `entry` is null where nothing is there: the answer then depends on more of the snapshot than that path. */
  | {
      readonly kind: 'refused'
      readonly path: string | null
      readonly entry: SnapshotEntry | null
      readonly refusal: Refusal
    }
  | { readonly kind: 'absent'; readonly path: string; readonly refusal: Refusal }

/** Looks up `source` as written in `writer` (a file's path): `./nova.conf`, `../shared/x.conf`. */
export function findContent(snapshot: Snapshot, writer: string, source: string, mostBytes?: number): Found {
  const folder = posix.dirname(writer)
  const path = posix.normalize(posix.join(folder, source))
  if (source === '' || posix.isAbsolute(source) || path === '..' || path.startsWith('../')) {
    return {
      kind: 'refused',
      path: null,
      entry: null,
      refusal: {
        message: `${source === '' ? 'an empty path' : source} is outside the deployment's folder`,
        remedy: 'name a file below the deployment’s folder, as a path relative to this file: ./name.conf',
      },
    }
  }
  const entry = snapshot.entries.get(path)
  if (entry === undefined) return { kind: 'absent', path, refusal: absence(snapshot, folder, path, source) }
  const bytes = bytesOf(entry, mostBytes)
  if (bytes instanceof Uint8Array) return { kind: 'found', path, entry, bytes }
  return { kind: 'refused', path, entry, refusal: bytes }
}

function absence(snapshot: Snapshot, folder: string, path: string, source: string): Refusal {
  for (let above = posix.dirname(path); above !== '.'; above = posix.dirname(above)) {
    const entry = snapshot.entries.get(above)
    if (entry !== undefined && entry.kind !== 'file') {
      const kind =
        entry.kind === 'link' ? 'symbolic link, and links are never followed' : 'submodule, and submodules are not read'
      return {
        message: `${source} leads through ${above}, a ${kind}`,
        remedy: 'put the file itself into the deployment',
      }
    }
  }
  const inside = `${path.replace(/\/$/, '')}/`
  const paths = [...snapshot.entries.keys()]
  if (paths.some((other) => other.startsWith(inside))) {
    return { message: `${source} is a folder`, remedy: 'name each file by itself' }
  }
  const close = nearest(path, paths) ?? nearest(posix.basename(path), names(paths, posix.dirname(path)))
  const there = close === null ? null : snapshot.entries.has(close) ? close : posix.join(posix.dirname(path), close)
  const relative = there === null ? null : posix.relative(folder === '.' ? '' : folder, there)
  return {
    message: `there is no file ${path}`,
    remedy:
      relative === null
        ? 'add the file, or correct its path, which is relative to the file that names it'
        : `did you mean ${relative.startsWith('../') ? relative : `./${relative}`}?`,
  }
}

function names(paths: readonly string[], folder: string): string[] {
  return paths.filter((path) => posix.dirname(path) === folder).map((path) => posix.basename(path))
}
