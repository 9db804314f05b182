// Git's own client clones from and pushes to the server, and each way to misbehave is seen by it.

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startGitServer } from '../../../src/demo/git-server.ts'
import type { GitServer, Interference } from '../../../src/demo/git-server.ts'

const account = { username: 'ann', password: 'se:cret' }
let folder: string
let server: GitServer
let interference: Interference

async function git(...args: readonly string[]): Promise<string> {
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'Ann',
    GIT_AUTHOR_EMAIL: 'ann@example.org',
    GIT_COMMITTER_NAME: 'Ann',
    GIT_COMMITTER_EMAIL: 'ann@example.org',
    LC_ALL: 'C',
  }
  const { stdout } = await promisify(execFile)('git', [...args], { cwd: folder, env, timeout: 20_000 })
  return stdout.trim()
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'graft-git-server-'))
  interference = null
  server = await startGitServer({ folder, account, interfere: () => interference })
  await git('init', '--quiet', '--bare', '--initial-branch=main', 'one.git')
})
afterEach(async () => {
  await server.stop()
  await rm(folder, { recursive: true })
})

/** The repository's address with the account in it. */
function address(password = account.password): string {
  const url = new URL(`${server.url}/one.git`)
  url.username = account.username
  url.password = password
  return url.href
}

async function pushFirst(): Promise<void> {
  await git('clone', '--quiet', address(), 'work')
  await writeFile(
    join(folder, 'work', 'file'),
    `${'line\n'.repeat(1000)}${Array.from({ length: 3000 }, Math.random).join('\n')}`,
  )
  await git('-C', 'work', 'add', '.')
  await git('-C', 'work', 'commit', '--quiet', '-m', 'first')
  await git('-C', 'work', 'push', '--quiet', 'origin', 'HEAD:main')
}

test('what was pushed is cloned', async () => {
  await pushFirst()
  await git('clone', '--quiet', address(), 'again')
  expect(await git('-C', 'again', 'rev-parse', 'HEAD')).toBe(await git('-C', 'work', 'rev-parse', 'HEAD'))
  expect(await readFile(join(folder, 'again', 'file'))).toEqual(await readFile(join(folder, 'work', 'file')))
  expect(server.requests()).toBeGreaterThan(4)
})

test('a wrong password and an unknown repository are refused', async () => {
  await expect(git('ls-remote', address('wrong'))).rejects.toThrow(/Authentication failed/)
  await expect(git('ls-remote', address().replace('one.git', 'two.git'))).rejects.toThrow(/not found/)
})

test('a status is answered instead', async () => {
  interference = { status: 503 }
  await expect(git('ls-remote', address())).rejects.toThrow(/503/)
})

test('a connection is cut in the middle of the pack', async () => {
  await pushFirst()
  interference = { cutAfterBytes: 2000 }
  await expect(git('clone', '--quiet', address(), 'cut')).rejects.toThrow(/RPC failed|early EOF|disconnect/)
})

test('a hung request ends when the server does', async () => {
  interference = 'hang'
  const listing = git('ls-remote', address())
  await expect.poll(() => server.requests()).toBe(1)
  await expect(Promise.race([listing, new Promise((done) => setTimeout(done, 300, 'waits'))])).resolves.toBe('waits')
  await Promise.all([server.stop(), expect(listing).rejects.toThrow(/empty reply|reset|closed|unexpected/i)])
})
