// Judges the signature of one commit object, whatever its kind.

import { notGood, type SignatureVerdict, type SigningTimes } from './signature-verdict.ts'
import { signedParts } from './signed-object.ts'
import { isSshSignature } from './ssh-signature.ts'
import type { TrustedKeys } from './trusted-keys.ts'
import { verifySsh } from './verify-ssh.ts'

/** `content`: the raw commit. `committer` as it stands in there, its time in milliseconds since 1970. */
export async function verifyCommit(
  content: Buffer,
  committer: { readonly email: string; readonly time: number },
  keys: TrustedKeys,
  times: SigningTimes,
): Promise<SignatureVerdict> {
  const { payload, signature, several, tooEarly } = signedParts(content)
  if (signature === null) return notGood('unsigned', 'is not signed', SIGN)
  if (several) return notGood('bad', 'has several signatures, and none of them counts then', SIGN)
  if (tooEarly) return notGood('bad', 'has its signature where none belongs: before its parents or persons', SIGN)
  const signed = { payload, signature, committer }
  if (isSshSignature(signature)) return verifySsh(signed, keys.ssh, times)
  if (/^-----BEGIN PGP (SIGNATURE|MESSAGE)-----/.test(signature)) {
    const { verifyOpenpgp } = await import('./verify-openpgp.ts')
    return verifyOpenpgp(signed, keys.openpgp, times)
  }
  const kind = /^-----BEGIN (SIGNED MESSAGE|PKCS7)-----/.test(signature)
    ? 'an X.509 signature'
    : 'a signature of a kind'
  return notGood('unsupported', `has ${kind} that graft does not check`, 'Sign with an SSH or an OpenPGP key')
}

const SIGN = 'Sign it: git commit --amend -S, or git config commit.gpgsign true for all that follow'
