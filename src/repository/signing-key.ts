// The key that graft signs its own commits with: an SSH private key in a file, without a passphrase.
// OpenSSH, PROTOCOL.key; PEM files are read by Node itself.

import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject, sign } from 'node:crypto'
import { readFile } from 'node:fs/promises'

import { RepositoryFault } from './repository.ts'
import { withSignature } from './signed-object.ts'
import { curveOf, UnservedKey } from './ssh-public-key.ts'
import { GIT_NAMESPACE, makeSshSignature } from './ssh-signature.ts'
import { padded, readWire, WireFault, wireNumber, type WireReader, wireString } from './ssh-wire.ts'

/** Signs a commit object that is about to be made: the content with its signature. */
export type Signer = (content: Buffer) => Buffer

/** The file is read at each call, so a renewed key is used at once. Null: commits are not signed. Throws RepositoryFault `refused`. */
export async function openSigner(file: string | null): Promise<Signer | null> {
  if (file === null) return null
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    const words = cause instanceof Error ? cause.message : String(cause)
    throw refused(`the signing key ${file} cannot be read: ${words}`, 'Correct the path or its permissions', cause)
  })
  try {
    const { blob, signBytes } = readSigningKey(text)
    return (content) => withSignature(content, makeSshSignature(blob, GIT_NAMESPACE, content, signBytes))
  } catch (cause) {
    if (cause instanceof RepositoryFault) throw cause
    const words = cause instanceof Error ? cause.message : String(cause)
    throw refused(
      `${file} is no key that graft can sign with: ${words}`,
      'Make one for graft alone: ssh-keygen -t ed25519 -N "" -f FILE, and name the file without .pub',
      cause,
    )
  }
}

interface SigningKey {
  /** The public key as SSH writes it. */
  readonly blob: Buffer
  /** A signature in SSH's format. */
  signBytes(bytes: Buffer): Buffer
}

const BEGIN = '-----BEGIN OPENSSH PRIVATE KEY-----'
const END = '-----END OPENSSH PRIVATE KEY-----'
const MAGIC = Buffer.from('openssh-key-v1\0', 'latin1')

/** Throws WireFault, UnservedKey, and what Node says of a PEM file. */
function readSigningKey(text: string): SigningKey {
  const found = text.indexOf(BEGIN)
  if (found < 0) {
    if (/^(ssh-|ecdsa-|sk-)/.test(text.trim())) throw new WireFault('it is the public half of one')
    if (/ENCRYPTED/.test(text)) throw passphrase()
    if (!text.includes('-----BEGIN ')) throw new WireFault('it is no SSH private key')
    return ofKey(createPrivateKey(text))
  }
  const end = text.indexOf(END, found)
  if (end < 0) throw new WireFault('its last line is missing')
  const fields = readWire(Buffer.from(text.slice(found + BEGIN.length, end), 'base64'))
  if (!fields.bytes(MAGIC.length).equals(MAGIC)) throw new WireFault('it does not begin as one')
  const cipher = fields.text()
  fields.string()
  fields.string()
  const count = fields.uint32()
  if (cipher !== 'none') throw passphrase()
  if (count !== 1) throw new WireFault(`it holds ${count} keys`)
  const blob = fields.string()
  const secret = readWire(fields.string())
  if (secret.uint32() !== secret.uint32()) throw new WireFault('it is damaged')
  const type = secret.text()
  const key = createPrivateKey({ key: secretJwk(type, secret), format: 'jwk' })
  const made = ofKey(key)
  if (!made.blob.equals(blob)) throw new WireFault('its public and its private half are not of one key')
  return made
}

function secretJwk(type: string, fields: WireReader): JsonWebKey {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')
  if (type === 'ssh-ed25519') {
    const x = fields.string()
    return { kty: 'OKP', crv: 'Ed25519', x: base64(x), d: base64(fields.string().subarray(0, 32)) }
  }
  if (type === 'ssh-rsa') {
    const [n, e, d, qi, p, q] = Array.from({ length: 6 }, () => fields.mpint())
    if (n === undefined || e === undefined || d === undefined) throw new WireFault('it ends too early')
    if (qi === undefined || p === undefined || q === undefined) throw new WireFault('it ends too early')
    const [dp, dq] = [exponentFor(d, p), exponentFor(d, q)]
    const numbers = Object.entries({ n, e, d, p, q, dp, dq, qi }).map(([name, bytes]) => [name, base64(bytes)])
    return { kty: 'RSA', ...Object.fromEntries(numbers) }
  }
  const curve = curveOf(type)
  if (curve !== null) {
    fields.string()
    const point = fields.string()
    const d = padded(fields.mpint(), curve.size)
    const [x, y] = [point.subarray(1, 1 + curve.size), point.subarray(1 + curve.size)]
    return { kty: 'EC', crv: curve.jwk, x: base64(x), y: base64(y), d: base64(d) }
  }
  if (type.startsWith('sk-'))
    throw new UnservedKey('the key lies in a security token, and somebody would have to touch it')
  throw new UnservedKey(`a key of the type ${JSON.stringify(type.slice(0, 60))} is not served`)
}

/** RFC 8017, section 3.2: d mod (p - 1). */
function exponentFor(d: Buffer, prime: Buffer): Buffer {
  const number = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex') || '0'}`)
  const hex = (number(d) % (number(prime) - 1n)).toString(16)
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
}

function ofKey(key: KeyObject): SigningKey {
  const { kty, crv, n, e, x, y } = createPublicKey(key).export({ format: 'jwk' })
  const bytes = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64url')
  if (kty === 'OKP' && crv === 'Ed25519') {
    return {
      blob: Buffer.concat(['ssh-ed25519', bytes(x)].map(wireString)),
      signBytes: (data) => Buffer.concat(['ssh-ed25519', sign(null, data, key)].map(wireString)),
    }
  }
  if (kty === 'RSA') {
    const blob = Buffer.concat([wireString('ssh-rsa'), wireNumber(bytes(e)), wireNumber(bytes(n))])
    if (bytes(n).length < 256) throw new UnservedKey('an RSA key below 2048 bits proves nothing')
    return { blob, signBytes: (data) => Buffer.concat(['rsa-sha2-512', sign('sha512', data, key)].map(wireString)) }
  }
  const type = kty === 'EC' ? { 'P-256': 'nistp256', 'P-384': 'nistp384', 'P-521': 'nistp521' }[crv ?? ''] : undefined
  const curve = curveOf(`ecdsa-sha2-${type}`)
  if (type === undefined || curve === null) throw new UnservedKey(`a key of the type ${kty} ${crv ?? ''} is not served`)
  const { name, hash, size } = curve
  const point = Buffer.concat([Buffer.of(4), padded(bytes(x), size), padded(bytes(y), size)])
  return {
    blob: Buffer.concat([`ecdsa-sha2-${name}`, name, point].map(wireString)),
    signBytes(data) {
      const numbers = sign(hash, data, { key, dsaEncoding: 'ieee-p1363' })
      const pair = Buffer.concat([wireNumber(numbers.subarray(0, size)), wireNumber(numbers.subarray(size))])
      return Buffer.concat([`ecdsa-sha2-${name}`, pair].map(wireString))
    },
  }
}

function passphrase(): UnservedKey {
  return new UnservedKey('it is protected by a passphrase, and nobody is there to type it')
}

function refused(message: string, remedy: string, cause?: unknown): RepositoryFault {
  return new RepositoryFault('refused', message, remedy, { cause })
}
