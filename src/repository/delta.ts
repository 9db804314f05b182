// Applies Git's deltas: a content told as pieces of another one.
// Git documentation, gitformat-pack, "Deltified representation".

import { DamagedStore } from './git-object.ts'

/** Bytes of the base that a delta starts from and of the content it makes; `at` is where its instructions begin. */
export interface DeltaSizes {
  readonly base: number
  readonly result: number
  readonly at: number
}

/** Reads the two sizes from the beginning of a delta (its first 20 bytes are enough). */
export function deltaSizes(delta: Uint8Array): DeltaSizes {
  let at = 0
  function size(): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = delta[at++]
      if (byte === undefined) throw new DamagedStore('a delta ends too early')
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 128
    }
  }
  const base = size()
  const result = size()
  return { base, result, at }
}

/** The content that `delta` makes of `base`. Throws DamagedStore where the two do not fit. */
export function applyDelta(delta: Buffer, base: Buffer): Buffer {
  const sizes = deltaSizes(delta)
  if (sizes.base !== base.length) throw new DamagedStore('a delta does not fit its base')
  const result = Buffer.allocUnsafe(sizes.result)
  let from = sizes.at
  let to = 0
  while (from < delta.length) {
    const code = delta[from++] ?? 0
    if (code === 0) throw new DamagedStore('a delta has an unknown instruction')
    if (code < 0x80) {
      if (from + code > delta.length || to + code > result.length) throw new DamagedStore('a delta overruns')
      delta.copy(result, to, from, from + code)
      from += code
      to += code
      continue
    }
    let offset = 0
    let length = 0
    for (let bit = 0; bit < 4; bit++) if (code & (1 << bit)) offset += (delta[from++] ?? 0) * 2 ** (8 * bit)
    for (let bit = 0; bit < 3; bit++) if (code & (0x10 << bit)) length += (delta[from++] ?? 0) << (8 * bit)
    if (length === 0) length = 0x10000
    if (offset + length > base.length || to + length > result.length) throw new DamagedStore('a delta overruns')
    base.copy(result, to, offset, offset + length)
    to += length
  }
  if (to !== result.length) throw new DamagedStore('a delta makes too few bytes')
  return result
}
