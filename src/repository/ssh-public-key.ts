// Public keys as SSH writes them, and whether one of them made a signature.
// RFC 4253 section 6.6, RFC 5656, RFC 8332, RFC 8709; OpenSSH, PROTOCOL.u2f for keys that lie in a security token.

import { createHash, createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto'

import { padded, readWire, WireFault, type WireReader } from './ssh-wire.ts'

export interface SshPublicKey {
  /** `ssh-ed25519`, `ecdsa-sha2-nistp256`, … */
  readonly type: string
  /** The key as it stands in signatures and files, decoded from base64. */
  readonly blob: Buffer
  /** `SHA256:…`, as `ssh-keygen -l` shows it. */
  readonly fingerprint: string
  /** Throws WireFault for a signature that does not read, UnservedKey for an algorithm that is not served. */
  verify(data: Uint8Array, signature: Uint8Array): boolean
}

/** A key or a signature that reads and that graft does not check; the message says why, in words. */
export class UnservedKey extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UnservedKey'
  }
}

export interface Curve {
  readonly name: string
  readonly jwk: string
  readonly hash: string
  /** Bytes of one coordinate. */
  readonly size: number
}

const CURVES: Readonly<Record<string, Curve>> = {
  'ecdsa-sha2-nistp256': { name: 'nistp256', jwk: 'P-256', hash: 'sha256', size: 32 },
  'ecdsa-sha2-nistp384': { name: 'nistp384', jwk: 'P-384', hash: 'sha384', size: 48 },
  'ecdsa-sha2-nistp521': { name: 'nistp521', jwk: 'P-521', hash: 'sha512', size: 66 },
}

const RSA_HASHES: Readonly<Record<string, string>> = { 'rsa-sha2-256': 'sha256', 'rsa-sha2-512': 'sha512' }
/** Bits of the smallest RSA key that counts. NIST SP 800-131A, section 3. */
const SMALLEST_RSA = 2048

export function curveOf(type: string): Curve | null {
  return CURVES[type] ?? null
}

/** Throws WireFault for what is no key, UnservedKey for one of a type that graft does not know. */
export function readPublicKey(blob: Buffer): SshPublicKey {
  const fields = readWire(blob)
  const type = fields.text()
  const check = checkerOf(type, fields)
  fields.end()
  return { type, blob, fingerprint: fingerprintOf(blob), verify: check }
}

export function fingerprintOf(blob: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
}

function checkerOf(type: string, fields: WireReader): SshPublicKey['verify'] {
  if (type === 'ssh-ed25519') return ed25519(fields.string())
  if (type === 'ssh-rsa') {
    const exponent = fields.mpint()
    return rsa(exponent, fields.mpint())
  }
  const curve = curveOf(type)
  if (curve !== null) return ecdsa(type, curve, point(fields, curve))
  if (type === 'sk-ssh-ed25519@openssh.com') {
    const key = fields.string()
    return inToken(fields.string(), type, (data, signature) => checkEd25519(key, data, signature))
  }
  const p256 = CURVES['ecdsa-sha2-nistp256']
  if (type === 'sk-ecdsa-sha2-nistp256@openssh.com' && p256 !== undefined) {
    const key = point(fields, p256)
    return inToken(fields.string(), type, (data, signature) => checkEcdsa(key, p256, data, signature))
  }
  if (/-cert-v0\d@openssh\.com$/.test(type)) throw new UnservedKey('it is a certificate, and graft checks plain keys')
  throw new UnservedKey(`its key is of the type ${JSON.stringify(type.slice(0, 60))}, which graft does not check`)
}

function ed25519(key: Buffer): SshPublicKey['verify'] {
  return (data, signature) => checkEd25519(key, data, plainSignature(signature, 'ssh-ed25519'))
}

function rsa(exponent: Buffer, modulus: Buffer): SshPublicKey['verify'] {
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24
  return (data, signature) => {
    const fields = readWire(signature)
    const algorithm = fields.text()
    const hash = RSA_HASHES[algorithm]
    if (hash === undefined) throw new UnservedKey(`an RSA signature of the kind ${algorithm} proves nothing any more`)
    if (bits < SMALLEST_RSA) throw new UnservedKey(`an RSA key of ${bits} bits is too short to prove anything`)
    const bytes = fields.string()
    fields.end()
    const size = modulus.length
    // OpenSSH takes signatures whose leading zeros were left out.
    const key = fromJwk({ kty: 'RSA', n: modulus.toString('base64url'), e: exponent.toString('base64url') })
    return bytes.length <= size && verify(hash, data, key, padded(bytes, size))
  }
}

function ecdsa(type: string, curve: Curve, key: KeyObject): SshPublicKey['verify'] {
  return (data, signature) => checkEcdsa(key, curve, data, plainSignature(signature, type))
}

/**
 * The token signs a hash of the data, the application that the key is for, and its own counter. OpenSSH, PROTOCOL.u2f,
 * "SSH U2F signatures".
 */
function inToken(
  application: Buffer,
  type: string,
  check: (data: Uint8Array, signature: Buffer) => boolean,
): SshPublicKey['verify'] {
  return (data, signature) => {
    const fields = readWire(signature)
    const algorithm = fields.text()
    if (algorithm !== type) throw new UnservedKey(`a signature of the kind ${algorithm} is not checked`)
    const bytes = fields.string()
    const flagsAndCounter = fields.bytes(5)
    fields.end()
    return check(Buffer.concat([sha256(application), flagsAndCounter, sha256(data)]), bytes)
  }
}

function checkEd25519(key: Buffer, data: Uint8Array, signature: Buffer): boolean {
  if (key.length !== 32) throw new WireFault('its key does not have 32 bytes')
  const publicKey = fromJwk({ kty: 'OKP', crv: 'Ed25519', x: key.toString('base64url') })
  return signature.length === 64 && verify(null, data, publicKey, signature)
}

function checkEcdsa(key: KeyObject, { hash, size }: Curve, data: Uint8Array, signature: Buffer): boolean {
  const fields = readWire(signature)
  const first = fields.mpint()
  const numbers = Buffer.concat([padded(first, size), padded(fields.mpint(), size)])
  fields.end()
  return verify(hash, data, { key, dsaEncoding: 'ieee-p1363' }, numbers)
}

/** RFC 5656, section 3.1: the curve's name, then the uncompressed point. */
function point(fields: WireReader, { name, jwk, size }: Curve): KeyObject {
  if (fields.text() !== name) throw new WireFault('its key names two different curves')
  const bytes = fields.string()
  if (bytes.length !== 1 + 2 * size || bytes[0] !== 4) throw new WireFault('its key is no point of its curve')
  const [x, y] = [bytes.subarray(1, 1 + size), bytes.subarray(1 + size)]
  return fromJwk({ kty: 'EC', crv: jwk, x: x.toString('base64url'), y: y.toString('base64url') })
}

function plainSignature(signature: Uint8Array, type: string): Buffer {
  const fields = readWire(signature)
  const algorithm = fields.text()
  if (algorithm !== type) throw new WireFault(`a key of the type ${type} cannot have made it`)
  const bytes = fields.string()
  fields.end()
  return bytes
}

function fromJwk(key: JsonWebKey): KeyObject {
  try {
    return createPublicKey({ key, format: 'jwk' })
  } catch {
    throw new WireFault('its key is none of its curve')
  }
}

function sha256(data: Uint8Array): Buffer {
  return createHash('sha256').update(data).digest()
}
