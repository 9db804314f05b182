// Reads objects that lie in files of their own (`objects/ab/cdef…`).
// Git documentation, gitrepository-layout, "objects/[0-9a-f][0-9a-f]".

import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf, DamagedStore, isObjectType, type ObjectPart } from './git-object.ts'
import { deflatedBound, inflateBeginning, inflateExactly } from './inflate.ts'

/** The object, without content where that is above `limit` bytes; null where there is no such file. */
export function readLoose(objects: string, oid: string, limit: number): ObjectPart | null {
  const path = join(objects, oid.slice(0, 2), oid.slice(2))
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return null
    throw error
  }
  try {
    const length = fstatSync(file).size
    const beginning = readFrom(file, Math.min(length, 4096))
    const head = inflateBeginning(beginning.subarray(0, 512))
    const zero = head.indexOf(0)
    const [type = '', digits = ''] = head.toString('latin1', 0, Math.max(zero, 0)).split(' ')
    if (!isObjectType(type) || !/^\d+$/.test(digits)) throw new DamagedStore(`${path} is not a Git object`)
    const size = Number(digits)
    if (size > limit) return { type, size, content: null }
    if (length > deflatedBound(size + 64)) throw new DamagedStore(`${path} is larger than it can be`)
    const all = length <= beginning.length ? beginning : readFrom(file, length)
    const whole = inflateExactly(all, zero + 1 + size)
    if (whole === null) throw new DamagedStore(`${path} ends too early`)
    return { type, size, content: whole.subarray(zero + 1) }
  } finally {
    closeSync(file)
  }
}

/** Ids of loose objects that begin with these hex digits (at least two), at most `limit`. */
export function expandLoose(objects: string, prefix: string, limit: number): string[] {
  const folder = prefix.slice(0, 2)
  try {
    return readdirSync(join(objects, folder))
      .map((name) => folder + name)
      .filter((oid) => /^[0-9a-f]{40}$/.test(oid) && oid.startsWith(prefix))
      .slice(0, limit)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

function readFrom(file: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  let filled = 0
  while (filled < length) {
    const got = readSync(file, bytes, filled, length - filled, filled)
    if (got === 0) break
    filled += got
  }
  return bytes.subarray(0, filled)
}
