// What has to be written so that one leaf is again as it was: its own file, and the files that it names itself. What
// comes to it from the sets above is not touched. Pure.

import { posix } from 'node:path'

import type { Snapshot } from '../repository/snapshot.ts'
import { LARGEST_READ_LIMITS } from './read-limits.ts'
import { putBack, type PutBack } from './revert-files.ts'
import { readYaml } from './yaml-document.ts'

export interface LeafPlace {
  readonly snapshot: Snapshot
  /** The leaf's own file; null where it is not there. */
  readonly file: string | null
}

export interface LeafBack {
  /** With the files gone that only the newer leaf names. */
  readonly whole: PutBack
  /** Without touching those: somebody else may use them. */
  readonly careful: PutBack
}

/** Where the leaf's file lay elsewhere, it goes back there. */
export function leafAsItWas(then: LeafPlace, now: LeafPlace): LeafBack {
  const own = [then.file, now.file].filter((file) => file !== null)
  const named = namedFiles(then)
  const dropped = namedFiles(now).filter((path) => !named.includes(path) && !then.snapshot.entries.has(path))
  const back = (paths: readonly string[]): PutBack => putBack(then.snapshot, now.snapshot, paths)
  return { whole: back([...own, ...named, ...dropped]), careful: back([...own, ...named]) }
}

/** Paths below the deployment's folder that a leaf's own file takes contents from, as far as it says them without variables. */
function namedFiles({ snapshot, file }: LeafPlace): string[] {
  const entry = file === null ? undefined : snapshot.entries.get(file)
  if (entry === undefined || entry.kind !== 'file') return []
  const { value } = readYaml(entry, LARGEST_READ_LIMITS)
  if (!isMapping(value)) return []
  const files = isMapping(value['files']) ? Object.values(value['files']) : []
  const environment = value['env_file']
  const sources = [
    ...files.map((wish) => (isMapping(wish) ? wish['source'] : wish)),
    ...(Array.isArray(environment) ? environment : [environment]).map((wish: unknown) =>
      isMapping(wish) ? wish['path'] : wish,
    ),
  ]
  const folder = posix.dirname(entry.path)
  return sources.flatMap((source) => {
    if (typeof source !== 'string' || source === '' || posix.isAbsolute(source) || source.includes('$')) return []
    const path = posix.normalize(posix.join(folder, source))
    return path === '..' || path.startsWith('../') ? [] : [path]
  })
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
