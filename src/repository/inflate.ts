// Inflating zlib streams of a known length, never beyond it, or only their first bytes.

import { constants, inflateSync } from 'node:zlib'
import { codeOf, DamagedStore } from './git-object.ts'

/** The content of exactly `size` bytes; null where the input ends before the stream does. Bytes after it are ignored. */
export function inflateExactly(input: Uint8Array, size: number): Buffer | null {
  let output: Buffer
  try {
    output = inflateSync(input, { maxOutputLength: Math.max(1, size), chunkSize: Math.max(64, size) })
  } catch (error) {
    if (codeOf(error) === 'Z_BUF_ERROR') return null
    throw new DamagedStore('an object does not inflate', { cause: error })
  }
  if (output.length !== size) throw new DamagedStore(`an object has ${output.length} bytes where ${size} were promised`)
  return output
}

/** As many of the first bytes as `input`, the beginning of a stream, gives. */
export function inflateBeginning(input: Uint8Array): Buffer {
  try {
    return inflateSync(input, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 1 << 22 })
  } catch (error) {
    throw new DamagedStore('an object does not inflate', { cause: error })
  }
}

/** Most bytes that `size` bytes can take when deflated (zlib's compressBound, and some for the worst encoder). */
export function deflatedBound(size: number): number {
  return size + (size >> 10) + 64
}
