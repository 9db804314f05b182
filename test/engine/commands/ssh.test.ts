// The real program against a repository behind a real SSH server: its settings reach ssh, and what it commits arrives.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, it } from 'vitest'

import { SERVED, serveOverSsh, type SshServed } from '../repository/ssh-repository.ts'
import { type SshServer, startSshServer } from '../repository/ssh-server.ts'
import { graft } from './graft.ts'

let keys: string
let server: SshServer
let served: SshServed

beforeAll(async () => {
  keys = mkdtempSync(join(tmpdir(), 'graft-ssh-'))
  server = await startSshServer(keys, ['AcceptEnv GIT_PROTOCOL'])
  served = serveOverSsh(server)
  served.push({
    'site/deployment.yaml': 'name: site\nformat: 1\n',
    'site/a/set.yaml': null,
    'site/shop/set.yaml': 'description: a set\n',
    'site/shop/web.yaml': 'generation: 1\nimage: busybox:1\n',
  })
})
afterAll(async () => {
  await served?.end()
  await server?.stop()
  rmSync(keys, { recursive: true, force: true })
})

const run = (command: readonly string[], knownHosts = server.knownHostsFile) => {
  const place = ['--repo', served.url(), '--path', 'site', '--state', served.sandbox.path('state')]
  const keyed = ['--git-ssh-key-file', server.keyFile, '--git-known-hosts-file', knownHosts]
  return graft(served.sandbox.folder, [...command, ...place, ...keyed])
}

it('validates, and commits to the branch that is deployed', async () => {
  expect(await run(['validate'])).toMatchObject({ exitCode: 0 })
  const stopped = await run(['stop', 'shop', '--author', 'Ann <ann@example.org>'])
  expect(stopped).toMatchObject({ exitCode: 0, output: expect.stringContaining('Stop shop') })
  expect(served.sandbox.git(SERVED, 'log', '-1', '--format=%s %an', 'main')).toBe('Stop shop Ann')
  expect(served.sandbox.git(SERVED, 'show', 'main:site/shop/set.yaml')).toContain('state: stopped')
})

it('says that the host is not known, and what to do, without a trace', async () => {
  const refused = await run(['validate'], join(keys, 'authorized'))
  expect(refused.exitCode).not.toBe(0)
  expect(refused.output).toMatch(/the host key of 127\.0\.0\.1:\d+ is not known[^]*ssh-keyscan/)
  expect(refused.output).not.toMatch(/\n\s+at /)
})
