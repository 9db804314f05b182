// Repositories that are made to be too large, and what happens to the process that reads them.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { startGitServer } from '../../../src/demo/git-server.ts'
import { openRepository } from '../../../src/repository/open.ts'
import { makeRepository, openSandbox, type Sandbox } from '../../unit/repository/git-sandbox.ts'

let sandbox: Sandbox
beforeEach(() => {
  sandbox = openSandbox()
  makeRepository(sandbox, 'repo')
  sandbox.commit('repo', { 'deployment.yaml': 'name: one\n' })
})
afterEach(() => sandbox.remove())

/** A gigabyte of zeros, straight into a pack. */
function commitGigabyte(): void {
  execFileSync('sh', ['-c', 'truncate -s 1G zeros && git -c core.bigFileThreshold=1m add zeros'], {
    cwd: sandbox.path('repo'),
  })
  sandbox.git('repo', 'commit', '-qm', 'large')
}

it('a gigabyte of zeros in a folder is known by its size and never read', async () => {
  commitGigabyte()
  const repository = await openRepository({
    repo: sandbox.path('repo'),
    cache: sandbox.path('cache'),
    limits: { memoryBytes: 200 * 1024 ** 2 },
  })
  const { commit } = await repository.refresh()
  const { entries } = await repository.snapshot(commit.id)
  expect(entries.get('zeros')).toMatchObject({ size: 1024 ** 3, content: null })
  expect(entries.get('deployment.yaml')?.content?.length).toBe(10)
  await repository.close()
}, 120_000)

it('a gigabyte of zeros on a server ends the child, not this process, and the clone that is there goes on', async () => {
  const server = await startGitServer({ folder: sandbox.folder })
  const repository = await openRepository({ repo: `${server.url}/repo/.git`, cache: sandbox.path('cache') })
  const before = await repository.refresh()
  commitGigabyte()
  const own = residentBytes()
  await expect(repository.refresh()).rejects.toMatchObject({
    kind: 'too-large',
    message: expect.stringContaining('1 GB of memory'),
  })
  expect(residentBytes() - own).toBeLessThan(200 * 1024 ** 2)
  expect((await repository.snapshot(before.commit.id)).entries.size).toBe(1)
  await repository.close()
  await server.stop()
}, 120_000)

function residentBytes(): number {
  return Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[1]) * 4096
}
