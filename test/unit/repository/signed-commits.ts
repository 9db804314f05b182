// Commit objects and keys for tests of signatures, made without any program.

import { createHash, generateKeyPairSync, sign as signBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { openSigner, type Signer } from '../../../src/repository/signing-key.ts'
import { signedParts } from '../../../src/repository/signed-object.ts'
import { makeSshSignature, readSshSignature } from '../../../src/repository/ssh-signature.ts'
import { readWire, wireNumber, wireString } from '../../../src/repository/ssh-wire.ts'

export const ANN = { email: 'ann@example.org', time: Date.UTC(2024, 5, 1) }

/** A commit by Ann at `time`, in milliseconds. */
export function rawCommit(message = 'A change', time: number = ANN.time): Buffer {
  const who = `Ann <${ANN.email}> ${time / 1000} +0000`
  return Buffer.from(
    `tree ${'1'.repeat(40)}\nparent ${'2'.repeat(40)}\nauthor ${who}\ncommitter ${who}\n\n${message}\n`,
  )
}

export type KeyKind = 'ed25519' | 'rsa' | 'rsa-1024' | 'P-256' | 'P-384' | 'P-521'

export interface TestKey {
  readonly sign: Signer
  /** As it stands in a file: `ssh-ed25519 AAAA…`. */
  readonly line: string
}

export async function testKey(kind: KeyKind): Promise<TestKey> {
  const folder = mkdtempSync(join(tmpdir(), 'graft-key-'))
  try {
    const file = join(folder, 'key')
    writeFileSync(file, pairOf(kind).privateKey.export({ format: 'pem', type: 'pkcs8' }))
    const sign = await openSigner(file)
    if (sign === null) throw new Error('no signer')
    const { publicKey } = readSshSignature(signedParts(sign(rawCommit())).signature ?? '')
    return { sign, line: `${readWire(publicKey).text()} ${publicKey.toString('base64')}` }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function pairOf(kind: KeyKind) {
  if (kind === 'ed25519') return generateKeyPairSync('ed25519')
  if (kind === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048 })
  if (kind === 'rsa-1024') return generateKeyPairSync('rsa', { modulusLength: 1024 })
  return generateKeyPairSync('ec', { namedCurve: kind })
}

export interface TokenKey {
  /** As it stands in a file. */
  readonly line: string
  /** The armored signature for Git, with the user there. */
  sign(content: Buffer): string
}

/** Keys as a security token holds them, without the token. OpenSSH, PROTOCOL.u2f. */
export function tokenKeys(): TokenKey[] {
  const application = wireString('ssh:')
  const flags = Buffer.of(1, 0, 0, 0, 7)
  const hash = (data: Buffer | string) => createHash('sha256').update(data).digest()
  const inToken = (data: Buffer) => Buffer.concat([hash('ssh:'), flags, hash(data)])
  const key = (type: string, fields: readonly Buffer[], make: (data: Buffer) => Buffer): TokenKey => {
    const blob = Buffer.concat([wireString(type), ...fields, application])
    const signature = (data: Buffer) => Buffer.concat([wireString(type), wireString(make(inToken(data))), flags])
    const line = `${type} ${blob.toString('base64')}`
    return { line, sign: (content) => makeSshSignature(blob, 'git', content, signature) }
  }
  const ed = generateKeyPairSync('ed25519')
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const bytes = (text: string | undefined) => Buffer.from(text ?? '', 'base64url')
  const { x, y } = ec.publicKey.export({ format: 'jwk' })
  const point = Buffer.concat([Buffer.of(4), bytes(x), bytes(y)])
  return [
    key('sk-ssh-ed25519@openssh.com', [wireString(bytes(ed.publicKey.export({ format: 'jwk' }).x))], (data) =>
      signBytes(null, data, ed.privateKey),
    ),
    key('sk-ecdsa-sha2-nistp256@openssh.com', [wireString('nistp256'), wireString(point)], (data) => {
      const numbers = signBytes('sha256', data, { key: ec.privateKey, dsaEncoding: 'ieee-p1363' })
      return Buffer.concat([wireNumber(numbers.subarray(0, 32)), wireNumber(numbers.subarray(32))])
    }),
  ]
}
