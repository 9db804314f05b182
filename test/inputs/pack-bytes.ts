// Packs byte by byte, as a server would send them that lies. Git documentation, gitformat-pack.

import { createHash } from 'node:crypto'
import { constants, deflateRawSync, deflateSync } from 'node:zlib'

export const KINDS = { commit: 1, tree: 2, blob: 3, tag: 4, offsetDelta: 6, referenceDelta: 7 } as const

export interface EntryWish {
  readonly kind: number
  /** As its header says it; left out: as it is. */
  readonly size?: number
  /** What stands between the header and the deflated bytes: where a delta starts from. */
  readonly base?: Uint8Array
  readonly content?: Uint8Array
  /** Instead of the deflated content. */
  readonly deflated?: Uint8Array
}

export function entryBytes({ kind, size, base, content = Buffer.alloc(0), deflated }: EntryWish): Buffer {
  let rest = size ?? content.length
  const head: number[] = [(kind << 4) | (rest & 15)]
  for (rest = Math.floor(rest / 16); rest > 0; rest = Math.floor(rest / 128)) {
    head[head.length - 1] = (head.at(-1) ?? 0) | 0x80
    head.push(rest & 0x7f)
  }
  return Buffer.concat([Buffer.from(head), base ?? Buffer.alloc(0), deflated ?? deflateSync(content)])
}

export interface PackWish {
  readonly version?: number
  /** As its header says it. */
  readonly count?: number
  readonly entries: readonly EntryWish[]
  readonly sum?: Buffer
}

export function packBytes({ version = 2, count, entries, sum }: PackWish): Buffer {
  const head = Buffer.alloc(12)
  head.write('PACK', 'latin1')
  head.writeUInt32BE(version, 4)
  head.writeUInt32BE(count ?? entries.length, 8)
  const body = Buffer.concat([head, ...entries.map(entryBytes)])
  return Buffer.concat([body, sum ?? createHash('sha1').update(body).digest()])
}

/** Git's number for how far back an offset delta's base lies. */
export function backBy(bytes: number): Buffer {
  const digits = [bytes & 0x7f]
  for (let rest = Math.floor(bytes / 128); rest > 0; rest = Math.floor(rest / 128))
    digits.unshift(0x80 | (--rest & 0x7f))
  return Buffer.from(digits)
}

/** A stream of so many zero bytes (a multiple of 64 MB), in a thousandth of that. */
export function zerosDeflated(bytes: number): Buffer {
  const piece = deflateRawSync(Buffer.alloc(64 * 1024 ** 2), { finishFlush: constants.Z_FULL_FLUSH, level: 9 })
  const pieces = Array.from({ length: bytes / (64 * 1024 ** 2) }, () => piece)
  return Buffer.concat([Buffer.from([0x78, 0xda]), ...pieces, Buffer.from([0x03, 0x00]), Buffer.alloc(4)])
}

/** The answer to a fetch with this pack in it. gitprotocol-pack, "side-band-64k". */
export function fetchAnswer(pack: Buffer, before: readonly Buffer[] = []): Buffer {
  const parts: Buffer[] = [packet(Buffer.from('NAK\n')), ...before]
  for (let at = 0; at < pack.length; at += 65_000) parts.push(band(1, pack.subarray(at, at + 65_000)))
  return Buffer.concat([...parts, Buffer.from('0000')])
}

export function band(number: number, bytes: Uint8Array): Buffer {
  return packet(Buffer.concat([Buffer.from([number]), bytes]))
}

export function packet(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes])
}
