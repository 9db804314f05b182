// One view of the objects in a repository's packs and loose files, read directly and checked against their ids.
// isomorphic-git reads whole packs into memory and inflates with JavaScript; this reads only what is asked for,
// so a gigabyte in a pack costs nothing, and looks again where native Git has repacked in the meantime.

import { createHash, hash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf, DamagedStore, type GitObject, MissingObject, type ObjectPart } from './git-object.ts'
import { expandLoose, readLoose } from './loose-objects.ts'
import { openPack, type Pack } from './pack.ts'
import { readPackIndex } from './pack-index.ts'
import { recentBytes } from './recent.ts'

/** Commits, trees and bases of deltas above this many bytes are not loaded. */
const LOAD_LIMIT = 64 * 1024 * 1024
/** Bytes of objects kept because deltas start from them. */
const BASES_BYTES = 32 * 1024 * 1024

export interface ObjectStore {
  /** Throws MissingObject, DamagedStore. */
  read(oid: string): GitObject
  /** As `read`, without the content where that is above `limit` bytes. */
  readUpTo(oid: string, limit: number): ObjectPart
  has(oid: string): boolean
  /** Where the object lies, for reading many in a good order: pack's number and offset. */
  place(oid: string): readonly [pack: number, offset: number]
  /** Ids that begin with these hex digits, at most two are looked for. */
  expand(prefix: string): string[]
  packCount(): number
  /** Looks for packs that came or went. */
  rescan(): void
  close(): void
}

/** Opens the stores in these `objects` folders as one. Nothing is read before it is asked for. */
export function openObjectStore(folders: readonly string[]): ObjectStore {
  const packs = new Map<string, Pack>()
  const bases = recentBytes<GitObject>(BASES_BYTES, ({ content }) => content.length)
  let list: Pack[] | null = null

  function scan(): Pack[] {
    const seen = new Set<string>()
    for (const folder of folders) {
      for (const name of namesIn(join(folder, 'pack'))) {
        if (!name.endsWith('.idx')) continue
        const path = join(folder, 'pack', name)
        seen.add(path)
        if (packs.has(path)) continue
        try {
          packs.set(path, openPack(path.replace(/idx$/, 'pack'), readPackIndex(path), LOAD_LIMIT, bases, readUpTo))
        } catch (error) {
          // Native Git may remove a pack between the two calls; whether that matters shows when an object is missing.
          if (codeOf(error) !== 'ENOENT') throw error
          seen.delete(path)
        }
      }
    }
    for (const [path, pack] of packs) {
      if (seen.has(path)) continue
      pack.close()
      packs.delete(path)
    }
    return (list = [...packs.values()])
  }

  function find(oid: string, limit: number): ObjectPart | null {
    for (const pack of list ?? scan()) {
      const offset = pack.index.find(oid)
      if (offset >= 0) return pack.read(offset, limit)
    }
    for (const folder of folders) {
      const loose = readLoose(folder, oid, limit)
      if (loose !== null) return loose
    }
    return null
  }

  function readUpTo(oid: string, limit: number): ObjectPart {
    let part = find(oid, limit)
    if (part === null) {
      scan()
      part = find(oid, limit)
    }
    if (part === null) throw new MissingObject(oid)
    if (part.content !== null && hashOf(part.type, part.content) !== oid) {
      throw new DamagedStore(`object ${oid} does not have the content of its id`)
    }
    return part
  }

  return {
    readUpTo,
    read(oid) {
      const { type, size, content } = readUpTo(oid, LOAD_LIMIT)
      if (content === null) throw new DamagedStore(`object ${oid} is a ${type} of ${size} bytes, too large to read`)
      return { type, content }
    },
    has(oid) {
      if (find(oid, 0) !== null) return true
      scan()
      return find(oid, 0) !== null
    },
    place(oid) {
      for (const [number, pack] of (list ?? scan()).entries()) {
        const offset = pack.index.find(oid)
        if (offset >= 0) return [number, offset]
      }
      return [-1, 0]
    },
    expand(prefix) {
      const found = new Set<string>()
      for (const pack of scan()) for (const oid of pack.index.expand(prefix, 2)) found.add(oid)
      for (const folder of folders) for (const oid of expandLoose(folder, prefix, 2)) found.add(oid)
      return [...found].slice(0, 2)
    },
    packCount: () => scan().length,
    rescan: () => void scan(),
    close() {
      for (const pack of packs.values()) pack.close()
      packs.clear()
      list = null
    },
  }
}

/** The id Git gives to an object of this type and content. */
export function hashOf(type: string, content: Uint8Array): string {
  const head = Buffer.from(`${type} ${content.length}\0`)
  // For small contents one call is faster than a hash object, in spite of the copy.
  if (content.length < 65_536) return hash('sha1', Buffer.concat([head, content]))
  return createHash('sha1').update(head).update(content).digest('hex')
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return []
    throw error
  }
}
