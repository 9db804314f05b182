// Reads a pack's index (version 2) and finds objects in it by id or by the beginning of an id.
// Git documentation, gitformat-pack, "Version 2 pack-*.idx files".

import { readFileSync } from 'node:fs'
import { DamagedStore } from './git-object.ts'

const NAMES = 8 + 256 * 4

export interface PackIndex {
  readonly count: number
  /** Byte offset of the object's entry in the pack, or -1. */
  find(oid: string): number
  /** The ids that begin with these hex digits (at least four), at most `limit`. */
  expand(prefix: string, limit: number): string[]
}

/** Throws DamagedStore where the file is no index, and the system's error where it cannot be read. */
export function readPackIndex(path: string): PackIndex {
  const bytes = readFileSync(path)
  if (bytes.length < NAMES + 40 || bytes.readUInt32BE(0) !== 0xff744f63 || bytes.readUInt32BE(4) !== 2) {
    throw new DamagedStore(`${path} is not a pack index of version 2`)
  }
  const count = bytes.readUInt32BE(NAMES - 4)
  const offsets = NAMES + count * 24
  const large = offsets + count * 4
  if (bytes.length < large + 40) throw new DamagedStore(`${path} ends too early`)

  const nameAt = (position: number): string => bytes.toString('hex', NAMES + position * 20, NAMES + position * 20 + 20)

  function offsetAt(position: number): number {
    const offset = bytes.readUInt32BE(offsets + position * 4)
    if (offset < 0x80000000) return offset
    const place = large + (offset - 0x80000000) * 8
    if (place + 8 > bytes.length - 40) throw new DamagedStore(`${path} points outside itself`)
    return Number(bytes.readBigUInt64BE(place))
  }

  /** The first position whose name does not begin below these 32 bits. */
  function lowerBound(wanted: number): number {
    const first = wanted >>> 24
    let low = first === 0 ? 0 : bytes.readUInt32BE(8 + (first - 1) * 4)
    let high = bytes.readUInt32BE(8 + first * 4)
    if (low > high || high > count) throw new DamagedStore(`${path} has a broken fan-out table`)
    while (low < high) {
      const middle = (low + high) >>> 1
      if (bytes.readUInt32BE(NAMES + middle * 20) < wanted) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    count,
    find(oid) {
      const wanted = Number.parseInt(oid.slice(0, 8), 16)
      for (let position = lowerBound(wanted); position < count; position++) {
        if (bytes.readUInt32BE(NAMES + position * 20) !== wanted) break
        if (nameAt(position) === oid) return offsetAt(position)
      }
      return -1
    },
    expand(prefix, limit) {
      const found: string[] = []
      const wanted = Number.parseInt(prefix.slice(0, 8).padEnd(8, '0'), 16)
      for (let position = lowerBound(wanted); position < count && found.length < limit; position++) {
        const name = nameAt(position)
        if (name.startsWith(prefix)) found.push(name)
        else if (name > prefix) break
      }
      return found
    },
  }
}
