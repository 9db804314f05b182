// Commits that graft makes in a person's own repository, as native Git sees them afterwards.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { takeCommit } from '../../../src/repository/commit-files.ts'
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
  const wish = { onto: more.onto ?? tip, changes, message: 'Stop a\n\nbecause', author: ANN }
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
      { onto: tip, changes: [text('a.yaml', 'a2\n')], message: 'x', author: ANN },
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
      const wish = { onto: tip, changes: [text('a.yaml', 'a2\n')], message: 'x', author: null }
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
