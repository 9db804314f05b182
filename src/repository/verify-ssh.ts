// Judges an SSH signature of a commit by the keys that this host trusts.

import { matchesPatterns, type AllowedSigner } from './allowed-signers.ts'
import { notGood, signingTime, type SignatureVerdict, type SigningTimes } from './signature-verdict.ts'
import { fingerprintOf, readPublicKey, UnservedKey } from './ssh-public-key.ts'
import { GIT_NAMESPACE, readSshSignature, type SshSignature } from './ssh-signature.ts'

export interface SignedPayload {
  readonly payload: Buffer
  /** Armored. */
  readonly signature: string
  readonly committer: { readonly email: string; readonly time: number }
}

/**
 * As Git does it: the namespace is `git`, the key stands in a line that admits it, and its time is judged at the
 * commit's (git-config, gpg.ssh.allowedSignersFile), within what can be.
 */
export function verifySsh(
  { payload, signature: armored, committer }: SignedPayload,
  signers: readonly AllowedSigner[],
  times: SigningTimes,
): SignatureVerdict {
  let signature: SshSignature
  try {
    signature = readSshSignature(armored)
  } catch (error) {
    return notGood('bad', `has an SSH signature that does not read: ${wordsOf(error)}`, SIGN_AGAIN)
  }
  const key = fingerprintOf(signature.publicKey)
  if (signature.namespace !== GIT_NAMESPACE) {
    const words = `has a signature that was made for ${JSON.stringify(signature.namespace.slice(0, 60))}, not for Git`
    return notGood('bad', words, SIGN_AGAIN, key)
  }
  try {
    if (!readPublicKey(signature.publicKey).verify(signature.signed(payload), signature.signature)) {
      return notGood('bad', 'was changed after it was signed, or its signature was', SIGN_AGAIN, key)
    }
  } catch (error) {
    if (error instanceof UnservedKey) {
      return notGood('unsupported', `has a signature that is not checked: ${error.message}`, PLAIN_KEY, key)
    }
    return notGood('bad', `has an SSH signature that does not read: ${wordsOf(error)}`, SIGN_AGAIN, key)
  }
  return admitted(signature.publicKey, key, signers, committer, times)
}

function admitted(
  blob: Buffer,
  key: string,
  signers: readonly AllowedSigner[],
  { email, time }: SignedPayload['committer'],
  times: SigningTimes,
): SignatureVerdict {
  const known = signers.filter((signer) => signer.key.blob.equals(blob))
  if (known.length === 0)
    return notGood('unknown-key', `is signed by ${key}, which this host does not trust`, TRUST_IT, key)
  const forGit = known.filter(({ namespaces }) => namespaces === null || matchesPatterns(GIT_NAMESPACE, namespaces))
  const [first] = forGit
  if (first === undefined) {
    const words = `is signed by ${key}, which this host trusts for ${known[0]?.namespaces ?? ''} only, not for git`
    return notGood('unknown-key', words, 'Add git to its namespaces, or sign with another key', key)
  }
  const at = signingTime(time, times)
  const inTime = forGit.filter(
    ({ validAfter, validBefore }) =>
      (validAfter === null || at >= validAfter) && (validBefore === null || at <= validBefore),
  )
  const own = inTime.find(({ principals }) => matchesPatterns(email.toLowerCase(), principals.toLowerCase()))
  const good = own ?? inTime[0]
  if (good !== undefined) return { kind: 'good', signer: good.principals, key, ownName: own !== undefined }
  const { validAfter, validBefore } = first
  const ends = validBefore !== null && at > validBefore
  const words = ends
    ? `is signed by ${first.principals} with ${key} at ${day(at)}, and that key was valid until ${day(validBefore)}`
    : `is signed by ${first.principals} with ${key} at ${day(at)}, and that key is valid from ${day(validAfter ?? 0)} on`
  return notGood(
    'expired',
    words,
    'Sign with a key that is valid, or give this one more time in the file of trusted keys',
    key,
  )
}

const SIGN_AGAIN = 'Make it again and sign it: git commit --amend -S'
const PLAIN_KEY = 'Sign with a plain key of the type ed25519, ECDSA or RSA from 2048 bits on'
const TRUST_IT = 'Sign with a key that is trusted, or add this one to the file of trusted keys'

function day(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
