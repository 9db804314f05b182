// Commits that graft makes in a person's own repository, as native Git sees them afterwards.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { takeCommit } from '../../../src/repository/commit-files.ts'
import { DEFAULT_LIMITS } from '../../../src/repository/limits.ts'
import { openLocalSource } from '../../../src/repository/local-source.ts'
import type { FileChange, Person } from '../../../src/repository/repository.ts'
import { makeRepository, openSandbox, type Sandbox } from './git-sandbox.ts'

const ANN: Person = { name: 'Ann <x> Example', email: 'ann@example.org' }
const signal = new AbortController().signal
let sandbox: Sandbox
let tip: string

beforeEach(() => {
  sandbox = openSandbox()
  makeRepository(sandbox, 'site')
  sandbox.commit('site', { 'a/deep/set.yaml': 'x: 1\n', 'a.yaml': 'a\n', 'a-b.yaml': 'b\n', 'run.sh': '#!/bin/sh\n' })
  sandbox.git('site', 'update-index', '--chmod=+x', 'run.sh')
  sandbox.git('site', 'commit', '-q', '-m', 'executable')
  sandbox.git('site', 'checkout', '-q', '--', '.')
  tip = sandbox.git('site', 'rev-parse', 'HEAD')
})
afterEach(() => sandbox.remove())

const text = (path: string, content: string | null): FileChange => ({
  path,
  content: content === null ? null : Buffer.from(content),
})

function commit(changes: readonly FileChange[], more: { ref?: string; folder?: string; onto?: string } = {}) {
  const source = openLocalSource(sandbox.path('site', '.git'), sandbox.path('site'), more.ref ?? null)
  const wish = { onto: more.onto ?? tip, changes, message: 'Stop a\n\nbecause', author: ANN, branch: null, push: false }
  return takeCommit(source, more.folder ?? '', wish, signal)
}

describe('in a work tree', () => {
  it('makes a commit that Git finds in order, with the work tree and the index at it', async () => {
    const facts = await commit([text('a/deep/set.yaml', 'x: 2\n'), text('b/new.yaml', 'n\n'), text('run.sh', 'echo\n')])
    expect(facts).toMatchObject({ parents: [tip], subject: 'Stop a', author: 'Ann x Example' })
    const git = (...args: string[]) => sandbox.git('site', ...args)
    expect(git('rev-parse', 'main')).toBe(facts.id)
    expect(git('fsck', '--strict')).not.toMatch(/error|missing/)
    expect(git('status', '--porcelain')).toBe('')
    expect(git('diff', '--stat=200', tip, 'HEAD').split('\n')).toHaveLength(4)
    expect(git('ls-tree', 'HEAD', 'run.sh')).toMatch(/^100755/)
    expect(git('log', '-1', '--format=%an %ae %cn %b')).toBe('Ann x Example ann@example.org Ann x Example because')
    expect(git('reflog', '-1')).toContain('commit: Stop a')
    expect(readFileSync(sandbox.path('site', 'b/new.yaml'), 'utf8')).toBe('n\n')
  })

  it('takes files away, and folders that are empty then', async () => {
    await commit([text('a/deep/set.yaml', null)])
    expect(sandbox.git('site', 'ls-tree', '-r', '--name-only', 'HEAD').split('\n')).toEqual([
      'a-b.yaml',
      'a.yaml',
      'run.sh',
    ])
    expect(sandbox.git('site', 'status', '--porcelain')).toBe('')
    expect(existsSync(sandbox.path('site', 'a/deep/set.yaml'))).toBe(false)
  })

  it('takes paths below the folder that is deployed', async () => {
    await commit([text('deep/set.yaml', 'x: 3\n')], { folder: 'a' })
    expect(sandbox.git('site', 'show', 'HEAD:a/deep/set.yaml')).toBe('x: 3')
  })

  it('leaves changes of other files alone', async () => {
    writeFileSync(sandbox.path('site', 'a.yaml'), 'mine\n')
    await commit([text('a/deep/set.yaml', 'x: 2\n')])
    expect(sandbox.git('site', 'status', '--porcelain')).toBe('M a.yaml')
  })

  it.each([
    ['that were not added', false],
    ['that were added', true],
  ])('refuses a file with changes of its own %s', async (_words, added) => {
    writeFileSync(sandbox.path('site', 'a.yaml'), 'mine\n')
    if (added) sandbox.git('site', 'add', 'a.yaml')
    await expect(commit([text('a.yaml', 'a2\n')])).rejects.toMatchObject({ kind: 'refused' })
    expect(sandbox.git('site', 'rev-parse', 'HEAD')).toBe(tip)
    expect(readFileSync(sandbox.path('site', 'a.yaml'), 'utf8')).toBe('mine\n')
  })

  it('refuses another branch than the one that is checked out', async () => {
    sandbox.git('site', 'branch', 'stable')
    await expect(commit([text('a.yaml', 'a2\n')], { ref: 'stable' })).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('is on main, and stable is deployed'),
    })
  })

  it('refuses while another Git is at work, and moves nothing', async () => {
    writeFileSync(sandbox.path('site', '.git', 'index.lock'), '')
    await expect(commit([text('a.yaml', 'a2\n')])).rejects.toMatchObject({ kind: 'refused' })
    expect(sandbox.git('site', 'rev-parse', 'HEAD')).toBe(tip)
  })

  it('refuses a tag and a fixed commit', async () => {
    sandbox.git('site', 'tag', 'v1')
    for (const ref of ['v1', tip])
      await expect(commit([text('a.yaml', 'a2\n')], { ref })).rejects.toMatchObject({ kind: 'refused' })
  })

  it.each(['../a.yaml', '.git/config', 'a//b.yaml', ''])('refuses the path “%s”', async (path) => {
    await expect(commit([text(path, 'x')])).rejects.toMatchObject({ kind: 'refused' })
  })

  it('says where somebody else was faster', async () => {
    const before = tip
    sandbox.commit('site', { 'a.yaml': 'theirs\n' })
    await expect(commit([text('a.yaml', 'a2\n')], { onto: before })).rejects.toMatchObject({ kind: 'moved' })
    expect(sandbox.git('site', 'show', 'HEAD:a.yaml')).toBe('theirs')
  })
})

describe('in a bare repository', () => {
  it('moves the branch, also one that is packed', async () => {
    sandbox.git('.', 'clone', '-q', '--bare', 'site', 'bare.git')
    sandbox.git('bare.git', 'pack-refs', '--all')
    const source = openLocalSource(sandbox.path('bare.git'), null, null)
    const facts = await takeCommit(
      source,
      '',
      { onto: tip, changes: [text('a.yaml', 'a2\n')], message: 'x', author: ANN, branch: null, push: false },
      signal,
    )
    expect(sandbox.git('bare.git', 'rev-parse', 'main')).toBe(facts.id)
    expect(sandbox.git('bare.git', 'show', 'main:a.yaml')).toBe('a2')
    expect(sandbox.git('bare.git', 'fsck', '--strict')).not.toMatch(/error|missing/)
  })

  it('takes the name that its configuration gives, and asks where there is none', async () => {
    sandbox.git('.', 'clone', '-q', '--bare', 'site', 'bare.git')
    const before = process.env['GIT_CONFIG_GLOBAL']
    process.env['GIT_CONFIG_GLOBAL'] = '/dev/null'
    try {
      const wish = {
        onto: tip,
        changes: [text('a.yaml', 'a2\n')],
        message: 'x',
        author: null,
        branch: null,
        push: false,
      }
      const take = () => takeCommit(openLocalSource(sandbox.path('bare.git'), null, null), '', wish, signal)
      await expect(take()).rejects.toMatchObject({ kind: 'refused', remedy: expect.stringContaining('--author') })
      sandbox.git('bare.git', 'config', 'user.name', 'Ben')
      sandbox.git('bare.git', 'config', 'user.email', 'ben@example.org')
      expect(await take()).toMatchObject({ author: 'Ben' })
    } finally {
      if (before === undefined) delete process.env['GIT_CONFIG_GLOBAL']
      else process.env['GIT_CONFIG_GLOBAL'] = before
    }
  })
})

describe('to a branch of its own', () => {
  const on = (branch: string, more: { onto?: string; ref?: string; content?: string; push?: boolean } = {}) => {
    const access = { auth: {}, caFile: null, proxies: { http: null, https: null, none: '' }, ssh: NO_SSH }
    const reach = { access, limits: DEFAULT_LIMITS }
    const source = openLocalSource(sandbox.path('site', '.git'), sandbox.path('site'), more.ref ?? null, reach)
    const changes = [text('a.yaml', more.content ?? 'a2\n')]
    const { push = false, onto = tip } = more
    return takeCommit(source, '', { onto, changes, message: 'Bump a', author: ANN, branch, push }, signal)
  }
  const NO_SSH = { keyFile: null, knownHostsFile: null }
  const git = (...args: string[]) => sandbox.git('site', ...args)

  it('makes it, and leaves the work tree and what is checked out as they are', async () => {
    writeFileSync(sandbox.path('site', 'a.yaml'), 'mine\n')
    const facts = await on('bump/a')
    expect(git('rev-parse', 'bump/a', 'bump/a~1').split('\n')).toEqual([facts.id, tip])
    expect(git('rev-parse', 'HEAD', 'main').split('\n')).toEqual([tip, tip])
    expect(git('symbolic-ref', 'HEAD')).toBe('refs/heads/main')
    expect(git('status', '--porcelain')).toBe('M a.yaml')
    expect(git('show', 'bump/a:a.yaml')).toBe('a2')
    expect(git('reflog', 'bump/a')).toContain('commit: Bump a')
    expect(git('fsck', '--strict')).not.toMatch(/error|missing/)
  })

  it('takes one that is at the same commit, with the work tree where it is checked out', async () => {
    git('branch', 'same')
    git('pack-refs', '--all')
    const facts = await on('same')
    expect(git('rev-parse', 'same')).toBe(facts.id)
    git('switch', '-q', '-c', 'here')
    const followed = await on('here', { ref: 'main' })
    expect(git('rev-parse', 'HEAD')).toBe(followed.id)
    expect(git('status', '--porcelain')).toBe('')
    expect(readFileSync(sandbox.path('site', 'a.yaml'), 'utf8')).toBe('a2\n')
  })

  it('means the branch that is deployed where it has that name', async () => {
    const facts = await on('main')
    expect(git('rev-parse', 'HEAD')).toBe(facts.id)
    await expect(on('refs/heads/main')).rejects.toMatchObject({ kind: 'moved' })
  })

  it('is made from an older commit and while a tag is deployed, too', async () => {
    git('tag', 'v1')
    const next = sandbox.commit('site', { 'b.yaml': 'b\n' })
    expect(await on('old', { ref: 'v1' })).toMatchObject({ parents: [tip] })
    expect(await on('new', { onto: next })).toMatchObject({ parents: [next] })
    await expect(on('nowhere', { onto: '1'.repeat(40) })).rejects.toMatchObject({ kind: 'missing-ref' })
  })

  it.each([
    ['taken', 'is there already'],
    ['main/a', 'beside main'],
    ['bump', 'beside bump/'],
    ['a b', 'no branch can be called “a b”: it has a blank'],
    ['-d', 'begins with a dash'],
    ['../../config', 'two dots'],
  ])('refuses %s', async (name, words) => {
    git('branch', 'taken', 'main~1')
    git('branch', 'bump/x')
    await expect(on(name)).rejects.toMatchObject({ kind: 'refused', message: expect.stringContaining(words) })
    expect(git('for-each-ref', '--format=%(refname)', 'refs/heads').split('\n')).toHaveLength(3)
  })

  it('fills the folder that a branch left behind', async () => {
    git('branch', 'was/here')
    git('branch', '-q', '-D', 'was/here')
    mkdirSync(sandbox.path('site', '.git', 'refs', 'heads', 'was'), { recursive: true })
    expect(git('rev-parse', (await on('was')).id)).toBe(git('rev-parse', 'was'))
  })

  it('is pushed to the remote with all that it lacks', async () => {
    sandbox.git('.', 'clone', '-q', '--bare', 'site', 'origin.git')
    git('remote', 'add', 'origin', '../origin.git')
    git('fetch', '-q', 'origin')
    sandbox.commit('site', { 'b/one.yaml': '1\n', 'run.sh': null })
    const onto = sandbox.commit('site', { 'b/two.yaml': '2\n', 'c.yaml': 'a\n' })
    const facts = await on('bump/a', { onto, push: true })
    const origin = (...args: string[]) => sandbox.git('origin.git', ...args)
    expect(origin('rev-parse', 'bump/a', 'main').split('\n')).toEqual([facts.id, tip])
    expect(origin('fsck', '--strict', '--connectivity-only')).not.toMatch(/error|missing/)
    expect(git('rev-parse', 'refs/remotes/origin/bump/a')).toBe(facts.id)
    const again = await on('main', { onto, push: true, content: 'a3\n' })
    expect(origin('rev-parse', 'main')).toBe(again.id)
    expect(git('status', '--porcelain')).toBe('')
  })

  it('stays in the folder where it cannot be pushed, and the words say so', async () => {
    await expect(on('main', { push: true })).rejects.toMatchObject({
      kind: 'refused',
      message: 'this folder has no remote origin to push to',
    })
    expect(git('rev-parse', 'main')).toBe(tip)
    sandbox.git('.', 'clone', '-q', 'site', 'theirs')
    sandbox.git('theirs', 'switch', '-q', '-c', 'elsewhere')
    git('remote', 'add', 'origin', sandbox.path('theirs'))
    sandbox.git('theirs', 'switch', '-q', 'main')
    sandbox.commit('theirs', { 'd.yaml': 'd\n' })
    sandbox.git('theirs', 'switch', '-q', 'elsewhere')
    await expect(on('main', { push: true })).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringMatching(
        /is on main in this folder, and could not be pushed to origin: main of origin has/,
      ),
      remedy: expect.stringMatching(/git pull origin main; then git push origin main$/),
    })
    expect(git('show', 'main:a.yaml')).toBe('a2')
  })

  it('is refused by the hooks of a remote that is a folder', async () => {
    sandbox.git('.', 'clone', '-q', '--bare', 'site', 'origin.git')
    git('remote', 'add', 'origin', sandbox.path('origin.git'))
    mkdirSync(sandbox.path('origin.git', 'hooks'), { recursive: true })
    writeFileSync(sandbox.path('origin.git', 'hooks', 'pre-receive'), '#!/bin/sh\necho no >&2\nexit 1\n', {
      mode: 0o755,
    })
    await expect(on('bump', { push: true })).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringMatching(/pre-receive hook declined; no/),
    })
  })
})
