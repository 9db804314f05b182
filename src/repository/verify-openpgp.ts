// Judges an OpenPGP signature of a commit by the keys that this host trusts. RFC 9580, section 5.2.

import { createMessage, enums, type Key, readSignature, SignaturePacket } from 'openpgp'

import { RING_CONFIG } from './openpgp-ring.ts'
import { notGood, signingTime, type SignatureVerdict, type SigningTimes } from './signature-verdict.ts'
import type { SignedPayload } from './verify-ssh.ts'

/**
 * The key must have been valid when it signed, within what can be; one that was revoked because it is in other hands,
 * or for no reason that is told, was never valid.
 */
export async function verifyOpenpgp(
  { payload, signature: armored, committer }: SignedPayload,
  ring: readonly Key[],
  times: SigningTimes,
): Promise<SignatureVerdict> {
  const packet = await packetIn(armored)
  if (packet === null) return notGood('bad', 'has an OpenPGP signature that does not read', SIGN_AGAIN)
  const id = packet.issuerKeyID.toHex().toUpperCase()
  if (packet.signatureType !== enums.signature.binary) {
    return notGood('unsupported', 'has an OpenPGP signature over text, and Git signs bytes', SIGN_AGAIN, id)
  }
  const [key] = ring.filter((candidate) => candidate.getKeys(packet.issuerKeyID).length > 0)
  const [signing] = key?.getKeys(packet.issuerKeyID) ?? []
  if (key === undefined || signing === undefined) {
    return notGood('unknown-key', `is signed by the OpenPGP key ${id}, which this host does not trust`, TRUST_IT, id)
  }
  const fingerprint = key.getFingerprint().toUpperCase()
  const [signer = fingerprint] = key.getUserIDs()
  const by = `is signed by ${signer} with the OpenPGP key ${fingerprint}`
  try {
    const [data] = (await createMessage({ binary: payload })).packets
    if (data === undefined) throw new Error('there is nothing that is signed')
    await packet.verify(signing.keyPacket, enums.signature.binary, data, new Date(times.notAfter), true, RING_CONFIG)
  } catch (error) {
    return refusedSignature(wordsOf(error), by, fingerprint)
  }
  const said = packet.created?.getTime() ?? 0
  if (signing.getCreationTime().getTime() > said) {
    return notGood('bad', `${by}, and that key is younger than the signature`, SIGN_AGAIN, fingerprint)
  }
  const why = await whyNotValid(key, packet, new Date(signingTime(said, times)), new Date(times.notAfter))
  if (why !== null) return refusedKey(why, by, fingerprint)
  const ownName = key.users.some(({ userID }) => userID?.email.toLowerCase() === committer.email.toLowerCase())
  return { kind: 'good', signer, key: fingerprint, ownName }
}

/** Exactly one signature: Git takes none of several either. */
async function packetIn(armored: string): Promise<SignaturePacket | null> {
  try {
    const { packets } = await readSignature({ armoredSignature: armored, config: RING_CONFIG })
    const [packet] = packets
    return packets.length === 1 && packet instanceof SignaturePacket ? packet : null
  } catch {
    return null
  }
}

/** Null where the key could sign at that time. */
async function whyNotValid(key: Key, { issuerKeyID }: SignaturePacket, at: Date, now: Date): Promise<string | null> {
  const reasonAt = async (date: Date): Promise<string | null> => {
    try {
      await key.getSigningKey(issuerKeyID, date, undefined, RING_CONFIG)
      return null
    } catch (error) {
      return wordsOf(error)
    }
  }
  const why = await reasonAt(at)
  // Self-signatures that were renewed since then are all that is left of the key.
  return why !== null && /creation time is in the future/i.test(why) ? reasonAt(now) : why
}

function refusedSignature(words: string, by: string, key: string): SignatureVerdict {
  if (/did not match|verification failed|not issued by|does not match/i.test(words)) {
    return notGood('bad', 'was changed after it was signed, or its signature was', SIGN_AGAIN, key)
  }
  if (/in the future/i.test(words)) {
    return notGood(
      'bad',
      `${by} at a time that has not come yet`,
      'Look at the clocks of this host and of the signer',
      key,
    )
  }
  if (/is expired/i.test(words))
    return notGood('expired', `${by}, and the signature was made to expire`, SIGN_AGAIN, key)
  return notGood('unsupported', `${by} in a way that is not checked: ${words}`, SIGN_AGAIN, key)
}

function refusedKey(words: string, by: string, key: string): SignatureVerdict {
  if (/revoked/i.test(words)) {
    return notGood('revoked', `${by}, and that key is revoked`, 'Sign with a key that is not', key)
  }
  if (/expired/i.test(words)) {
    const remedy = 'Sign with a key that is valid; where it was made valid for longer, export it again'
    return notGood('expired', `${by}, and that key had expired by then`, remedy, key)
  }
  return notGood('unsupported', `${by}, which may not sign: ${words}`, 'Sign with a key that is made for signing', key)
}

const SIGN_AGAIN = 'Make it again and sign it: git commit --amend -S'
const TRUST_IT = 'Sign with a key that is trusted, or add this one to the file of trusted keys'

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
