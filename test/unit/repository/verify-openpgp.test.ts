// Commits with OpenPGP signatures: good ones, and each way in which one is not.

import * as openpgp from 'openpgp'
import { beforeAll, describe, expect, it } from 'vitest'

import { withSignature } from '../../../src/repository/signed-object.ts'
import { readTrustedKeys } from '../../../src/repository/trusted-keys.ts'
import { verifyCommit } from '../../../src/repository/verify-commit.ts'
import { ANN, rawCommit, testKey } from './signed-commits.ts'

const DAY = 24 * 3600 * 1000
const MADE = new Date(ANN.time - 100 * DAY)
const SIGNED = new Date(ANN.time)
const TIMES = { notBefore: 0, notAfter: ANN.time + 300 * DAY }
const ann = { name: 'Ann', email: ANN.email }

interface Pair {
  readonly secret: openpgp.PrivateKey
  /** Armored. */
  readonly file: string
  readonly revocation: string
}

async function pair(more: Partial<openpgp.KeyOptions> = {}): Promise<Pair> {
  const options: openpgp.KeyOptions = { type: 'ecc', curve: 'ed25519Legacy', userIDs: [ann], date: MADE, ...more }
  const made = await openpgp.generateKey({ ...options, format: 'object' })
  return { secret: made.privateKey, file: made.publicKey.armor(), revocation: made.revocationCertificate }
}

async function signed(key: Pair, content = rawCommit(), date = SIGNED): Promise<Buffer> {
  const message = await openpgp.createMessage({ binary: content })
  return withSignature(content, await openpgp.sign({ message, signingKeys: key.secret, detached: true, date }))
}

async function judge(commit: Buffer, file: string | Uint8Array, times = TIMES) {
  const keys = await readTrustedKeys(typeof file === 'string' ? Buffer.from(file) : file)
  return verifyCommit(commit, ANN, keys, times)
}

let key: Pair
let commit: Buffer
beforeAll(async () => {
  key = await pair()
  commit = await signed(key)
})

describe('a good signature', () => {
  it.each([
    ['RSA', { type: 'rsa', rsaBits: 2048 }],
    ['ECDSA', { type: 'ecc', curve: 'nistP256' }],
    ['Ed25519', { type: 'curve25519' }],
    ['a subkey for signing', { subkeys: [{ sign: true }] }],
  ] as const)('may be made with %s', async (_what, options) => {
    const made = await pair(options as Partial<openpgp.KeyOptions>)
    expect(await judge(await signed(made), made.file)).toMatchObject({
      kind: 'good',
      signer: 'Ann <ann@example.org>',
      key: made.secret.getFingerprint().toUpperCase(),
      ownName: true,
    })
  })

  it('is found in a file with other keys and with SSH keys, and in a binary ring', async () => {
    const [ben, ssh] = [await pair({ userIDs: [{ name: 'Ben', email: 'ben@example.org' }] }), await testKey('ed25519')]
    const file = `# people\nann@example.org ${ssh.line}\n\n${ben.file}\n${key.file}`
    expect(await judge(commit, file)).toMatchObject({ kind: 'good' })
    expect(await judge(ssh.sign(rawCommit()), file)).toMatchObject({ kind: 'good', signer: 'ann@example.org' })
    const ring = Buffer.concat([ben, key].map(({ secret }) => secret.toPublic().write()))
    expect(await judge(commit, ring)).toMatchObject({ kind: 'good', signer: 'Ann <ann@example.org>' })
    expect(await judge(await signed(ben), file)).toMatchObject({ kind: 'good', ownName: false })
  })

  it('stays good when its key has expired since', async () => {
    const brief = await pair({ keyExpirationTime: (101 * DAY) / 1000 })
    expect(await judge(await signed(brief), brief.file)).toMatchObject({ kind: 'good' })
  })
})

describe('not good is', () => {
  it('a commit that was changed', async () => {
    const changed = Buffer.from(commit.toString('latin1').replace('A change', 'A chance'), 'latin1')
    expect(await judge(changed, key.file)).toMatchObject({ kind: 'bad', words: expect.stringContaining('was changed') })
  })

  it('one by a key that is not in the file', async () => {
    const verdict = await judge(commit, (await pair()).file)
    expect(verdict).toMatchObject({ kind: 'unknown-key', words: expect.stringContaining('does not trust') })
  })

  it('one by a key of the same name', async () => {
    const fake = await signed(await pair())
    expect(await judge(fake, key.file)).toMatchObject({ kind: 'unknown-key' })
  })

  it('one by a key that had expired by then, or by the time of the commits it stands on', async () => {
    const brief = await pair({ keyExpirationTime: (101 * DAY) / 1000 })
    const made = await signed(brief)
    const later = { ...TIMES, notBefore: ANN.time + 2 * DAY }
    expect(await judge(made, brief.file, later)).toMatchObject({
      kind: 'expired',
      words: expect.stringContaining('had expired by then'),
    })
  })

  it('one by a key that is revoked, wherever that stands', async () => {
    const revoked = await openpgp.revokeKey({ key: key.secret, format: 'object', date: new Date(ANN.time + DAY) })
    const both = `${revoked.publicKey.armor()}\n${key.file}`
    for (const file of [revoked.publicKey.armor(), both, `${key.file}\n${revoked.publicKey.armor()}`])
      expect(await judge(commit, file)).toMatchObject({ kind: 'revoked' })
    expect(await judge(commit, `${key.file}\n${key.revocation}`)).toMatchObject({ kind: 'revoked' })
  })

  it('by a key that was retired: what it signed after that', async () => {
    const reason = { flag: openpgp.enums.reasonForRevocation.keyRetired }
    const retired = async (date: Date) =>
      (
        await openpgp.revokeKey({ key: key.secret, reasonForRevocation: reason, format: 'object', date })
      ).publicKey.armor()
    expect(await judge(commit, await retired(new Date(ANN.time + DAY)))).toMatchObject({ kind: 'good' })
    expect(await judge(commit, await retired(new Date(ANN.time - DAY)))).toMatchObject({ kind: 'revoked' })
  })

  it('one by a subkey that is revoked', async () => {
    const made = await pair({ subkeys: [{ sign: true }] })
    const by = await signed(made)
    const [subkey] = made.secret.subkeys
    if (subkey === undefined) throw new Error('no subkey')
    made.secret.subkeys = [await subkey.revoke(made.secret.keyPacket as openpgp.SecretKeyPacket)]
    expect(await judge(by, made.secret.toPublic().armor())).toMatchObject({ kind: 'revoked' })
  })

  it('one by a subkey that is not for signing', async () => {
    const plain = await pair()
    const onlyCertifies = await pair({ subkeys: [{ sign: true }] })
    expect(await judge(await signed(onlyCertifies), plain.file)).toMatchObject({ kind: 'unknown-key' })
  })

  it('one from a time that has not come', async () => {
    const early = { notBefore: 0, notAfter: ANN.time - DAY }
    expect(await judge(commit, key.file, early)).toMatchObject({
      kind: 'bad',
      words: expect.stringContaining('not come yet'),
    })
  })

  it('several signatures in one', async () => {
    const content = rawCommit()
    const message = await openpgp.createMessage({ binary: content })
    const signingKeys = [key.secret, (await pair()).secret]
    const two = await openpgp.sign({ message, signingKeys, detached: true, date: SIGNED })
    expect(await judge(withSignature(content, two), key.file)).toMatchObject({ kind: 'bad' })
  })

  it('a signature over text', async () => {
    const content = rawCommit()
    const message = await openpgp.createMessage({ text: content.toString() })
    const text = await openpgp.sign({ message, signingKeys: key.secret, detached: true, date: SIGNED })
    expect(await judge(withSignature(content, text), key.file)).toMatchObject({ kind: 'unsupported' })
  })

  it('mostly one of which a byte of the signature was changed, and never an error', async () => {
    const from = commit.indexOf('-----BEGIN')
    const to = commit.indexOf('\n\n')
    const counts = new Map<string, number>()
    for (let at = from; at < to; at++) {
      const changed = Buffer.from(commit)
      changed[at] = changed[at] === 0x42 ? 0x43 : 0x42
      const { kind } = await judge(changed, key.file)
      counts.set(kind, (counts.get(kind) ?? 0) + 1)
    }
    // What is not signed of a signature (its checksum, its hints) may change; what is signed stays the same.
    expect(counts.get('good') ?? 0).toBeLessThan((to - from) / 4)
    expect(counts.get('bad') ?? 0).toBeGreaterThan((to - from) / 2)
  })

  it('nothing but an envelope', async () => {
    for (const body of ['', 'AAAA', '=AAAA', 'wsBzBAABCAAd'])
      expect(
        await judge(
          withSignature(rawCommit(), `-----BEGIN PGP SIGNATURE-----\n\n${body}\n-----END PGP SIGNATURE-----\n`),
          key.file,
        ),
      ).toMatchObject({ kind: 'bad' })
  })
})

describe('a file of keys', () => {
  it('that holds a block which does not read is told with its line, and counts for nothing', async () => {
    const [, broken = ''] = /^([^]*)$/.exec(key.file.replace(/\n([A-Za-z0-9+/]{20})/, '\nAAAA')) ?? []
    const { problems } = await readTrustedKeys(Buffer.from(`# one\n\n${broken}`))
    expect(problems).toMatchObject([{ line: 3, fatal: true, message: expect.stringContaining('neither a public key') }])
  })

  it("that holds the revocation of somebody else's key is told", async () => {
    const { problems } = await readTrustedKeys(Buffer.from(`${key.file}\n${(await pair()).revocation}`))
    expect(problems).toMatchObject([{ fatal: true }])
  })

  it.each([
    ['', 'no key in it'],
    ['# nobody\n', 'no key in it'],
    ['-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END OPENSSH PRIVATE KEY-----\n', 'a private key'],
    ['-----BEGIN PGP PRIVATE KEY BLOCK-----\nx\n-----END PGP PRIVATE KEY BLOCK-----\n', 'a private key'],
  ])('“%s” is of no use', async (text, why) => {
    const { problems } = await readTrustedKeys(Buffer.from(text))
    expect(problems).toMatchObject([{ fatal: true, message: expect.stringContaining(why) }])
  })
})
