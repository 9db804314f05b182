// A person's mistakes, each through the real program: one clear message with a place and a remedy, exit 1, nothing
// changed, no stack trace.

import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'

import { graft } from './graft.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'graft-bad-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const who = ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.org']
const git = (...args: string[]) => execFileSync('git', [...who, ...args], { cwd: folder, encoding: 'utf8' }).trim()

function commit(files: Readonly<Record<string, string>>): void {
  git('init', '-q', '-b', 'main')
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  git('add', '-A')
  git('commit', '-q', '--allow-empty', '-m', 'begin')
}

const NAMED = { 'deployment.yaml': 'name: shop\nvolumes: {data: {}}\n' }
const GOOD = 'generation: 1\nimage: graft-test/base:1\n'
const BOMB = `generation: 1\nimage: x\na: &a [1,1,1,1,1,1,1,1,1,1]\n${[...'bcdefgh']
  .map((name, i) => `${name}: &${name} [${Array(10).fill(`*${'abcdefgh'[i]}`).join(',')}]`)
  .join('\n')}\n`

interface Case {
  readonly name: string
  readonly files: Readonly<Record<string, string>>
  /** Place and words that must be in the output. */
  readonly says: readonly string[]
}

const cases: readonly Case[] = [
  { name: 'a broken YAML file', files: { ...NAMED, 'web.yaml': 'generation: 1\nimage: [\n' }, says: ['web.yaml:'] },
  {
    name: 'a wrong type',
    files: { ...NAMED, 'web.yaml': `${GOOD}init: perhaps\n` },
    says: ['web.yaml:3:7', 'perhaps'],
  },
  {
    name: 'an unknown key',
    files: { ...NAMED, 'web.yaml': `${GOOD}comand: sleep\n` },
    says: ['web.yaml:3:1', 'command'],
  },
  {
    name: 'a cycle',
    files: { ...NAMED, 'web.yaml': `${GOOD}depends_on: [api]\n`, 'api.yaml': `${GOOD}depends_on: [web]\n` },
    says: ['api.yaml:3', 'web', 'api'],
  },
  {
    name: 'two leaves of one name',
    files: { ...NAMED, 'one/set.yaml': '{}\n', 'one/web.yaml': GOOD, 'two/set.yaml': '{}\n', 'two/web.yaml': GOOD },
    says: ['one/web.yaml', 'two/web.yaml'],
  },
  {
    name: 'a port clash',
    files: { ...NAMED, 'web.yaml': `${GOOD}ports: ["8080:80"]\n`, 'api.yaml': `${GOOD}ports: ["8080:81"]\n` },
    says: ['api.yaml:3', 'web.yaml:3', '8080'],
  },
  {
    name: 'a file that is not there',
    files: { ...NAMED, 'app.conf': '', 'web.yaml': `${GOOD}files: {/etc/app.conf: ./ap.conf}\n` },
    says: ['web.yaml:3', 'app.conf'],
  },
  {
    name: 'an unset variable',
    files: { ...NAMED, 'web.yaml': 'generation: 1\nimage: x:${TAG}\n' },
    says: ['web.yaml:2', 'TAG'],
  },
  {
    name: "ports on the host's network",
    files: { ...NAMED, 'web.yaml': `${GOOD}network_mode: host\nports: ["80:80"]\n` },
    says: ['web.yaml:4', 'host'],
  },
  {
    name: 'a file into a volume',
    files: { ...NAMED, 'a.conf': '', 'web.yaml': `${GOOD}volumes: ["data:/data"]\nfiles: {/data/a.conf: ./a.conf}\n` },
    says: ['web.yaml:4', '/data'],
  },
  { name: 'a million-alias bomb', files: { ...NAMED, 'web.yaml': BOMB }, says: ['web.yaml:'] },
  { name: 'a 100 MB leaf', files: { ...NAMED, 'web.yaml': GOOD + '#'.repeat(100 * 1024 * 1024) }, says: ['web.yaml'] },
  {
    name: 'a path with ..',
    files: { ...NAMED, 'web.yaml': `${GOOD}files: {/etc/passwd: ../../etc/passwd}\n` },
    says: ['web.yaml:3', '..'],
  },
  { name: 'an empty tree', files: {}, says: ['deployment.yaml'] },
  { name: 'no deployment.yaml', files: { 'web.yaml': GOOD }, says: ['deployment.yaml'] },
]

describe('a mistake in the repository', () => {
  it.each(cases)('$name', async ({ files, says }) => {
    commit(files)
    for (const command of ['validate', 'apply']) {
      const more = command === 'apply' ? ['--engine', inject('engineUrl')] : []
      const { exitCode, output } = await graft(folder, [
        command,
        '--repo',
        folder,
        '--state',
        join(folder, '.git/state'),
        ...more,
      ])
      expect(output).not.toMatch(/\n\s+at .*:\d+:\d+\)?\n/)
      for (const words of says) expect(output).toContain(words)
      expect({ command, exitCode }).toEqual({ command, exitCode: 1 })
      // Short enough to be read: the text of a 100 MB leaf is not in it.
      expect(output.length).toBeLessThan(4_000)
    }
  })

  it('a name with .. in the tree itself', async () => {
    commit({ ...NAMED, 'web.yaml': `${GOOD}files: {/etc/a.conf: ./a.conf}\n` })
    const blob = git('hash-object', '-w', 'web.yaml')
    const inner = execFileSync('git', ['mktree'], {
      cwd: folder,
      input: `100644 blob ${blob}\tevil.yaml\n`,
      encoding: 'utf8',
    }).trim()
    const entry = (mode: string, name: string, oid: string) =>
      Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')])
    const deployment = git('rev-parse', 'HEAD:deployment.yaml')
    const raw = Buffer.concat([entry('40000', '..', inner), entry('100644', 'deployment.yaml', deployment)])
    const tree = execFileSync('git', ['hash-object', '-w', '-t', 'tree', '--literally', '--stdin'], {
      cwd: folder,
      input: raw,
      encoding: 'utf8',
    }).trim()
    git('update-ref', 'refs/heads/main', git('commit-tree', tree, '-m', 'evil'))
    const { exitCode, output } = await graft(folder, [
      'validate',
      '--repo',
      folder,
      '--state',
      join(folder, '.git/state'),
    ])
    expect({ exitCode, output }).toMatchObject({ exitCode: 1, output: expect.stringContaining('..') })
  })
})

describe('an engine that cannot be asked', () => {
  const apply = (engine: string) =>
    graft(folder, ['apply', '--repo', folder, '--state', join(folder, '.git/state'), '--engine', engine])

  it('is not there', async () => {
    commit({ ...NAMED, 'web.yaml': GOOD })
    const { exitCode, output } = await apply('unix:///nowhere/docker.sock')
    expect(exitCode).toBe(1)
    expect(output).toContain('/nowhere/docker.sock')
    expect(output).not.toMatch(/\n\s+at /)
  })

  it('permission denied on its socket', async () => {
    commit({ ...NAMED, 'web.yaml': GOOD })
    const socket = join(folder, '.git/closed.sock')
    const server = createServer().listen(socket)
    await new Promise((resolve) => server.once('listening', resolve))
    chmodSync(socket, 0o000)
    chmodSync(folder, 0o755)
    try {
      // As nobody, because root may open everything.
      const probe = `const {connectEngine} = await import('${new URL('../../../dist/engine/connect.js', import.meta.url).href}');
        try { await connectEngine('unix://${socket}') } catch (error) { console.log(error.message + '\\n' + error.remedy) }`
      chmodSync(join(folder, '.git'), 0o755)
      const run = { encoding: 'utf8', uid: 65534, gid: 65534, cwd: '/' } as const
      const output = execFileSync(process.execPath, ['--input-type=module', '-e', probe], run)
      expect(output).toContain(socket)
      expect(output).toMatch(/permission|allowed/i)
      expect(output).toMatch(/docker/)
    } finally {
      server.close()
    }
  })
})
