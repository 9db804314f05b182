// The OpenPGP keys that are trusted, from armored blocks or a binary keyring, with what revokes them.

import { config, type Config, type Key, readKeys, revokeKey } from 'openpgp'

import type { KeyProblem } from './signature-verdict.ts'

export interface KeyBlock {
  /** 1-based line where it begins; null in a binary file. */
  readonly line: number | null
  readonly content: string | Uint8Array
}

/**
 * GnuPG's answers where the package's own are stricter for no gain here, because the host chose these keys: a key whose
 * self-signatures were renewed counts for what it signed before, and one without usage flags may sign.
 */
export const RING_CONFIG: Config = {
  ...config,
  allowInsecureVerificationWithReformattedKeys: true,
  allowMissingKeyFlags: true,
}

/**
 * Blocks of one key are put together, so that a revocation counts wherever it stands. A block that does not read is
 * fatal: it may be a revocation.
 */
export async function readRing(blocks: readonly KeyBlock[]): Promise<{ keys: Key[]; problems: KeyProblem[] }> {
  const ring = new Map<string, Key>()
  const problems: KeyProblem[] = []
  const others: KeyBlock[] = []
  for (const block of blocks) {
    const keys = await keysIn(block.content)
    if (keys === null) others.push(block)
    for (const key of keys ?? []) {
      const known = ring.get(key.getFingerprint())
      ring.set(key.getFingerprint(), known === undefined ? key.toPublic() : await known.update(key.toPublic()))
    }
  }
  for (const block of others) {
    const revoked = await revokedBy(block.content, ring)
    if (revoked !== null) ring.set(revoked.getFingerprint(), revoked)
    else {
      problems.push({
        line: block.line,
        message: 'this OpenPGP block is neither a public key nor the revocation of one that stands here',
        remedy: 'put in what gpg --armor --export KEY prints, whole',
        fatal: true,
      })
    }
  }
  return { keys: [...ring.values()], problems }
}

async function keysIn(content: string | Uint8Array): Promise<Key[] | null> {
  try {
    return typeof content === 'string'
      ? await readKeys({ armoredKeys: content, config: RING_CONFIG })
      : await readKeys({ binaryKeys: content, config: RING_CONFIG })
  } catch {
    return null
  }
}

/** A revocation certificate, as `gpg --gen-revoke` makes it, is a block of its own. */
async function revokedBy(content: string | Uint8Array, ring: ReadonlyMap<string, Key>): Promise<Key | null> {
  if (typeof content !== 'string') return null
  for (const key of ring.values()) {
    try {
      const options = {
        key: key.toPublic(),
        revocationCertificate: content,
        format: 'object',
        config: RING_CONFIG,
      } as const
      return (await revokeKey(options)).publicKey
    } catch {
      // It is for another key.
    }
  }
  return null
}
