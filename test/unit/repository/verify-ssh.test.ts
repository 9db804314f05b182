// Commits with SSH signatures: good ones, and each way in which one is not.

import { generateKeyPairSync, sign as signBytes } from 'node:crypto'

import { beforeAll, describe, expect, it } from 'vitest'

import { signedParts, withSignature } from '../../../src/repository/signed-object.ts'
import { makeSshSignature } from '../../../src/repository/ssh-signature.ts'
import { wireNumber, wireString } from '../../../src/repository/ssh-wire.ts'
import { readTrustedKeys } from '../../../src/repository/trusted-keys.ts'
import { verifyCommit } from '../../../src/repository/verify-commit.ts'
import { ANN, rawCommit, testKey, tokenKeys, type KeyKind, type TestKey } from './signed-commits.ts'

const DAY = 24 * 3600 * 1000
const TIMES = { notBefore: 0, notAfter: ANN.time + 300 * DAY }
let key: TestKey
let other: TestKey
beforeAll(async () => {
  key = await testKey('ed25519')
  other = await testKey('ed25519')
})

async function judge(commit: Buffer, file: string, times = TIMES) {
  return verifyCommit(commit, ANN, await readTrustedKeys(Buffer.from(file)), times)
}
const line = (options = '', principals = ANN.email) => `${principals} ${options} ${key.line}\n`

describe('a signature that was moved', () => {
  it.each(['parent ', 'author ', 'committer '])('before the header %s counts for nothing', async (header) => {
    const content = key.sign(rawCommit()).toString('latin1')
    const block = /^gpgsig [^]*?\n(?! )/m.exec(content)?.[0] ?? ''
    const moved = content.replace(block, '').replace(`\n${header}`, () => `\n${block}${header}`)
    expect(signedParts(Buffer.from(moved, 'latin1')).payload).toEqual(rawCommit())
    expect(await judge(Buffer.from(moved, 'latin1'), line())).toMatchObject({ kind: 'bad' })
  })
})

describe('a good signature', () => {
  it.each(['ed25519', 'rsa', 'P-256', 'P-384', 'P-521'] as KeyKind[])('may be made with %s', async (kind) => {
    const made = await testKey(kind)
    // Numbers with leading zeros come up now and then.
    for (let i = 0; i < 20; i++) {
      const verdict = await judge(made.sign(rawCommit(`number ${i}`)), `ann@example.org ${made.line}`)
      expect(verdict).toMatchObject({ kind: 'good', signer: 'ann@example.org', ownName: true })
      expect(verdict).toMatchObject({ key: expect.stringMatching(/^SHA256:[\w+/]{43}$/) })
    }
  })

  it('may be made with a key that lies in a security token', async () => {
    const content = rawCommit()
    for (const token of tokenKeys()) {
      const signature = token.sign(content)
      const file = `ann@example.org ${token.line}`
      expect(await judge(withSignature(content, signature), file)).toMatchObject({ kind: 'good' })
      const changed = withSignature(rawCommit('Changed'), signature)
      expect(await judge(changed, file)).toMatchObject({ kind: 'bad' })
    }
  })

  it('is found among other keys, and names who made it', async () => {
    const file = `ben@example.org ${other.line}\n# people\n${line('', 'Ann@Example.org,annie')}`
    expect(await judge(key.sign(rawCommit()), file)).toMatchObject({ signer: 'Ann@Example.org,annie', ownName: true })
  })

  it("in somebody else's name is good, as it is for Git, and known as such", async () => {
    expect(await judge(key.sign(rawCommit()), line('', 'ben@example.org'))).toMatchObject({
      kind: 'good',
      signer: 'ben@example.org',
      ownName: false,
    })
  })
})

describe('not good is', () => {
  it('a commit without a signature', async () => {
    expect(await judge(rawCommit(), line())).toMatchObject({ kind: 'unsigned', words: 'is not signed' })
  })

  it.each([
    ['the message', (text: string) => text.replace('A change', 'A chance')],
    ['the tree', (text: string) => text.replace('tree 1', 'tree 3')],
    ['the committer', (text: string) => text.replace('committer Ann', 'committer Bob')],
    ['a header behind the signature', (text: string) => text.replace('\n\n', '\nencoding latin1\n\n')],
    ['a parent more', (text: string) => text.replace('author', `parent ${'4'.repeat(40)}\nauthor`)],
  ])('one of which %s was changed', async (_what, change) => {
    const changed = Buffer.from(change(key.sign(rawCommit()).toString('latin1')), 'latin1')
    expect(await judge(changed, line())).toMatchObject({ kind: 'bad', words: expect.stringContaining('was changed') })
  })

  it('one of which any byte of the signature was changed', async () => {
    const signed = key.sign(rawCommit())
    const { signature = '' } = signedParts(signed)
    const from = signed.indexOf('-----BEGIN')
    const kinds = new Set<string>()
    for (let at = 0; at < (signature?.length ?? 0); at += 3) {
      const changed = Buffer.from(signed)
      changed[from + at] = changed[from + at] === 0x41 ? 0x42 : 0x41
      const { kind } = await judge(changed, line())
      kinds.add(kind)
    }
    expect(kinds).not.toContain('good')
  })

  it('one with two signatures', async () => {
    const { signature } = signedParts(key.sign(rawCommit()))
    const twice = withSignature(key.sign(rawCommit()), signature ?? '')
    expect(await judge(twice, line())).toMatchObject({ kind: 'bad', words: expect.stringContaining('several') })
  })

  it('one with the signature of another commit', async () => {
    const { signature } = signedParts(key.sign(rawCommit('Another')))
    expect(await judge(withSignature(rawCommit(), signature ?? ''), line())).toMatchObject({ kind: 'bad' })
  })

  it('one by a key that is not in the file', async () => {
    const verdict = await judge(other.sign(rawCommit()), line())
    expect(verdict).toMatchObject({ kind: 'unknown-key', words: expect.stringMatching(/SHA256:\S+, which this host/) })
  })

  it('one by a key that is there for something else', async () => {
    const verdict = await judge(key.sign(rawCommit()), line('namespaces="file,deb"'))
    expect(verdict).toMatchObject({ kind: 'unknown-key', words: expect.stringContaining('file,deb only') })
    expect(await judge(key.sign(rawCommit()), line('namespaces="file,g*"'))).toMatchObject({ kind: 'good' })
  })

  it('a signature that was made for something else', async () => {
    const content = rawCommit()
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const { x = '' } = publicKey.export({ format: 'jwk' })
    const blob = Buffer.concat(['ssh-ed25519', Buffer.from(x, 'base64url')].map(wireString))
    const make = (namespace: string) =>
      makeSshSignature(blob, namespace, content, (data) =>
        Buffer.concat(['ssh-ed25519', signBytes(null, data, privateKey)].map(wireString)),
      )
    const file = `ann@example.org ssh-ed25519 ${blob.toString('base64')}`
    expect(await judge(withSignature(content, make('git')), file)).toMatchObject({ kind: 'good' })
    expect(await judge(withSignature(content, make('file')), file)).toMatchObject({
      kind: 'bad',
      words: expect.stringContaining('"file", not for Git'),
    })
  })

  it('one by an RSA key that is too short, or with SHA-1', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const { n = '', e = '' } = publicKey.export({ format: 'jwk' })
    const blob = Buffer.concat([
      wireString('ssh-rsa'),
      wireNumber(Buffer.from(e, 'base64url')),
      wireNumber(Buffer.from(n, 'base64url')),
    ])
    const content = rawCommit()
    for (const [algorithm, hash, why] of [
      ['rsa-sha2-512', 'sha512', '1024 bits'],
      ['ssh-rsa', 'sha1', 'ssh-rsa'],
    ] as const) {
      const made = makeSshSignature(blob, 'git', content, (data) =>
        Buffer.concat([algorithm, signBytes(hash, data, privateKey)].map(wireString)),
      )
      const verdict = await judge(withSignature(content, made), `ann@example.org ssh-rsa ${blob.toString('base64')}`)
      expect(verdict).toMatchObject({ kind: 'unsupported', words: expect.stringContaining(why) })
    }
  })

  it('an X.509 signature', async () => {
    const x509 = withSignature(rawCommit(), '-----BEGIN SIGNED MESSAGE-----\nAAAA\n-----END SIGNED MESSAGE-----\n')
    expect(await judge(x509, line())).toMatchObject({ kind: 'unsupported', words: expect.stringContaining('X.509') })
  })

  it.each(['', 'AAAA', '!!!!', 'U1NIU0lH', `U1NIU0lHAAAAAf////8${'A'.repeat(80)}`])(
    'a signature that is nothing but “%s”',
    async (base64) => {
      const broken = `-----BEGIN SSH SIGNATURE-----\n${base64}\n-----END SSH SIGNATURE-----\n`
      expect(await judge(withSignature(rawCommit(), broken), line())).toMatchObject({ kind: 'bad' })
    },
  )
})

describe('the time that a key is for', () => {
  const signed = () => key.sign(rawCommit())

  it('is judged at the time of the commit, its ends included', async () => {
    for (const option of ['valid-after="20240601Z"', 'valid-before="20240601Z"'])
      expect(await judge(signed(), line(option))).toMatchObject({ kind: 'good' })
    expect(await judge(signed(), line('valid-after="20240601Z",valid-before="202406010001Z"'))).toMatchObject({
      kind: 'good',
    })
    expect(await judge(signed(), line('valid-before="20240531Z"'))).toMatchObject({
      kind: 'expired',
      words: expect.stringMatching(
        /ann@example\.org .* at 2024-06-01 00:00 UTC, and that key was valid until 2024-05-31/,
      ),
    })
    expect(await judge(signed(), line('valid-after="20240602Z"'))).toMatchObject({
      kind: 'expired',
      words: expect.stringContaining('is valid from 2024-06-02 00:00 UTC on'),
    })
  })

  it('is not reached by a time before the commits it stands on', async () => {
    const file = line('valid-before="20240701Z"')
    expect(await judge(signed(), file, { ...TIMES, notBefore: Date.UTC(2024, 5, 30) })).toMatchObject({ kind: 'good' })
    expect(await judge(signed(), file, { ...TIMES, notBefore: Date.UTC(2024, 6, 2) })).toMatchObject({
      kind: 'expired',
    })
  })

  it('is not reached by a time that has not come', async () => {
    const file = line('valid-after="20240515Z"')
    expect(await judge(signed(), file, { notBefore: 0, notAfter: Date.UTC(2024, 4, 10) })).toMatchObject({
      kind: 'expired',
    })
  })

  it('counts line by line: one that admits it is enough', async () => {
    const file = `${line('valid-before="20200101Z"')}${line('namespaces="file"')}${line('valid-after="20240101Z"')}`
    expect(await judge(signed(), file)).toMatchObject({ kind: 'good' })
  })
})

describe('the payload', () => {
  it('is the commit without its signature, and without one for another hash', () => {
    const content = rawCommit()
    const signed = key.sign(content)
    expect(signedParts(signed).payload).toEqual(content)
    const both = Buffer.from(signed.toString('latin1').replace('\n\n', '\ngpgsig-sha256 -----X\n more\n\n'), 'latin1')
    expect(signedParts(both).payload).toEqual(content)
    expect(signedParts(content)).toEqual({ payload: content, signature: null, several: false, tooEarly: false })
  })

  it('keeps lines of the message that look like headers', () => {
    const content = rawCommit('Say\n\ngpgsig -----BEGIN SSH SIGNATURE-----\n not one')
    expect(signedParts(content)).toEqual({ payload: content, signature: null, several: false, tooEarly: false })
    expect(signedParts(key.sign(content)).payload).toEqual(content)
  })
})
