// A person's own repository: read where it lies, while they work in it, and never written to.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openRepository, type RepositoryOptions } from '../../../src/repository/open.ts'
import type { Repository } from '../../../src/repository/repository.ts'
import { makeRepository, openSandbox, type Sandbox } from '../../unit/repository/git-sandbox.ts'

let sandbox: Sandbox
let opened: Repository[]

beforeEach(() => {
  sandbox = openSandbox()
  makeRepository(sandbox, 'repo')
  sandbox.commit('repo', { 'deployment.yaml': 'name: one\n', 'set/leaf.yaml': 'generation: 1\n' }, 'first')
  opened = []
})
afterEach(async () => {
  await Promise.all(opened.map((repository) => repository.close()))
  sandbox.remove()
})

async function open(options: Partial<RepositoryOptions> = {}): Promise<Repository> {
  const repository = await openRepository({ repo: sandbox.path('repo'), cache: sandbox.path('cache'), ...options })
  opened.push(repository)
  return repository
}

const head = (where = 'repo'): string => sandbox.git(where, 'rev-parse', 'HEAD')

describe('a folder', () => {
  it('is read as it is, each commit with what is equal kept', async () => {
    const repository = await open()
    const one = await repository.refresh()
    expect(one).toMatchObject({ commit: { id: head(), subject: 'first', author: 'Ada' }, ref: 'refs/heads/main' })
    const before = await repository.snapshot(one.commit.id)
    sandbox.commit('repo', {
      'set/leaf.yaml': 'generation: 2\n',
      'set/new.yaml': 'x',
      'deployment.yaml': 'name: one\n',
    })
    const two = await repository.refresh()
    const after = await repository.snapshot(two.commit.id, before)
    expect([...after.entries.keys()]).toEqual(['deployment.yaml', 'set/leaf.yaml', 'set/new.yaml'])
    expect(after.entries.get('deployment.yaml')).toBe(before.entries.get('deployment.yaml'))
    const back = await repository.snapshot(one.commit.id, after)
    expect([...back.entries.keys()]).toEqual([...before.entries.keys()])
    expect(await repository.snapshot(two.commit.id, after)).toBe(after)
    expect(readdirSync(sandbox.folder)).toEqual(['repo'])
  })

  it('keeps to the branch it began with, whatever is checked out later', async () => {
    const repository = await open()
    const main = head()
    await repository.refresh()
    sandbox.git('repo', 'checkout', '-q', '-b', 'experiment')
    sandbox.commit('repo', { a: '1' })
    expect((await repository.refresh()).commit.id).toBe(main)
    expect((await (await open()).refresh()).ref).toBe('refs/heads/experiment')
  })

  it('without a commit, and without the branch, is told so', async () => {
    makeRepository(sandbox, 'new')
    await expect((await open({ repo: sandbox.path('new') })).refresh()).rejects.toMatchObject({
      kind: 'missing-ref',
      message: `${sandbox.path('new')} has no commit yet`,
      remedy: 'Commit something to it',
    })
    await expect((await open({ ref: 'mian' })).refresh()).rejects.toMatchObject({
      message: expect.stringContaining('its branches are: main'),
    })
    await expect((await open()).snapshot('1'.repeat(40))).rejects.toMatchObject({ kind: 'missing-ref' })
  })

  it('may be bare, a file URL, shallow', async () => {
    sandbox.commit('repo', { a: '1' })
    sandbox.git('', 'clone', '-q', '--bare', 'repo', 'bare.git')
    const bare = await open({ repo: `file://${sandbox.path('bare.git')}`, ref: 'main' })
    expect((await bare.refresh()).commit.id).toBe(head())
    await expect(bare.worktree()).rejects.toMatchObject({ kind: 'unsupported' })
    sandbox.git('', 'clone', '-q', '--depth=1', `file://${sandbox.path('repo')}`, 'shallow')
    const shallow = await open({ repo: sandbox.path('shallow') })
    const { commit } = await shallow.refresh()
    expect((await shallow.snapshot(commit.id)).entries.size).toBe(3)
    expect(await shallow.firstParents(commit.id, new Set())).toMatchObject({ complete: false, commits: { length: 1 } })
    expect(await shallow.ancestors(commit.id)).toMatchObject({ complete: false })
    expect(await shallow.deepen()).toBe(false)
  })

  it('is read while native Git commits and collects garbage', async () => {
    for (let round = 0; round < 30; round++) sandbox.commit('repo', { [`f${round}`]: String(round), a: String(round) })
    const repository = await open()
    let snapshot = await repository.snapshot(head())
    for (let round = 0; round < 8; round++) {
      const id = sandbox.commit('repo', { a: `again ${round}` })
      const collecting = import('node:child_process').then(({ execFile }) => {
        return new Promise((resolve) =>
          execFile('git', ['gc', '-q', '--prune=now'], { cwd: sandbox.path('repo') }, resolve),
        )
      })
      for (let read = 0; read < 6; read++) {
        const tip = await repository.refresh()
        expect(tip.commit.id).toBe(id)
        snapshot = await repository.snapshot(id, read % 2 === 0 ? snapshot : undefined)
        expect(Buffer.from(snapshot.entries.get('a')?.content ?? []).toString()).toBe(`again ${round}`)
        expect((await repository.ancestors(id)).commits.length).toBe(32 + round)
      }
      await collecting
    }
  })

  it('is never written to', async () => {
    writeFileSync(sandbox.path('repo/untracked'), 'x')
    const before = fingerprint(sandbox.path('repo'))
    const repository = await open()
    const { commit } = await repository.refresh()
    const snapshot = await repository.snapshot(commit.id)
    await repository.worktree(snapshot)
    await repository.ancestors(commit.id)
    await repository.resolve('HEAD')
    repository.onHint(() => undefined)
    await pause(100)
    expect(fingerprint(sandbox.path('repo'))).toBe(before)
  })

  it('that is damaged is told so, and no worse', async () => {
    const blob = sandbox.git('repo', 'rev-parse', 'HEAD:set/leaf.yaml')
    rmSync(sandbox.path('repo/.git/objects', blob.slice(0, 2), blob.slice(2)))
    const repository = await open()
    await expect(repository.snapshot(head())).rejects.toMatchObject({
      kind: 'damaged',
      message: expect.stringContaining(blob),
    })
    expect((await repository.refresh()).commit.id).toBe(head())
  })

  it('that goes away is told so', async () => {
    const repository = await open()
    await repository.refresh()
    rmSync(sandbox.path('repo'), { recursive: true })
    await expect(repository.refresh()).rejects.toMatchObject({ kind: 'not-found' })
  })

  it('gives a hint when a branch moves', async () => {
    const repository = await open()
    let hints = 0
    repository.onHint(() => hints++)
    await pause(500)
    sandbox.commit('repo', { a: '1' })
    await expect.poll(() => hints, { timeout: 5000 }).toBeGreaterThan(0)
  })
})

describe('entries', () => {
  it('are links, submodules, executables and large files, each for what it is', async () => {
    symlinkSync('/etc/passwd', sandbox.path('repo/link'))
    writeFileSync(sandbox.path('repo/run'), '#!/bin/sh\n', { mode: 0o755 })
    writeFileSync(sandbox.path('repo/large'), Buffer.alloc(1024 * 1024 + 1, 7))
    writeFileSync(sandbox.path('repo/just'), Buffer.alloc(1024 * 1024, 7))
    sandbox.commit('repo', {})
    sandbox.git('repo', 'update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},module`)
    sandbox.git('repo', 'commit', '-qm', 'module')
    const { entries } = await (await open()).snapshot(head())
    expect(entries.get('link')).toMatchObject({ kind: 'link', content: null })
    expect(entries.get('module')).toMatchObject({ kind: 'submodule', oid: '1'.repeat(40), content: null })
    expect(entries.get('run')).toMatchObject({ kind: 'file', executable: true, size: 10 })
    expect(entries.get('large')).toMatchObject({ kind: 'file', size: 1024 * 1024 + 1, content: null })
    expect(entries.get('just')?.content?.length).toBe(1024 * 1024)
  })

  it('have limits in number and in bytes', async () => {
    const files = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`f${at}`, 'x'.repeat(100)]))
    sandbox.commit('repo', files)
    await expect((await open({ limits: { filesPerSnapshot: 10 } })).snapshot(head())).rejects.toMatchObject({
      kind: 'too-large',
    })
    await expect((await open({ limits: { contentBytes: 1000 } })).snapshot(head())).rejects.toMatchObject({
      kind: 'too-large',
    })
    await expect((await open({ limits: { filesPerSnapshot: 10 } })).worktree()).rejects.toMatchObject({
      kind: 'too-large',
    })
    expect((await (await open({ limits: { filesPerSnapshot: 22 } })).snapshot(head())).entries.size).toBe(22)
  })
})

describe('the work tree', () => {
  it('holds what git ls-files holds, with the ids Git would give', async () => {
    sandbox.commit('repo', {
      '.gitignore': '*.log\nbuild/\n!keep.log\n',
      'set/.gitignore': '/local\n',
      'kept/tracked.txt': 't',
    })
    writeFileSync(sandbox.path('repo/kept/tracked.log'), 'tracked although ignored')
    sandbox.git('repo', 'add', '-f', 'kept/tracked.log')
    mkdirSync(sandbox.path('repo/build/deep'), { recursive: true })
    writeFileSync(sandbox.path('repo/build/deep/tracked'), 'in an ignored folder')
    sandbox.git('repo', 'add', '-f', 'build/deep/tracked')
    for (const path of ['a.log', 'keep.log', 'build/x', 'set/local', 'set/other', 'excluded'])
      writeFileSync(sandbox.path('repo', path), path)
    writeFileSync(sandbox.path('repo/.git/info/exclude'), 'excluded\n')
    writeFileSync(sandbox.path('repo/run'), 'x', { mode: 0o755 })
    symlinkSync('/etc', sandbox.path('repo/out'))
    rmSync(sandbox.path('repo/kept/tracked.txt'))
    const repository = await open()
    const { entries, commit } = await repository.worktree()
    expect(commit).toBeNull()
    const native = sandbox.git('repo', 'ls-files', '-coz', '--exclude-standard').split('\0').filter(Boolean)
    expect([...entries.keys()].toSorted()).toEqual(native.filter((path) => path !== 'kept/tracked.txt').toSorted())
    for (const { path, oid, kind, content } of entries.values()) {
      if (kind !== 'file') continue
      expect(oid).toBe(sandbox.git('repo', 'hash-object', path))
      expect(Buffer.from(content ?? [])).toEqual(readFileSync(sandbox.path('repo', path)))
    }
    expect(entries.get('run')?.executable).toBe(true)
    expect(entries.get('out')).toMatchObject({ kind: 'link', content: null })
  })

  it('shares with a commit what it did not change, and has a folder too', async () => {
    const repository = await open({ path: 'set' })
    const snapshot = await repository.snapshot(head())
    writeFileSync(sandbox.path('repo/set/new.yaml'), 'new')
    const tree = await repository.worktree(snapshot)
    expect([...tree.entries.keys()]).toEqual(['leaf.yaml', 'new.yaml'])
    expect(tree.entries.get('leaf.yaml')).toBe(snapshot.entries.get('leaf.yaml'))
    writeFileSync(sandbox.path('repo/set/leaf.yaml'), 'changed')
    const next = await repository.worktree(tree)
    expect(next.entries.get('new.yaml')).toBe(tree.entries.get('new.yaml'))
    expect(Buffer.from(next.entries.get('leaf.yaml')?.content ?? []).toString()).toBe('changed')
    expect([...(await repository.snapshot(head(), next)).entries.keys()]).toEqual(['leaf.yaml'])
    symlinkSync('set', sandbox.path('repo/link'))
    await expect((await open({ path: 'link' })).worktree()).rejects.toMatchObject({ kind: 'not-found' })
  })
})

function fingerprint(folder: string): string {
  const hash = createHash('sha1')
  const visit = (path: string): void => {
    for (const name of readdirSync(path).toSorted()) {
      const full = join(path, name)
      const facts = statSync(full)
      hash.update(`${full} ${facts.mtimeMs} ${facts.size}\n`)
      if (facts.isDirectory()) visit(full)
    }
  }
  visit(folder)
  return hash.digest('hex')
}

it('leaves no child process behind', async () => {
  const repository = await open()
  await repository.refresh()
  const children = (): string =>
    execFileSync('ps', ['--ppid', String(process.pid), '-o', 'args='], { encoding: 'utf8' })
  expect(children()).toContain('git-child.js')
  await repository.close()
  expect(children()).not.toContain('git-child.js')
  await expect(repository.refresh()).rejects.toMatchObject({
    kind: 'damaged',
    message: expect.stringContaining('closed'),
  })
})
