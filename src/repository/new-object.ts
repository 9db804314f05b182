// Git objects that are made here: their ids, their loose files, and the pack that carries them to a server.

import { createHash, randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import type { ObjectType } from './git-object.ts'

export interface NewObject {
  readonly oid: string
  readonly type: ObjectType
  readonly content: Uint8Array
}

export function newObject(type: ObjectType, content: Uint8Array): NewObject {
  const oid = createHash('sha1').update(headOf(type, content)).update(content).digest('hex')
  return { oid, type, content }
}

/** Durable when it returns; an object that is there is left as it is. */
export function writeLoose(objects: string, { oid, type, content }: NewObject): void {
  const folder = join(objects, oid.slice(0, 2))
  const path = join(folder, oid.slice(2))
  if (existsSync(path)) return
  mkdirSync(folder, { recursive: true })
  writeDurably(path, deflateSync(Buffer.concat([headOf(type, content), content])), 0o444)
}

/** The file as a whole or not at all. */
export function writeDurably(path: string, content: Uint8Array, mode: number): void {
  const beside = `${path}.${randomBytes(6).toString('hex')}.new`
  const file = openSync(beside, 'wx', mode)
  try {
    writeSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(beside, path)
}

const PACK_TYPES: Readonly<Record<ObjectType, number>> = { commit: 1, tree: 2, blob: 3, tag: 4 }

/**
 * Git documentation, gitformat-pack: version 2, whole objects only. Null where the contents together are larger than
 * `limit` bytes.
 */
export function packOf(objects: readonly NewObject[], limit: number): Buffer | null {
  const head = Buffer.alloc(12)
  head.write('PACK', 'latin1')
  head.writeUInt32BE(2, 4)
  head.writeUInt32BE(objects.length, 8)
  const parts: Uint8Array[] = [head]
  let bytes = 0
  for (const object of objects) {
    // Read once: an object may load its content when it is asked for.
    const { type, content } = object
    bytes += content.length
    if (bytes > limit) return null
    parts.push(packHead(PACK_TYPES[type], content.length), deflateSync(content))
  }
  const body = Buffer.concat(parts)
  return Buffer.concat([body, createHash('sha1').update(body).digest()])
}

/** Three bits of type and four of size in the first byte, then seven bits of size a byte. */
function packHead(type: number, size: number): Buffer {
  const bytes: number[] = []
  let rest = Math.floor(size / 16)
  bytes.push((rest > 0 ? 0x80 : 0) | (type << 4) | (size % 16))
  while (rest > 0) {
    const next = Math.floor(rest / 128)
    bytes.push((next > 0 ? 0x80 : 0) | (rest % 128))
    rest = next
  }
  return Buffer.from(bytes)
}

function headOf(type: ObjectType, content: Uint8Array): Buffer {
  return Buffer.from(`${type} ${content.length}\0`, 'latin1')
}
