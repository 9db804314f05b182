// Signatures with native Git, ssh-keygen and GnuPG as the other side: what they sign graft judges as they do, and what
// graft signs they accept.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { readCommitText } from '../../../src/repository/commit.ts'
import { openObjectStore } from '../../../src/repository/object-store.ts'
import { openRepository } from '../../../src/repository/open.ts'
import { withSignature } from '../../../src/repository/signed-object.ts'
import { readTrustedKeys } from '../../../src/repository/trusted-keys.ts'
import { verifyCommit } from '../../../src/repository/verify-commit.ts'
import { makeRepository, openSandbox, type Sandbox } from '../../unit/repository/git-sandbox.ts'
import { tokenKeys } from '../../unit/repository/signed-commits.ts'
import { signingTools, type SigningTools } from './signing-tools.ts'

const TIMES = { notBefore: 0, notAfter: Date.now() + 3_600_000 }
let tools: SigningTools
let sandbox: Sandbox
const git = (...args: string[]) => sandbox.git('site', ...args)

beforeAll(async () => {
  tools = await signingTools()
  sandbox = openSandbox()
  makeRepository(sandbox, 'site')
  sandbox.commit('site', { 'deployment.yaml': 'name: shop\nformat: 1\n' })
  git('config', 'gpg.ssh.program', tools.sshProgram)
})
afterAll(() => {
  tools.end()
  sandbox.remove()
})

/** What graft finds of HEAD. */
async function judged(file: string | Uint8Array, times = TIMES, revision = 'HEAD') {
  const store = openObjectStore([sandbox.path('site', '.git', 'objects')])
  const id = git('rev-parse', revision)
  const keys = await readTrustedKeys(typeof file === 'string' ? Buffer.from(file) : file)
  const verdict = await verifyCommit(store.read(id).content, readCommitText(store, id).committer, keys, times)
  store.close()
  return verdict
}

/** Whether native Git finds the signature of a commit good. */
function gitFindsGood(settings: Readonly<Record<string, string>>, revision = 'HEAD'): boolean {
  try {
    git(...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]), 'verify-commit', revision)
    return true
  } catch {
    return false
  }
}

/** HEAD again with another text, under its old signature. */
function tamper(from: string, to: string): string {
  const raw = `${git('cat-file', 'commit', 'HEAD')}\n`
  return sandbox.gitWithInput('site', raw.replace(from, to), 'hash-object', '-t', 'commit', '-w', '--stdin')
}

const SSH_KINDS = [
  ['ed25519', ['-t', 'ed25519']],
  ['RSA 2048', ['-t', 'rsa', '-b', '2048']],
  ['RSA 4096', ['-t', 'rsa', '-b', '4096']],
  ['ECDSA P-256', ['-t', 'ecdsa', '-b', '256']],
  ['ECDSA P-384', ['-t', 'ecdsa', '-b', '384']],
  ['ECDSA P-521', ['-t', 'ecdsa', '-b', '521']],
] as const

function sshKey(name: string, kind: readonly string[] = ['-t', 'ed25519']): { file: string; line: string } {
  const file = join(tools.folder, name.replaceAll(' ', '-'))
  tools.sshKeygen('-q', ...kind, '-N', '', '-C', name, '-f', file)
  return { file, line: readFileSync(`${file}.pub`, 'utf8').trim() }
}

function commitWithSsh(file: string, message = 'Signed'): void {
  const settings = ['-c', 'gpg.format=ssh', '-c', `user.signingkey=${file}`]
  git(...settings, 'commit', '-q', '--allow-empty', '-S', '-m', message)
}

/** Git's own judgement by a file of allowed signers. */
function bySigners(text: string): Record<string, string> {
  const file = join(tools.folder, 'signers')
  writeFileSync(file, text)
  return { 'gpg.ssh.allowedSignersFile': file }
}

describe('Git signs with ssh-keygen', () => {
  it.each(SSH_KINDS)('%s: graft and Git agree on good, tampered and unknown', async (name, kind) => {
    const key = sshKey(name, kind)
    const signers = `ada@example.org ${key.line}\n`
    commitWithSsh(key.file, `By ${name}`)
    expect(await judged(signers)).toMatchObject({ kind: 'good', signer: 'ada@example.org', ownName: true })
    expect(gitFindsGood(bySigners(signers))).toBe(true)
    const { key: fingerprint } = await judged(signers)
    expect(tools.sshKeygen('-l', '-f', `${key.file}.pub`)).toContain(fingerprint)
    const changed = tamper(`By ${name}`, `By nobody`)
    expect(await judged(signers, TIMES, changed)).toMatchObject({ kind: 'bad' })
    expect(gitFindsGood(bySigners(signers), changed)).toBe(false)
    const other = `ada@example.org ${sshKey(`other ${name}`).line}\n`
    expect(await judged(other)).toMatchObject({ kind: 'unknown-key' })
    expect(gitFindsGood(bySigners(other))).toBe(false)
  })

  it.each([
    ['ada@example.org namespaces="git"', 'good'],
    ['ada@example.org namespaces="file,git"', 'good'],
    ['*@example.org', 'good'],
    ['"ada@example.org,ben@example.org"', 'good'],
    ['somebody', 'good'],
    ['ada@example.org valid-after="20231101Z",valid-before="20231201Z"', 'good'],
    ['ada@example.org namespaces="file"', 'unknown-key'],
    ['ada@example.org valid-before="20230101Z"', 'expired'],
    ['ada@example.org valid-after="20240101Z"', 'expired'],
    ['ada@example.org cert-authority', 'unknown-key'],
    ['ada@example.org valid-before="someday"', 'unknown-key'],
  ])('a line that begins with %s makes it %s, for Git as well', async (begin, kind) => {
    const key = sshKey(`line ${begin.length}-${Math.random()}`)
    commitWithSsh(key.file)
    // The sandbox commits in November 2023.
    const signers = `${begin} ${key.line}\nnobody ${sshKey(`filler-${Math.random()}`).line}\n`
    expect(await judged(signers)).toMatchObject({ kind })
    // Git looks at namespaces only since OpenSSH 9.2 or so; it may not be asked about that one line.
    if (begin !== 'ada@example.org namespaces="file"') expect(gitFindsGood(bySigners(signers))).toBe(kind === 'good')
  })

  it('a signature for something else is refused by both', async () => {
    const key = sshKey('elsewhere')
    git('commit', '-q', '--allow-empty', '-m', 'Elsewhere')
    const raw = join(tools.folder, 'raw')
    writeFileSync(raw, `${git('cat-file', 'commit', 'HEAD')}\n`)
    tools.sshKeygen('-q', '-Y', 'sign', '-n', 'file', '-f', key.file, raw)
    const armored = readFileSync(`${raw}.sig`, 'utf8').trimEnd().split('\n').join('\n ')
    const text = readFileSync(raw, 'utf8').replace('\n\n', `\ngpgsig ${armored}\n\n`)
    const id = sandbox.gitWithInput('site', text, 'hash-object', '-t', 'commit', '-w', '--stdin')
    const signers = `ada@example.org ${key.line}\n`
    expect(await judged(signers, TIMES, id)).toMatchObject({
      kind: 'bad',
      words: expect.stringContaining('not for Git'),
    })
    expect(gitFindsGood(bySigners(signers), id)).toBe(false)
  })

  it('keys in a security token are judged alike', async () => {
    git('commit', '-q', '--allow-empty', '-m', 'By a token')
    const raw = Buffer.from(`${git('cat-file', 'commit', 'HEAD')}\n`)
    for (const token of tokenKeys()) {
      const signed = withSignature(raw, token.sign(raw))
      const id = sandbox.gitWithInput('site', signed, 'hash-object', '-t', 'commit', '-w', '--stdin')
      const signers = `ada@example.org ${token.line}\n`
      expect(await judged(signers, TIMES, id)).toMatchObject({ kind: 'good' })
      expect(gitFindsGood(bySigners(signers), id)).toBe(true)
    }
  })

  it('a certificate is not checked, and said so', async () => {
    const [key, authority] = [sshKey('with-cert'), sshKey('authority')]
    tools.sshKeygen('-q', '-s', authority.file, '-I', 'ada', '-n', 'ada@example.org', `${key.file}.pub`)
    commitWithSsh(`${key.file}-cert.pub`)
    const verdict = await judged(`ada@example.org ${key.line}\n`)
    expect(verdict).toMatchObject({ kind: 'unsupported', words: expect.stringContaining('certificate') })
  })
})

describe('Git signs with GnuPG', () => {
  const exported = (who: string) => tools.gpg(null, '--armor', '--export', who)
  function commitWithGpg(who: string, at: string | null = null): void {
    const settings = ['-c', `gpg.program=${tools.gpgProgram(at)}`, '-c', `user.signingkey=${who}`]
    git(...settings, 'commit', '-q', '--allow-empty', '-S', '-m', `By ${who}`)
  }
  const byRing = () => ({ 'gpg.program': tools.gpgProgram(null) })

  it.each([
    ['ed25519', 'default'],
    ['rsa3072', 'rsa3072'],
    ['nistp256', 'nistp256'],
    ['nistp384', 'nistp384'],
  ])('%s: graft and Git agree on good and tampered', async (name, algorithm) => {
    const who = `${name}@example.org`
    tools.gpg(null, '--quick-gen-key', who, algorithm, 'sign', 'never')
    commitWithGpg(who)
    expect(await judged(exported(who))).toMatchObject({ kind: 'good', signer: who, ownName: false })
    expect(gitFindsGood(byRing())).toBe(true)
    const changed = tamper(`By ${name}`, 'By nobody')
    expect(await judged(exported(who), TIMES, changed)).toMatchObject({ kind: 'bad' })
    expect(gitFindsGood(byRing(), changed)).toBe(false)
    expect(await judged(exported(name === 'ed25519' ? who : 'ed25519@example.org'))).toMatchObject({
      kind: name === 'ed25519' ? 'good' : 'unknown-key',
    })
  })

  it('a subkey for signing, in a binary ring', async () => {
    tools.gpg(null, '--quick-gen-key', 'sub@example.org', 'default', 'cert', 'never')
    const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(
      tools.gpg(null, '--with-colons', '--list-keys', 'sub@example.org'),
    )?.[1]
    tools.gpg(null, '--quick-add-key', fingerprint ?? '', 'default', 'sign', 'never')
    commitWithGpg('sub@example.org')
    const ring = join(tools.folder, 'ring.gpg')
    tools.gpg(null, '--output', ring, '--export', 'ed25519@example.org', 'sub@example.org')
    expect(await judged(readFileSync(ring))).toMatchObject({ kind: 'good', key: fingerprint })
  })

  it('a key that has expired counts for what it signed before, and for nothing that stands on later commits', async () => {
    tools.gpg('20230101T000000', '--quick-gen-key', 'brief@example.org', 'default', 'sign', '6m')
    commitWithGpg('brief@example.org', '20230201T000000')
    expect(await judged(exported('brief@example.org'))).toMatchObject({ kind: 'good' })
    const stoodOn = { ...TIMES, notBefore: Date.UTC(2023, 10, 14) }
    expect(await judged(exported('brief@example.org'), stoodOn)).toMatchObject({ kind: 'expired' })
    expect(gitFindsGood(byRing())).toBe(false)
  })

  it('a key that was made valid for longer counts again', async () => {
    const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(
      tools.gpg(null, '--with-colons', '--list-keys', 'brief@example.org'),
    )?.[1]
    tools.gpg(null, '--quick-set-expire', fingerprint ?? '', '5y')
    commitWithGpg('brief@example.org')
    expect(await judged(exported('brief@example.org'))).toMatchObject({ kind: 'good' })
    const minimal = tools.gpg(null, '--armor', '--export-options', 'export-minimal', '--export', 'brief@example.org')
    expect(await judged(minimal)).toMatchObject({ kind: 'good' })
    expect(gitFindsGood(byRing())).toBe(true)
  })

  it('a key that is revoked never counts', async () => {
    const who = 'revoked@example.org'
    tools.gpg(null, '--quick-gen-key', who, 'default', 'sign', 'never')
    commitWithGpg(who)
    const before = exported(who)
    const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(tools.gpg(null, '--with-colons', '--list-keys', who))?.[1]
    const certificate = readFileSync(join(tools.folder, 'gnupg/openpgp-revocs.d', `${fingerprint}.rev`), 'utf8')
    // GnuPG keeps somebody from using it by accident.
    const revocation = certificate.slice(certificate.indexOf(':-----BEGIN') + 1)
    expect(await judged(before)).toMatchObject({ kind: 'good' })
    expect(await judged(`${before}\n${revocation}`)).toMatchObject({ kind: 'revoked' })
    const file = join(tools.folder, 'revocation.asc')
    writeFileSync(file, revocation)
    tools.gpg(null, '--import', file)
    expect(await judged(exported(who))).toMatchObject({ kind: 'revoked' })
    expect(gitFindsGood(byRing())).toBe(false)
  })

  it('one file may hold both kinds of keys', async () => {
    const key = sshKey('both')
    const file = `ada@example.org ${key.line}\n${exported('ed25519@example.org')}`
    commitWithSsh(key.file)
    expect(await judged(file)).toMatchObject({ kind: 'good', signer: 'ada@example.org' })
    commitWithGpg('ed25519@example.org')
    expect(await judged(file)).toMatchObject({ kind: 'good', signer: 'ed25519@example.org' })
  })
})

describe('graft signs', () => {
  it.each([
    ...SSH_KINDS,
    ['RSA as PEM', ['-t', 'rsa', '-b', '2048', '-m', 'PEM']],
    ['ECDSA as PKCS 8', ['-t', 'ecdsa', '-m', 'PKCS8']],
  ] as const)('with %s, and Git accepts the commit', async (name, kind) => {
    const key = sshKey(`graft ${name}`, kind)
    const repository = await openRepository({
      repo: sandbox.path('site'),
      cache: sandbox.path('cache'),
      signingKeyFile: key.file,
    })
    try {
      const { commit: tip } = await repository.refresh()
      const changes = [{ path: 'deployment.yaml', content: Buffer.from(`name: shop\nformat: 1\n# ${name}\n`) }]
      const author = { name: 'graft', email: 'graft@host1' }
      const message = 'Stop web\n\nBecause.'
      const made = await repository.commitFiles({ onto: tip.id, changes, message, author, branch: null, push: false })
      expect(git('rev-parse', 'HEAD')).toBe(made.id)
      const signers = `graft@host1 ${key.line}\n`
      expect(gitFindsGood(bySigners(signers))).toBe(true)
      expect(await judged(signers)).toMatchObject({ kind: 'good', ownName: true })
      expect(git('fsck', '--strict')).not.toMatch(/error|missing/)
      expect(git('log', '-1', '--format=%s|%b')).toBe('Stop web|Because.')
    } finally {
      await repository.close()
    }
  })

  it.each([
    ['with-passphrase', ['-t', 'ed25519'], 'secret', 'passphrase'],
    ['pem-with-passphrase', ['-t', 'rsa', '-b', '2048', '-m', 'PEM'], 'secret', 'passphrase'],
    ['short', ['-t', 'rsa', '-b', '1024'], '', '2048 bits'],
  ] as const)('not with a key %s', async (name, kind, passphrase, why) => {
    const file = join(tools.folder, name)
    tools.sshKeygen('-q', ...kind, '-N', passphrase, '-f', file)
    expect(await refusal(file)).toMatchObject({ kind: 'refused', message: expect.stringContaining(why) })
  })

  it('not with the public half, and not with a file that is not there', async () => {
    const { file } = sshKey('half')
    expect(await refusal(`${file}.pub`)).toMatchObject({ message: expect.stringContaining('public half') })
    expect(await refusal(`${file}.none`)).toMatchObject({ message: expect.stringContaining('cannot be read') })
  })

  async function refusal(signingKeyFile: string): Promise<unknown> {
    const repository = await openRepository({
      repo: sandbox.path('site'),
      cache: sandbox.path('cache'),
      signingKeyFile,
    })
    try {
      const { commit: tip } = await repository.refresh()
      const changes = [{ path: 'x.yaml', content: Buffer.from('x\n') }]
      const author = { name: 'graft', email: 'graft@host1' }
      const wish = { onto: tip.id, changes, message: 'x', author, branch: null, push: false }
      return await repository.commitFiles(wish).catch((error: unknown) => error)
    } finally {
      await repository.close()
    }
  }
})
