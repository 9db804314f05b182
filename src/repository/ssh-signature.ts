// SSH signatures over data, as `ssh-keygen -Y sign` makes them. OpenSSH, PROTOCOL.sshsig.

import { createHash } from 'node:crypto'

import { readWire, uint32, WireFault, wireString } from './ssh-wire.ts'

/** What Git's own signatures are made for, so that a signature over something else cannot pass as one. */
export const GIT_NAMESPACE = 'git'

export interface SshSignature {
  readonly publicKey: Buffer
  readonly namespace: string
  /** In SSH's format, with its algorithm. */
  readonly signature: Buffer
  /** The bytes that the key has signed, for data that is expected to be signed. */
  signed(data: Uint8Array): Buffer
}

const MAGIC = Buffer.from('SSHSIG', 'latin1')
const VERSION = 1
const BEGIN = '-----BEGIN SSH SIGNATURE-----'
const END = '-----END SSH SIGNATURE-----'
const LINE = 70

export function isSshSignature(armored: string): boolean {
  return armored.startsWith(BEGIN)
}

/** Throws WireFault. */
export function readSshSignature(armored: string): SshSignature {
  const text = armored.trim()
  if (!text.startsWith(BEGIN) || !text.endsWith(END)) throw new WireFault('its first or last line is missing')
  const base64 = text.slice(BEGIN.length, -END.length).replace(/\s/g, '')
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.toString('base64') !== base64) throw new WireFault('its lines are no base64')
  const fields = readWire(bytes)
  if (!fields.bytes(MAGIC.length).equals(MAGIC)) throw new WireFault('it does not begin as one')
  const version = fields.uint32()
  if (version !== VERSION) throw new WireFault(`its format has the version ${version}`)
  const publicKey = fields.string()
  const namespace = fields.string().toString('utf8')
  const reserved = fields.string()
  const hash = fields.text()
  if (hash !== 'sha256' && hash !== 'sha512')
    throw new WireFault(`it names the hash ${JSON.stringify(hash.slice(0, 40))}`)
  const signature = fields.string()
  fields.end()
  return { publicKey, namespace, signature, signed: (data) => toBeSigned(namespace, reserved, hash, data) }
}

/** The armored signature; `sign` makes one in SSH's format over the bytes that it is given. */
export function makeSshSignature(
  publicKey: Uint8Array,
  namespace: string,
  data: Uint8Array,
  sign: (bytes: Buffer) => Buffer,
): string {
  const hash = 'sha512'
  const signature = sign(toBeSigned(namespace, Buffer.alloc(0), hash, data))
  const fields = [publicKey, namespace, '', hash, signature].map(wireString)
  const base64 = Buffer.concat([MAGIC, uint32(VERSION), ...fields]).toString('base64')
  const lines = base64.match(new RegExp(`.{1,${LINE}}`, 'g')) ?? []
  return [BEGIN, ...lines, END, ''].join('\n')
}

function toBeSigned(namespace: string, reserved: Uint8Array, hash: 'sha256' | 'sha512', data: Uint8Array): Buffer {
  const digest = createHash(hash).update(data).digest()
  return Buffer.concat([MAGIC, ...[Buffer.from(namespace, 'utf8'), reserved, hash, digest].map(wireString)])
}
