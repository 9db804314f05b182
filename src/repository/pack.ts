// Reads objects out of one pack by pieces: never the whole file, never more of an object than was asked for.
// Git documentation, gitformat-pack, "pack-*.pack files have the following format".

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { applyDelta, deltaSizes } from './delta.ts'
import { DamagedStore, type GitObject, type ObjectPart, type ObjectType } from './git-object.ts'
import { deflatedBound, inflateBeginning, inflateExactly } from './inflate.ts'
import type { PackIndex } from './pack-index.ts'
import type { Recent } from './recent.ts'

const WINDOW = 32 * 1024
const TYPES: readonly (ObjectType | undefined)[] = [undefined, 'commit', 'tree', 'blob', 'tag']
/** Bytes of a delta that is applied before its result's size is known; the result is still capped. */
const SMALL_DELTA = 4096
const OFFSET_DELTA = 6
const REFERENCE_DELTA = 7
/** Longest chain of deltas that Git itself makes (`pack.depth` is at most 4095). */
const CHAIN_LIMIT = 4096

/** One entry's header: what it is, and where its deflated bytes begin. */
interface Entry {
  readonly offset: number
  readonly kind: number
  /** Bytes when inflated: of the content, or of the delta. */
  readonly size: number
  readonly data: number
  /** Of a delta: the base's offset in this pack, or the id of a base that lies elsewhere. */
  readonly base: number | string | null
}

export interface Pack {
  readonly index: PackIndex
  /** The object at an offset; without its content where that is above `limit` bytes. */
  read(offset: number, limit: number): ObjectPart
  close(): void
}

/**
 * Opens a pack file. `elsewhere` gives objects of other packs, the bases of a thin pack.
 * Objects that deltas start from are kept in `bases`, which packs share; none above `baseLimit` bytes is loaded.
 */
export function openPack(
  path: string,
  index: PackIndex,
  baseLimit: number,
  bases: Recent<string, GitObject>,
  elsewhere: (oid: string, limit: number) => ObjectPart,
): Pack {
  const file = openSync(path, 'r')
  const end = fstatSync(file).size - 20
  let window = { start: 0, bytes: Buffer.alloc(0) }

  /** At least `length` bytes from `offset`, fewer only at the end of the pack. */
  function bytesAt(offset: number, length: number): Buffer {
    const wanted = Math.min(length, end - offset)
    if (offset < 12 || wanted <= 0) throw new DamagedStore(`${path}: an offset lies outside the pack`)
    const from = offset - window.start
    if (from >= 0 && from + wanted <= window.bytes.length) return window.bytes.subarray(from, from + wanted)
    const bytes = Buffer.allocUnsafeSlow(Math.min(Math.max(wanted, WINDOW), end - offset))
    let filled = 0
    while (filled < bytes.length) {
      const got = readSync(file, bytes, filled, bytes.length - filled, offset + filled)
      if (got === 0) throw new DamagedStore(`${path} ends too early`)
      filled += got
    }
    window = { start: offset, bytes }
    return bytes.subarray(0, wanted)
  }

  function entryAt(offset: number): Entry {
    const bytes = bytesAt(offset, 48)
    let at = 0
    const next = (): number => {
      const byte = bytes[at++]
      if (byte === undefined) throw new DamagedStore(`${path}: an entry ends too early`)
      return byte
    }
    let byte = next()
    const kind = (byte >> 4) & 7
    let size = byte & 15
    for (let scale = 16; byte >= 0x80; scale *= 128) {
      byte = next()
      size += (byte & 0x7f) * scale
    }
    let base: number | string | null = null
    if (kind === OFFSET_DELTA) {
      byte = next()
      let back = byte & 0x7f
      while (byte >= 0x80) {
        byte = next()
        back = (back + 1) * 128 + (byte & 0x7f)
      }
      base = offset - back
    } else if (kind === REFERENCE_DELTA) {
      base = bytes.toString('hex', at, at + 20)
      at += 20
      const here = index.find(base)
      if (here >= 0) base = here
    } else if (TYPES[kind] === undefined) {
      throw new DamagedStore(`${path}: an entry of unknown type`)
    }
    return { offset, kind, size, data: offset + at, base }
  }

  function inflateEntry(entry: Entry): Buffer {
    if (entry.size === 0) return Buffer.alloc(0)
    const content = inflateExactly(bytesAt(entry.data, deflatedBound(entry.size)), entry.size)
    // An encoder worse than any known one: read on to the end of the pack.
    const whole = content ?? inflateExactly(bytesAt(entry.data, end - entry.data), entry.size)
    if (whole === null) throw new DamagedStore(`${path}: an object ends too early`)
    return whole
  }

  /** Follows a delta's chain to the type of the object at its end. */
  function typeOf(entry: Entry): ObjectType {
    let current = entry
    for (let step = 0; step < CHAIN_LIMIT; step++) {
      const type = TYPES[current.kind]
      if (type !== undefined) return type
      if (typeof current.base === 'string') return elsewhere(current.base, 0).type
      current = entryAt(current.base ?? 0)
    }
    throw new DamagedStore(`${path}: a chain of deltas without an end`)
  }

  function resolve(entry: Entry): GitObject | null {
    const deltas: Entry[] = []
    let current = entry
    let object: GitObject | undefined
    while (object === undefined) {
      object = bases.get(`${path}:${current.offset}`)
      if (object !== undefined) break
      if (current.size > baseLimit) return null
      const type = TYPES[current.kind]
      if (type !== undefined) {
        object = { type, content: inflateEntry(current) }
        if (deltas.length > 0) bases.set(`${path}:${current.offset}`, object)
        break
      }
      if (deltas.push(current) > CHAIN_LIMIT) throw new DamagedStore(`${path}: a chain of deltas without an end`)
      if (typeof current.base === 'string') {
        const base = elsewhere(current.base, baseLimit)
        if (base.content === null) return null
        object = { type: base.type, content: base.content }
        break
      }
      current = entryAt(current.base ?? 0)
    }
    for (let at = deltas.length - 1; at >= 0; at--) {
      const delta = deltas[at]
      if (delta === undefined) break
      const instructions = inflateEntry(delta)
      if (deltaSizes(instructions).result > baseLimit) return null
      object = { type: object.type, content: applyDelta(instructions, object.content) }
      if (at > 0) bases.set(`${path}:${delta.offset}`, object)
    }
    return object
  }

  function sizeOf(entry: Entry): number {
    if (TYPES[entry.kind] !== undefined) return entry.size
    return deltaSizes(inflateBeginning(bytesAt(entry.data, 512))).result
  }

  return {
    index,
    read(offset, limit) {
      const entry = entryAt(offset)
      // Deltas of a usual size are not looked at twice.
      const early = entry.base === null || entry.size > SMALL_DELTA || limit < SMALL_DELTA
      if (!early) {
        const object = resolve(entry)
        if (object !== null && object.content.length <= limit) {
          return { type: object.type, size: object.content.length, content: object.content }
        }
      }
      const size = sizeOf(entry)
      const object = size > limit ? null : resolve(entry)
      if (object === null) return { type: typeOf(entry), size, content: null }
      return { type: object.type, size, content: object.content }
    },
    close: () => closeSync(file),
  }
}
