// Which folders are taken for repositories, and which are refused with what to do.

import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findLocalFolder, readSettings } from '../../../src/repository/local-folder.ts'
import { makeRepository, openSandbox, type Sandbox } from './git-sandbox.ts'

let sandbox: Sandbox
beforeAll(() => {
  sandbox = openSandbox()
  makeRepository(sandbox, 'repo')
  sandbox.commit('repo', { 'deep/er/file': 'x' })
})
afterAll(() => sandbox.remove())

describe('a folder', () => {
  it('belongs to the repository around it', async () => {
    const expected = { gitdir: sandbox.path('repo/.git'), worktree: sandbox.path('repo') }
    expect(await findLocalFolder(sandbox.path('repo'))).toEqual(expected)
    expect(await findLocalFolder(sandbox.path('repo/deep/er'))).toEqual(expected)
    expect(await findLocalFolder(sandbox.path('repo/.git'))).toEqual(expected)
  })

  it('may be a bare repository', async () => {
    sandbox.git('', 'clone', '-q', '--bare', 'repo', 'bare.git')
    expect(await findLocalFolder(sandbox.path('bare.git'))).toEqual({
      gitdir: sandbox.path('bare.git'),
      worktree: null,
    })
  })

  it('may be a submodule', async () => {
    sandbox.git('', 'init', '-q', '-b', 'main', 'outer')
    sandbox.git(
      'outer',
      '-c',
      'protocol.file.allow=always',
      'submodule',
      '--quiet',
      'add',
      sandbox.path('bare.git'),
      'inner',
    )
    expect(await findLocalFolder(sandbox.path('outer/inner'))).toEqual({
      gitdir: sandbox.path('outer/.git/modules/inner'),
      worktree: sandbox.path('outer/inner'),
    })
  })

  it('that does not exist, or is in no repository, is not found', async () => {
    await expect(findLocalFolder(sandbox.path('nowhere'))).rejects.toMatchObject({ kind: 'not-found' })
    mkdirSync(sandbox.path('plain'))
    await expect(findLocalFolder(sandbox.path('plain'))).rejects.toMatchObject({
      kind: 'not-found',
      message: expect.stringContaining('is not in a Git repository'),
    })
  })
})

describe('what cannot be read directly', () => {
  const refusal = (where: string): Promise<unknown> =>
    findLocalFolder(sandbox.path(where)).catch((error: unknown) => error)

  it('is a linked work tree, which names the main one', async () => {
    sandbox.git('repo', 'worktree', 'add', '-q', '--detach', sandbox.path('linked'))
    expect(await refusal('linked')).toMatchObject({
      kind: 'unsupported',
      remedy: expect.stringContaining(sandbox.path('repo')),
    })
  })

  it('is a clone that borrows objects', async () => {
    sandbox.git('', 'clone', '-q', '--shared', 'repo', 'shared')
    expect(await refusal('shared')).toMatchObject({ kind: 'unsupported', message: expect.stringContaining('borrows') })
  })

  it('is a partial clone', async () => {
    sandbox.git('repo', 'config', 'uploadpack.allowFilter', 'true')
    sandbox.git('', 'clone', '-q', '--bare', '--filter=blob:none', `file://${sandbox.path('repo')}`, 'partial')
    expect(await refusal('partial')).toMatchObject({ kind: 'unsupported', message: expect.stringContaining('partial') })
  })

  it('is a SHA-256 repository', async () => {
    sandbox.git('', 'init', '-q', '--object-format=sha256', 'long')
    expect(await refusal('long')).toMatchObject({ kind: 'unsupported', message: expect.stringContaining('sha256') })
  })

  it('is one that keeps its refs as reftable', async () => {
    sandbox.git('', 'init', '-q', 'tables')
    appendFileSync(sandbox.path('tables/.git/config'), '[extensions]\n\trefStorage = reftable\n')
    expect(await refusal('tables')).toMatchObject({ kind: 'unsupported', message: expect.stringContaining('reftable') })
  })

  it('is not an ordinary clone with a remote', async () => {
    sandbox.git('', 'clone', '-q', 'repo', 'ordinary')
    writeFileSync(sandbox.path('ordinary/.git/objects/info/alternates'), '\n')
    expect(await refusal('ordinary')).toMatchObject({ worktree: sandbox.path('ordinary') })
  })
})

it('settings are read with their sections', () => {
  const text = '[core]\n\tbare = false\n[remote "a.b"]\n\tpromisor\n; note\n[Extensions]\nObjectFormat="sha256"\n'
  expect([...readSettings(text)]).toEqual([
    ['core.bare', 'false'],
    ['remote.a.b.promisor', 'true'],
    ['extensions.objectformat', 'sha256'],
  ])
})
