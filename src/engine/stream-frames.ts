// Takes apart the engine's two-in-one stream of standard output and error (Engine API 1.41, ContainerAttach, "Stream
// format"): eight bytes of header (stream, three zeros, length), then the bytes.

export interface Frame {
  readonly stream: 'stdout' | 'stderr'
  readonly bytes: Buffer
}

const HEADER = 8
/** Docker's frames have some kilobytes; one that says it is longer than this would only fill the memory. */
const LONGEST = 4 * 1024 * 1024

/**
 * Yields frames as they come; of a container with a terminal (`tty`) each piece of the stream is one frame. Throws what the
 * stream throws, and an Error at a frame that no engine sends.
 */
export async function* frames(stream: NodeJS.ReadableStream, tty: boolean): AsyncGenerator<Frame, void, undefined> {
  let pending: Buffer = Buffer.alloc(0)
  for await (const chunk of stream) {
    const bytes: Buffer = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    if (tty) {
      yield { stream: 'stdout', bytes }
      continue
    }
    pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes])
    while (pending.length >= HEADER) {
      const end = HEADER + pending.readUInt32BE(4)
      if (end > LONGEST) throw new Error('the engine sent a stream that is none of a container')
      if (pending.length < end) break
      yield { stream: pending[0] === 2 ? 'stderr' : 'stdout', bytes: pending.subarray(HEADER, end) }
      pending = pending.subarray(end)
    }
  }
}
