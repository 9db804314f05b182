// Files of SOPS: all its formats decrypt, and nothing that was changed does.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { generateIdentity, identityToRecipient } from 'age-encryption'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { findDataKey, readAgeIdentities, type AgeIdentities } from '../../../src/daemon/secrets/age-identities.ts'
import { decryptSops } from '../../../src/desired/sops/decrypt-sops.ts'
import { parseSops } from '../../../src/desired/sops/parse-sops.ts'
import { ciphertextDigest, plainText, selectSecret } from '../../../src/desired/sops/select-secret.ts'
import { isFault, type SopsFault } from '../../../src/desired/sops/sops-file.ts'
import { writeSops, type Plain, type SopsOptions } from './write-sops.ts'

let identities: AgeIdentities
let recipient = ''
let stranger = ''
beforeAll(async () => {
  const key = await generateIdentity()
  identities = { file: 'age.key', keys: [key], fault: null }
  recipient = await identityToRecipient(key)
  stranger = await identityToRecipient(await generateIdentity())
})

async function written(path: string, data: Plain, options: Partial<SopsOptions> = {}): Promise<string> {
  return writeSops(path, data, { recipients: [stranger, recipient], ...options })
}

async function read(path: string, text: string, key: readonly string[] | null): Promise<string | SopsFault> {
  const file = parseSops(path, Buffer.from(text))
  if (isFault(file)) return file
  const selection = selectSecret(file, key)
  if (isFault(selection)) return selection
  const dataKey = await findDataKey(file.metadata, identities)
  if (isFault(dataKey)) return dataKey
  const open = decryptSops(file, dataKey)
  return isFault(open) ? open : Buffer.from(plainText(selection, open)).toString()
}

function digest(path: string, text: string, key: readonly string[] | null): string {
  const file = parseSops(path, Buffer.from(text))
  if (isFault(file)) throw new Error(file.message)
  const selection = selectSecret(file, key)
  if (isFault(selection)) throw new Error(selection.message)
  return ciphertextDigest(selection)
}

const DATA = {
  db: { password: 'correct horse\nbattery', port: 5432, ratio: 0.25, tls: true, empty: '' },
  '10': 'a key that JavaScript would move',
  users: [
    { name: 'ann', token: 'tok-ann-1' },
    { name: 'bob', token: 'tok-bob-1' },
  ],
  note_unencrypted: 'for everybody',
  nothing: null,
}

describe('a file of SOPS', () => {
  it.each(['secrets.yaml', 'secrets.json'])('%s: single values by their keys', async (path) => {
    const text = await written(path, DATA)
    expect(text).not.toContain('horse')
    expect(await read(path, text, ['db', 'password'])).toBe('correct horse\nbattery')
    expect(await read(path, text, ['db', 'port'])).toBe('5432')
    expect(await read(path, text, ['db', 'ratio'])).toBe('0.25')
    expect(await read(path, text, ['db', 'tls'])).toBe('true')
    expect(await read(path, text, ['users', '1', 'token'])).toBe('tok-bob-1')
  })

  it('YAML: the whole file again, without what SOPS added', async () => {
    const whole = await read(
      'a.yaml',
      await written('a.yaml', { b: { c: 'x y', n: 7, t: false }, list: ['1', 'two'] }),
      null,
    )
    expect(whole).toBe('b:\n  c: x y\n  n: 7\n  t: false\nlist:\n  - "1"\n  - two\n')
  })

  it('JSON: the whole file again, keys in their order', async () => {
    const right = await read('a.json', await written('a.json', { z: 'x', a: [1.5, true], o: {} }), null)
    expect(right).toBe('{\n  "z": "x",\n  "a": [\n    1.5,\n    true\n  ],\n  "o": {}\n}\n')
  })

  it('dotenv and INI: values by their names, and whole', async () => {
    const env = await written('app.env', { USER: 'ann', PASSWORD: 'p=1\nsecond' })
    expect(await read('app.env', env, ['PASSWORD'])).toBe('p=1\nsecond')
    expect(await read('app.env', env, null)).toBe('USER=ann\nPASSWORD=p=1\\nsecond\n')
    const ini = await written('app.ini', { db: { password: 'pw-of-db' }, web: { token: 'tok' } })
    expect(await read('app.ini', ini, ['db', 'password'])).toBe('pw-of-db')
    expect(await read('app.ini', ini, null)).toBe('[db]\npassword = pw-of-db\n\n[web]\ntoken = tok\n')
  })

  it('binary: the file itself, and no keys in it', async () => {
    const pem = '-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n'
    const text = await written('tls.pem', pem)
    expect(await read('tls.pem', text, null)).toBe(pem)
    expect(await read('tls.pem', text, ['data'])).toMatchObject({ message: expect.stringContaining('no keys') })
  })

  it('a MAC over encrypted values alone lets plain ones change', async () => {
    const text = await written('a.yaml', DATA, { macOnlyEncrypted: true })
    const changed = text.replace('for everybody', 'for nobody')
    expect(changed).not.toBe(text)
    expect(await read('a.yaml', changed, ['db', 'password'])).toBe('correct horse\nbattery')
  })
})

describe('a file that was changed', () => {
  it.each([
    ['a plain value', (text: string) => text.replace('for everybody', 'for nobody')],
    ['a value taken out', (text: string) => text.replace(/^ {2}port: .*\n/m, '')],
    ['a value put in, in plain text', (text: string) => text.replace('nothing: null', 'nothing: null\nmore: me')],
    [
      'two lists’ entries exchanged',
      (text: string) => {
        const [ann = '', bob = ''] = text.match(/ENC\[[^\]]*\](?=\n {2}- name|\nnote)/g) ?? []
        return text.replace(ann, '@').replace(bob, ann).replace('@', bob)
      },
    ],
    ['another time', (text: string) => text.replace('2026-01-02', '2026-01-03')],
    ['the switch of its MAC', (text: string) => text.replace('version:', 'mac_only_encrypted: true\n  version:')],
  ])('%s: its MAC tells', async (_what, change) => {
    const text = await written('a.yaml', DATA)
    const changed = change(text)
    expect(changed).not.toBe(text)
    expect(await read('a.yaml', changed, ['db', 'password'])).toMatchObject({ message: expect.stringContaining('MAC') })
  })

  it('a value moved to another key does not decrypt', async () => {
    const text = await written('a.yaml', { mine: 'my password', other: 'his password' })
    const [mine = '', other = ''] = text.match(/ENC\[.*\]/g) ?? []
    const changed = text.replace(mine, '@').replace(other, mine).replace('@', other)
    expect(await read('a.yaml', changed, ['mine'])).toMatchObject({
      message: expect.stringContaining('does not decrypt'),
    })
  })

  it('a shortened tag does not count', async () => {
    const text = await written('a.yaml', { mine: 'my password' })
    const changed = text.replace(
      /tag:([^,]+)(?=,type:str\]\nsops)/,
      (_all, tag: string) => `tag:${Buffer.from(tag, 'base64').subarray(0, 4).toString('base64')}`,
    )
    expect(changed).not.toBe(text)
    expect(await read('a.yaml', changed, ['mine'])).toMatchObject({
      message: expect.stringContaining('does not decrypt'),
    })
  })

  it('without a MAC nothing is read', async () => {
    const text = await written('a.yaml', { mine: 'my password' }, { metadata: { mac: '' } })
    expect(await read('a.yaml', text, ['mine'])).toMatchObject({ message: expect.stringContaining('no MAC') })
  })
})

describe('what cannot be served is refused with words', () => {
  it.each([
    ['no SOPS at all', 'password: hunter2\n', 'not encrypted with SOPS'],
    ['a binary file in plain text', null, 'not encrypted with SOPS'],
    ['two documents', 'a: b\n---\nc: d\n', 'more than one YAML document'],
    ['broken YAML', 'a: [', 'cannot be read as YAML'],
  ])('%s', async (_what, text, words) => {
    const [path, content] = text === null ? ['tls.pem', '-----BEGIN'] : ['a.yaml', text]
    expect(await read(path, content, null)).toMatchObject({
      message: expect.stringContaining(words),
      remedy: expect.anything(),
    })
  })

  it.each([
    ['PGP alone', { age: [], pgp: [{ fp: 'x', enc: 'y' }] }, 'for PGP alone'],
    ['KMS alone', { age: [], kms: [{ arn: 'x', enc: 'y' }] }, 'for AWS KMS alone'],
    ['key groups', { key_groups: [{ age: [] }, { age: [] }] }, 'key groups'],
  ])('%s', async (_what, metadata, words) => {
    const text = await written('a.yaml', { mine: 'my password' }, { metadata })
    expect(await read('a.yaml', text, ['mine'])).toMatchObject({ message: expect.stringContaining(words) })
  })

  it('a key that is not there, one that is in plain text, one that is no single value', async () => {
    const text = await written('a.yaml', DATA)
    expect(await read('a.yaml', text, ['db', 'passwort'])).toMatchObject({
      message: 'it has no passwort below db',
      remedy: expect.stringContaining('password'),
    })
    expect(await read('a.yaml', text, ['note_unencrypted'])).toMatchObject({
      message: expect.stringContaining('is not encrypted'),
    })
    expect(await read('a.yaml', text, ['db'])).toMatchObject({ message: expect.stringContaining('no single value') })
  })

  it('a file for somebody else', async () => {
    const text = await written('a.yaml', DATA, { recipients: [stranger] })
    expect(await read('a.yaml', text, ['db', 'port'])).toMatchObject({
      message: expect.stringContaining('no age key of this host opens it'),
    })
  })
})

describe('the digest of a ciphertext', () => {
  it('stays when only the recipients change, and is another for another ciphertext', async () => {
    const dataKey = Buffer.alloc(32, 7)
    const text = await written('a.yaml', DATA, { dataKey })
    const shared = text.replace(/recipient: .*/, `recipient: ${recipient}`)
    expect(digest('a.yaml', shared, ['db', 'password'])).toBe(digest('a.yaml', text, ['db', 'password']))
    expect(digest('a.yaml', shared, null)).toBe(digest('a.yaml', text, null))
    const again = await written('a.yaml', DATA, { dataKey })
    expect(digest('a.yaml', again, ['db', 'password'])).not.toBe(digest('a.yaml', text, ['db', 'password']))
  })

  it('of one value does not hang on the others', async () => {
    const text = await written('a.yaml', DATA)
    const other = text.replace(/^ {2}port: .*$/m, '  port: ENC[AES256_GCM,data:AA==,iv:AA==,tag:AA==,type:int]')
    expect(digest('a.yaml', other, ['db', 'password'])).toBe(digest('a.yaml', text, ['db', 'password']))
    expect(digest('a.yaml', other, null)).not.toBe(digest('a.yaml', text, null))
  })
})

describe('the file of age keys', () => {
  let folder = ''
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'graft-age-'))))
  afterAll(() => rm(folder, { recursive: true }))

  async function keyFile(text: string, mode = 0o600): Promise<AgeIdentities> {
    const file = join(folder, 'age.key')
    await rm(file, { force: true })
    await writeFile(file, text, { mode })
    return readAgeIdentities(file)
  }

  it('holds several identities and remarks', async () => {
    const keys = [await generateIdentity(), await generateIdentity()]
    expect(await keyFile(`# created today\n${keys.join('\n\n')}\n`)).toMatchObject({ keys, fault: null })
  })

  it.each([
    ['readable by others', 'AGE-SECRET-KEY-1QQ\n', 0o644, 'may be read by others (mode 0644)'],
    ['an SSH key', '-----BEGIN OPENSSH PRIVATE KEY-----\n', 0o600, 'line 1'],
    ['empty', '# nothing\n', 0o600, 'no identity'],
  ])('%s is refused', async (_what, text, mode, words) => {
    const { keys, fault } = await keyFile(text, mode)
    expect(keys).toEqual([])
    expect(fault?.message).toContain(words)
  })

  it('says what to do where it is missing', async () => {
    const { fault } = await readAgeIdentities(join(folder, 'none'))
    expect(fault?.message).toContain('this host has no age key')
    expect(fault?.remedy).toContain('age-keygen')
  })
})

describe('a file that somebody wrote to do harm', () => {
  it('has numbers that are none', async () => {
    const text = await written('a.yaml', { n: 'no number', f: 'none' })
    // The type is no part of what is authenticated.
    const lies = text.replace(/^(n: .*)type:str/m, '$1type:int').replace(/^(f: .*)type:str/m, '$1type:float')
    expect(lies).not.toBe(text)
    expect(await read('a.yaml', lies, null)).toBe('n: no number\nf: none\n')
  })

  it.each([
    ['deep nesting', `a: ${'['.repeat(20_000)}`],
    ['nesting as deep as YAML reads', `a: ${'['.repeat(200)}1${']'.repeat(200)}\nsops: {}\n`],
    ['an alias', 'a: &a 1\nb: *a\nsops: {age: [], mac: x}\n'],
    ['a bomb of aliases', `a: &a [x,x,x,x,x,x,x,x]\nsops: [*a,*a,*a,*a,*a,*a]\n`],
    ['a key that is a list', '? [a]\n: b\nsops: {}\n'],
    ['metadata that is a text', 'a: b\nsops: all of it\n'],
    ['metadata of wrong types', 'a: b\nsops: {age: {enc: 1}, mac: 2, lastmodified: []}\n'],
    ['the name of a prototype', 'a: b\n__proto__: {x: 1}\nsops: {age: []}\n'],
    ['nothing', ''],
  ])('%s: refused with words', async (_what, text) => {
    expect(await read('a.yaml', text, ['a'])).toMatchObject({
      message: expect.stringMatching(/\w/),
      remedy: expect.stringMatching(/\w/),
    })
  })
})
