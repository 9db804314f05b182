// What is known to be good about a clone, in one file that is replaced in one step. The refs inside the clone mean
// nothing: isomorphic-git writes them before the objects have arrived.
//
//   CACHE/state.json    which clone folder is in use, the verified tips, where a shallow history ends
//   CACHE/clone-…/      a bare repository; CACHE/fetch-…/ one fetch, not verified yet; CACHE/lock

import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { isOid } from './git-object.ts'

export interface CloneState {
  readonly url: string
  /** Name of the clone's folder inside the cache. */
  readonly clone: string
  /** Objects whose fetch was verified, by the remote's full ref name. */
  readonly tips: Readonly<Record<string, string>>
  /** Commits whose parents were not fetched. */
  readonly shallow: readonly string[]
}

/** The state, or null where there is none, it does not read, or it is of another repository. */
export function readState(cache: string, url: string): CloneState | null {
  try {
    const found: unknown = JSON.parse(readFileSync(join(cache, 'state.json'), 'utf8'))
    return isState(found) && found.url === url ? found : null
  } catch {
    return null
  }
}

/** Durable when it returns: after a power failure there is the old state or this one. */
export function writeState(cache: string, state: CloneState): void {
  const path = join(cache, 'state.json')
  const file = openSync(`${path}.new`, 'w', 0o600)
  try {
    writeSync(file, `${JSON.stringify(state, null, 2)}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(`${path}.new`, path)
}

export function forgetState(cache: string): void {
  rmSync(join(cache, 'state.json'), { force: true })
}

/** A new name for a folder in the cache. */
export function newFolder(cache: string, kind: 'clone' | 'fetch'): string {
  mkdirSync(cache, { recursive: true, mode: 0o700 })
  return `${kind}-${randomBytes(6).toString('hex')}`
}

/** Removes clones and fetches that are not in use. Only for whoever holds the lock. */
export function sweep(cache: string, inUse: string | null): void {
  for (const name of readdirSync(cache)) {
    if (name !== inUse && /^(clone|fetch)-[0-9a-f]{12}$/.test(name))
      rmSync(join(cache, name), { recursive: true, force: true })
  }
}

function isState(found: unknown): found is CloneState {
  if (typeof found !== 'object' || found === null) return false
  const { url, clone, tips, shallow } = found as Partial<Record<keyof CloneState, unknown>>
  return (
    typeof url === 'string' &&
    typeof clone === 'string' &&
    /^clone-[0-9a-f]{12}$/.test(clone) &&
    typeof tips === 'object' &&
    tips !== null &&
    Object.values(tips).every((oid) => typeof oid === 'string' && isOid(oid)) &&
    Array.isArray(shallow) &&
    shallow.every((oid) => typeof oid === 'string' && isOid(oid))
  )
}
