// Reads and writes the fields of SSH's binary formats. RFC 4251, section 5: uint32, string, mpint.

/** What was read is no such format, or ends too early. */
export class WireFault extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'WireFault'
  }
}

export interface WireReader {
  byte(): number
  uint32(): number
  string(): Buffer
  text(): string
  /** The magnitude of a number, without leading zeros. */
  mpint(): Buffer
  bytes(count: number): Buffer
  rest(): number
  /** Throws where something follows. */
  end(): void
}

export function readWire(source: Uint8Array): WireReader {
  const buffer = Buffer.from(source.buffer, source.byteOffset, source.byteLength)
  let at = 0

  function bytes(count: number): Buffer {
    if (at + count > buffer.length) throw new WireFault('it ends too early')
    at += count
    return buffer.subarray(at - count, at)
  }
  const string = (): Buffer => bytes(bytes(4).readUInt32BE(0))

  return {
    byte: () => bytes(1).readUInt8(0),
    uint32: () => bytes(4).readUInt32BE(0),
    string,
    text: () => string().toString('latin1'),
    mpint() {
      const number = string()
      if (((number[0] ?? 0) & 0x80) !== 0) throw new WireFault('it holds a negative number')
      return withoutZeros(number)
    },
    bytes,
    rest: () => buffer.length - at,
    end() {
      if (at !== buffer.length) throw new WireFault('something follows its end')
    },
  }
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export function wireString(value: Uint8Array | string): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value
  return Buffer.concat([uint32(bytes.length), bytes])
}

/** `magnitude`: a number that is not negative, its highest byte first. */
export function wireNumber(magnitude: Uint8Array): Buffer {
  const bytes = withoutZeros(magnitude)
  const isHigh = ((bytes[0] ?? 0) & 0x80) !== 0
  return wireString(isHigh ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes)
}

/** The number in exactly `size` bytes; throws WireFault where it needs more. */
export function padded(magnitude: Uint8Array, size: number): Buffer {
  const bytes = withoutZeros(magnitude)
  if (bytes.length > size) throw new WireFault('it holds a number that is too large')
  return Buffer.concat([Buffer.alloc(size - bytes.length), bytes])
}

function withoutZeros(bytes: Uint8Array): Buffer {
  let from = 0
  while (from < bytes.length && bytes[from] === 0) from++
  return Buffer.from(bytes.subarray(from))
}
