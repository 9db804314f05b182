// What was found out about the signature of one commit.

import type { CommitFacts } from './snapshot.ts'

/**
 * `good`: a trusted key made it, and might at that time. Everything else is not good:
 * `unsigned`, `bad` (tampered with, or not readable), `unknown-key`, `expired` (outside of the time its key is for),
 * `revoked`, `unsupported` (nobody can tell with what graft knows).
 */
export type SignatureVerdict =
  | {
      readonly kind: 'good'
      /** Who the key belongs to, as the file of trusted keys says: a principal, or an OpenPGP user id. */
      readonly signer: string
      /** `SHA256:…` of an SSH key, the fingerprint of an OpenPGP key. */
      readonly key: string
      /** Whether the committer's address is among what the key is for. */
      readonly ownName: boolean
    }
  | {
      readonly kind: 'unsigned' | 'bad' | 'unknown-key' | 'expired' | 'revoked' | 'unsupported'
      /** Null where it is not known. */
      readonly key: string | null
      /** Goes on after “commit abc1234”: `is not signed`. */
      readonly words: string
      readonly remedy: string
    }

export interface SignedCommit {
  readonly commit: CommitFacts
  readonly verdict: SignatureVerdict
}

/** Of a line or block in the file of trusted keys that admits nobody. */
export interface KeyProblem {
  /** 1-based; null where the whole file is meant. */
  readonly line: number | null
  readonly message: string
  readonly remedy: string
  /** Whether no signature can be checked because of it. */
  readonly fatal: boolean
}

/** The times that count when a key's validity is judged, all in milliseconds since 1970. */
export interface SigningTimes {
  /** Nobody can have made a commit before the commits it stands on. */
  readonly notBefore: number
  /** Now, and a little for clocks that differ. */
  readonly notAfter: number
}

/** The time that is taken for the one of signing: what the commit says, within what can be. */
export function signingTime(said: number, { notBefore, notAfter }: SigningTimes): number {
  return Math.min(Math.max(said, notBefore), notAfter)
}

export function notGood(
  kind: Exclude<SignatureVerdict['kind'], 'good'>,
  words: string,
  remedy: string,
  key: string | null = null,
): SignatureVerdict {
  return { kind, words, remedy, key }
}
