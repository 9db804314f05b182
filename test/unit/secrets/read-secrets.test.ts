// Secrets in deployment.yaml and in leaves: what a tree then knows of them, and every mistake with its place.

import { generateIdentity, identityToRecipient } from 'age-encryption'
import { beforeAll, describe, expect, it } from 'vitest'

import type { Problem } from '../../../src/desired/problem.ts'
import { createReader } from '../../../src/desired/read.ts'
import type { Leaf } from '../../../src/desired/tree.ts'
import { createRunDigest } from '../../../src/plan/run-digest.ts'
import { openedSecrets } from '../../engine/contract/sample-tree.ts'
import { snapshotOf } from '../desired/snapshot-of.ts'
import { writeSops } from './write-sops.ts'

const DEPLOYMENT = `name: shop
format: 1
secrets:
  password: {file: ./db/secrets.yaml, key: db.password}
  whole: {file: ./db/secrets.yaml}
  tls-key: {host: tls/key.pem}
`
const LEAF = 'generation: 1\nimage: busybox\n'
let sops = ''
beforeAll(async () => {
  const recipients = [await identityToRecipient(await generateIdentity())]
  sops = await writeSops('a.yaml', { db: { password: 'hunter2hunter2', port: 1 } }, { recipients })
})

function read(leaf: string, deployment = DEPLOYMENT, more: Record<string, string> = {}) {
  const files = {
    'deployment.yaml': deployment,
    'db/set.yaml': '{}\n',
    'db/secrets.yaml': sops,
    'db/web.yaml': LEAF + leaf,
    ...more,
  }
  return createReader().read(snapshotOf(files), { host: null })
}

function leafOf(leaf: string, deployment = DEPLOYMENT, more: Record<string, string> = {}): Leaf {
  const { tree, problems } = read(leaf, deployment, more)
  expect(problems).toEqual([])
  const web = tree?.leaves.get('web')
  if (web === undefined) throw new Error('no leaf')
  return web
}

function problemOf(leaf: string, deployment = DEPLOYMENT, more: Record<string, string> = {}): Problem {
  const { problems } = read(leaf, deployment, more)
  expect(problems).toHaveLength(1)
  const [problem] = problems
  if (problem === undefined) throw new Error('no problem')
  return problem
}

describe('a leaf with secrets', () => {
  it('knows where each goes and a digest of its ciphertext, and no value', () => {
    const leaf = leafOf('secrets: [password, {source: tls-key, target: key.pem, mode: "0440", gid: 7}]\n')
    expect(leaf.spec.secrets).toEqual({
      files: {
        '/run/secrets/key.pem': { content: 'host:tls/key.pem', mode: 0o440, uid: 0, gid: 7 },
        '/run/secrets/password': { content: expect.stringMatching(/^sops:[0-9a-f]{64}$/), mode: 0o444, uid: 0, gid: 0 },
      },
      environment: {},
    })
    expect(JSON.stringify(leaf)).not.toContain('hunter2')
    expect(leaf.secrets).toBeUndefined()
  })

  it('gives its files to its own user, where that is a number', () => {
    const own = leafOf('user: "1000:50"\nsecrets: [password]\n').spec.secrets
    expect(own?.files['/run/secrets/password']).toMatchObject({ mode: 0o400, uid: 1000, gid: 50 })
    const named = leafOf('user: nova\nsecrets: [password]\n').spec.secrets
    expect(named?.files['/run/secrets/password']).toMatchObject({ mode: 0o444, uid: 0, gid: 0 })
  })

  it('may have variables of secrets beside plain ones; a secret wins over a file of variables', () => {
    const leaf = leafOf('env_file: ./web.env\nenvironment: {A: b, PASSWORD: {secret: password}}\n', DEPLOYMENT, {
      'db/web.env': 'PASSWORD=plain\nC=d\n',
    })
    expect(leaf.spec.environment).toEqual({ A: 'b', C: 'd' })
    expect(leaf.spec.secrets?.environment).toEqual({ PASSWORD: expect.stringMatching(/^sops:/) })
  })

  it('inherits variables of secrets from its set, and may take one away', () => {
    const set = { 'db/set.yaml': 'defaults: {environment: {A: {secret: password}, B: {secret: whole}}}\n' }
    expect(Object.keys(leafOf('environment: {A: null}\n', DEPLOYMENT, set).spec.secrets?.environment ?? {})).toEqual([
      'B',
    ])
    expect(leafOf('environment: {A: plain}\n', DEPLOYMENT, set).spec.environment).toEqual({ A: 'plain' })
  })

  it('without secrets has the very digest that it always had', () => {
    const leaf = leafOf('environment: {A: b}\n')
    expect(leaf.spec).not.toHaveProperty('secrets')
    expect(leaf).not.toHaveProperty('secretOrigins')
  })

  it('has another ledger digest for another ciphertext, target or owner, and the same for other recipients', async () => {
    const digest = (text: string, leaf = 'secrets: [password]\n'): string =>
      leafOf(leaf, DEPLOYMENT, { 'db/secrets.yaml': text }).ledgerDigest
    const recipients = [await identityToRecipient(await generateIdentity())]
    const other = await writeSops('a.yaml', { db: { password: 'hunter2hunter2', port: 1 } }, { recipients })
    expect(digest(other)).not.toBe(digest(sops))
    expect(digest(sops.replace('version: 3.11.0', 'version: 3.12.0'))).toBe(digest(sops))
    expect(digest(sops, 'secrets: [{source: password, target: pw}]\n')).not.toBe(digest(sops))
    expect(digest(sops, 'secrets: [{source: password, mode: "0400"}]\n')).not.toBe(digest(sops))
  })

  it('is the same object as before while neither it nor its file changed, and another one then', () => {
    const reader = createReader()
    const files = {
      'deployment.yaml': DEPLOYMENT,
      'db/set.yaml': '{}\n',
      'db/secrets.yaml': sops,
      'db/web.yaml': `${LEAF}secrets: [password]\n`,
    }
    const first = reader.read(snapshotOf(files), { host: null }).tree?.leaves.get('web')
    const text = sops.replace('version: 3.11.0', 'version: 3.12.0')
    const changed = reader
      .read(snapshotOf({ ...files, 'db/secrets.yaml': text }), { host: null })
      .tree?.leaves.get('web')
    expect(changed).toBeDefined()
    expect(changed).not.toBe(first)
    expect(changed?.ledgerDigest).toBe(first?.ledgerDigest)
  })
})

describe('a run digest', () => {
  it('hangs on the values and the host’s key, and not on where the values come from', () => {
    const leaf = leafOf('secrets: [password]\n')
    const spec = leaf.spec.secrets ?? { files: {}, environment: {} }
    const open = openedSecrets(spec)
    const rotated = {
      ...open,
      fingerprints: new Map([...open.fingerprints].map(([content]) => [content, 'f'.repeat(64)])),
    }
    const digest = createRunDigest(Buffer.alloc(32, 1))
    const one = digest({ ...leaf, secrets: open })
    expect(digest({ ...leaf, secrets: open })).toBe(one)
    expect(digest({ ...leaf, secrets: rotated })).not.toBe(one)
    expect(createRunDigest(Buffer.alloc(32, 2))({ ...leaf, secrets: open })).not.toBe(one)
    const [[content = '', fingerprint = ''] = []] = [...open.fingerprints]
    const moved = {
      ...leaf.spec,
      secrets: {
        files: { '/run/secrets/password': { content: 'host:x', mode: 0o444, uid: 0, gid: 0 } },
        environment: {},
      },
    }
    expect(content).toMatch(/^sops:/)
    expect(
      digest({ ...leaf, spec: moved, secrets: { ...open, fingerprints: new Map([['host:x', fingerprint]]) } }),
    ).toBe(one)
  })
})

describe('a mistake has its place', () => {
  it.each([
    [
      'a secret nobody declared',
      'secrets: [passwort]\n',
      'db/web.yaml',
      3,
      'the secret passwort is not declared',
      'did you mean password?',
    ],
    [
      'one in the environment',
      'environment: {A: {secret: nope}}\n',
      'db/web.yaml',
      3,
      'the secret nope is not declared',
      'declare nope',
    ],
    [
      'two at one path',
      'secrets: [password, {source: tls-key, target: password}]\n',
      'db/web.yaml',
      3,
      'two secrets have the path',
      'another target',
    ],
    [
      'one that is a file too',
      'files: {/run/secrets/password: ./web.yaml}\nsecrets: [password]\n',
      'db/web.yaml',
      4,
      'clashes with the file',
      'another path',
    ],
    [
      'inside a folder of the host',
      'volumes: ["/run:/run"]\nsecrets: [password]\n',
      'db/web.yaml',
      4,
      'lies inside the bind mounted at /run',
      'absolute target',
    ],
    [
      'elsewhere in a read-only container',
      'read_only: true\nsecrets: [{source: password, target: /etc/pw}]\n',
      'db/web.yaml',
      4,
      'the container is read-only',
      '/run/secrets',
    ],
    [
      'elsewhere below a tmpfs',
      'tmpfs: [/srv]\nsecrets: [{source: password, target: /srv/pw}]\n',
      'db/web.yaml',
      4,
      'inside a tmpfs',
      '/run/secrets',
    ],
  ])('%s', (_what, leaf, file, line, message, remedy) => {
    expect(problemOf(leaf)).toMatchObject({
      file,
      line,
      message: expect.stringContaining(message),
      remedy: expect.stringContaining(remedy),
      severity: 'unreadable',
    })
  })

  it.each([
    ['Compose’s environment', 'environment: DB_PASSWORD', 'the key environment is not served'],
    ['Compose’s external', 'external: true', 'the key external is not served'],
    ['a value in plain text', 'content: hunter2', 'the key content is not served'],
    ['two sources', 'file: ./db/secrets.yaml, host: a', 'exclude each other'],
    ['none', '', 'neither file nor host'],
    ['a way out of the host’s folder', 'host: ../../etc/shadow', 'no file below'],
    ['an absolute path on the host', 'host: /etc/shadow', 'no file below'],
    ['a key of a host’s file', 'host: a, key: b', 'key belongs to file'],
  ])('in deployment.yaml: %s', (_what, source, message) => {
    const { problems } = read('', `name: shop\nsecrets:\n  password: {${source}}\n`)
    expect(problems.map((problem) => problem.message).join('\n')).toContain(message)
    expect(problems[0]).toMatchObject({ file: 'deployment.yaml', line: 3, remedy: expect.stringMatching(/\w/) })
  })

  it.each([
    [
      'a file in plain text',
      'file: ./plain.yaml, key: password',
      'plain.yaml cannot be used: it is not encrypted with SOPS',
      'sops encrypt',
    ],
    ['a file that is not there', 'file: ./none.yaml, key: password', 'there is no file none.yaml', ''],
    ['a file outside', 'file: ../none.yaml, key: password', 'outside the deployment', ''],
    ['a key that is not there', 'file: ./db/secrets.yaml, key: db.pasword', 'it has no pasword below db', 'password'],
  ])('%s: told once, where it is declared', (_what, source, message, remedy) => {
    const deployment = `name: shop\nsecrets:\n  password: {${source}}\n`
    const plain = source.includes('plain.yaml') ? { 'plain.yaml': 'password: hunter2\n' } : {}
    const more = { ...plain, 'db/second.yaml': `${LEAF}secrets: [password]\n` }
    const { problems } = read('secrets: [password]\n', deployment, more)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatchObject({
      file: 'deployment.yaml',
      line: 3,
      message: expect.stringContaining(message),
      remedy: expect.stringContaining(remedy),
    })
  })

  it('a declared file that no leaf uses is no leaf', () => {
    expect(read('').problems).toEqual([])
  })

  it('no value of a file is in any problem', () => {
    const { problems } = read('secrets: [password]\n', `name: shop\nsecrets:\n  password: {file: ./plain.yaml}\n`, {
      'plain.yaml': 'password: hunter2\n',
    })
    expect(JSON.stringify(problems)).not.toContain('hunter2')
  })
})
