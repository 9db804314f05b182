// The keys that commits may be signed with, from one file of the host: lines of allowed signers, OpenPGP keys, or both,
// because a forge signs merges with a key of its own kind.

import type { Key } from 'openpgp'

import { readAllowedSigners, type AllowedSigner } from './allowed-signers.ts'
import type { KeyBlock } from './openpgp-ring.ts'
import type { KeyProblem } from './signature-verdict.ts'

export interface TrustedKeys {
  readonly ssh: readonly AllowedSigner[]
  readonly openpgp: readonly Key[]
  readonly problems: readonly KeyProblem[]
}

const BLOCK = /^-----BEGIN PGP ([A-Z ]+)-----[^]*?^-----END PGP \1-----[ \t\r]*$/gm
const PRIVATE = /-----BEGIN (?:[A-Z ]+ )?PRIVATE KEY(?: BLOCK)?-----/

export async function readTrustedKeys(file: Uint8Array): Promise<TrustedKeys> {
  const content = Buffer.from(file)
  // The first byte of an OpenPGP packet has its highest bit set; no text begins so.
  const isBinary = (content[0] ?? 0) >= 0x80 && !content.subarray(0, 3).equals(Buffer.of(0xef, 0xbb, 0xbf))
  const text = isBinary ? '' : content.toString('utf8').replace(/^\uFEFF/, '')
  const secret = PRIVATE.exec(text)
  if (secret !== null) return none(lineAt(text, secret.index), 'this is a private key', 'put in its public half')
  const blocks: KeyBlock[] = isBinary ? [{ line: null, content: file }] : []
  const lines = text.replace(BLOCK, (block, _kind: string, at: number) => {
    blocks.push({ line: lineAt(text, at), content: block })
    return block.replace(/[^\n]/g, '')
  })
  const ssh = readAllowedSigners(lines)
  const ring =
    blocks.length === 0 ? { keys: [], problems: [] } : await (await import('./openpgp-ring.ts')).readRing(blocks)
  const problems = [...ssh.problems, ...ring.problems]
  if (ssh.signers.length + ring.keys.length === 0 && !problems.some(({ fatal }) => fatal)) {
    const { problems: empty } = none(null, 'there is no key in it that could be trusted', NEEDED)
    problems.push(...empty)
  }
  return { ssh: ssh.signers, openpgp: ring.keys, problems }
}

const NEEDED = 'write lines of allowed signers (ann@example.org ssh-ed25519 AAAA…), or what gpg --armor --export prints'

function none(line: number | null, message: string, remedy: string): TrustedKeys {
  return { ssh: [], openpgp: [], problems: [{ line, message, remedy, fatal: true }] }
}

function lineAt(text: string, at: number): number {
  return text.slice(0, at).split('\n').length
}
