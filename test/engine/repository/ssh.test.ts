// Repositories behind a real OpenSSH server: cloned, fetched, pushed to.

import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openNotes } from '../../../src/repository/notes.ts'
import { openRepository } from '../../../src/repository/open.ts'
import { SERVED, serveOverSsh, type SshServed, wishFor } from './ssh-repository.ts'
import { type SshServer, startSshServer } from './ssh-server.ts'

let keys: string
let server: SshServer
let served: SshServed

beforeAll(async () => {
  keys = mkdtempSync(join(tmpdir(), 'graft-ssh-'))
  server = await startSshServer(keys, ['AcceptEnv GIT_PROTOCOL'])
})
afterAll(async () => {
  await server?.stop()
  rmSync(keys, { recursive: true, force: true })
})
beforeEach(() => {
  served = serveOverSsh(server)
})
afterEach(() => served.end())

describe('a repository behind SSH', () => {
  it('is cloned, and fetched from', async () => {
    const repository = await served.open()
    const { commit, ref } = await repository.refresh()
    expect(ref).toBe('refs/heads/main')
    expect([...(await repository.snapshot(commit.id)).entries.keys()]).toEqual(['a/set.yaml', 'deployment.yaml'])
    const next = served.push({ 'site/a/set.yaml': 'x: 2\n' })
    expect((await repository.refresh()).commit).toMatchObject({ id: next, parents: [commit.id] })
    expect((await repository.refresh()).commit.id).toBe(next)
    expect((await repository.resolve('main~1')).id).toBe(commit.id)
  })

  it('gives a part of its history, and then the rest', async () => {
    for (const number of [2, 3, 4, 5]) served.push({ 'site/a/set.yaml': `x: ${number}\n` })
    const repository = await served.open({ depth: 2 })
    const { commit } = await repository.refresh()
    expect((await repository.ancestors(commit.id)).commits).toHaveLength(2)
    expect(await repository.deepen()).toBe(true)
    expect((await repository.ancestors(commit.id)).commits).toHaveLength(5)
  })

  it('gives much data without getting stuck', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 400 }, (_, at) => [`site/${at}.txt`, `${at} ${Math.random()}\n`.repeat(200)]),
    )
    const id = served.push(files)
    const repository = await served.open()
    expect((await repository.refresh()).commit.id).toBe(id)
    expect((await repository.snapshot(id)).entries.size).toBe(402)
  })

  it('takes commits, to the branch and to new ones', async () => {
    const repository = await served.open()
    const { commit: tip } = await repository.refresh()
    const made = await repository.commitFiles(wishFor(tip.id, 'x: 2\n'))
    expect(served.sandbox.git(SERVED, 'rev-parse', 'main')).toBe(made.id)
    const beside = await repository.commitFiles(wishFor(tip.id, 'x: 3\n', 'bump/a'))
    expect(served.sandbox.git(SERVED, 'rev-parse', 'bump/a')).toBe(beside.id)
    expect(served.sandbox.git(SERVED, 'rev-parse', 'main')).toBe(made.id)
    expect(served.sandbox.git(SERVED, 'fsck', '--strict')).not.toMatch(/error|missing/)
    await expect(repository.commitFiles(wishFor(tip.id, 'x: 4\n', 'bump/a'))).rejects.toMatchObject({
      kind: 'refused',
      message: `the branch bump/a is there already, at commit ${beside.id.slice(0, 10)}`,
    })
    await expect(repository.commitFiles(wishFor(tip.id, 'x: 4\n'))).rejects.toMatchObject({ kind: 'moved' })
  })

  it('takes the branch of a folder, with much that it lacks', async () => {
    const { sandbox } = served
    sandbox.git('work', 'remote', 'set-url', 'origin', served.url())
    const noise = (): Buffer => randomBytes(50_000)
    sandbox.commit('work', Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`noise/${at}`, noise()])))
    const folder = await served.open({ repo: sandbox.path('work') })
    const { commit: tip } = await folder.refresh()
    const made = await folder.commitFiles({ ...wishFor(tip.id, 'x: 2\n', 'bump/a'), push: true })
    expect(sandbox.git(SERVED, 'rev-parse', 'bump/a', 'bump/a~1').split('\n')).toEqual([made.id, tip.id])
    expect(sandbox.git(SERVED, 'fsck', '--strict')).not.toMatch(/error|missing/)
    expect(sandbox.git('work', 'status', '--porcelain')).toBe('')
  })

  it('takes notes of several hosts', async () => {
    const { sandbox } = served
    const head = sandbox.git('work', 'rev-parse', 'HEAD')
    const hosts = ['alpha', 'beta']
    const all = await Promise.all(
      hosts.map((host) => {
        const keys = { sshKeyFile: server.keyFile, knownHostsFile: server.knownHostsFile }
        const options = { repo: served.url(), cache: sandbox.path(host, 'clone'), ...keys }
        return openNotes(options, sandbox.path(host, 'notes'), { name: host, email: `graft@${host}` })
      }),
    )
    try {
      await Promise.all(
        all.map(async (notes, at) => {
          const name = `shop on ${hosts[at]}`
          const data = JSON.stringify({ host: hosts[at], deployment: 'shop', at: 1 })
          await notes.write([{ commit: head, entries: [{ name, at: 1, words: `${name}: deployed`, data }] }], 'told')
          await notes.push()
        }),
      )
    } finally {
      await Promise.all(all.map((notes) => notes.close()))
    }
    const shown = sandbox.git(SERVED, 'notes', '--ref=graft', 'show', head)
    for (const host of hosts) expect(shown).toContain(`shop on ${host}: deployed`)
  })

  it('says why it did not take a commit', async () => {
    const hook = served.sandbox.path(SERVED, 'hooks', 'update')
    mkdirSync(served.sandbox.path(SERVED, 'hooks'), { recursive: true })
    writeFileSync(hook, '#!/bin/sh\necho "only by review" >&2\nexit 1\n', { mode: 0o755 })
    const repository = await served.open()
    const { commit: tip } = await repository.refresh()
    await expect(repository.commitFiles(wishFor(tip.id, 'x: 2\n'))).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('hook declined; only by review'),
    })
  })

  it('is reached by the short form of its address, below the home of the user, as ssh is configured here', async () => {
    mkdirSync(served.sandbox.path('home'))
    served.sandbox.git('', 'clone', '-q', '--bare', 'work', 'home/site.git')
    const homes = await startSshServer(mkdtempSync(join(keys, 'homes-')), [
      `ForceCommand cd '${served.sandbox.path('home')}' && eval "$SSH_ORIGINAL_COMMAND"`,
    ])
    const path = process.env['PATH']
    try {
      mkdirSync(served.sandbox.path('bin'))
      const lines = ['Host box', 'HostName 127.0.0.1', `Port ${homes.port}`, 'StrictHostKeyChecking no']
      writeFileSync(served.sandbox.path('config'), lines.join('\n'))
      const ssh = execFileSync('sh', ['-c', 'command -v ssh'], { encoding: 'utf8' }).trim()
      const wrapper = `#!/bin/sh\nexec ${ssh} -F '${served.sandbox.path('config')}' "$@"\n`
      writeFileSync(served.sandbox.path('bin', 'ssh'), wrapper, { mode: 0o755 })
      process.env['PATH'] = `${served.sandbox.path('bin')}:${path}`
      const options = { repo: `${homes.user}@box:site.git`, sshKeyFile: homes.keyFile }
      const repository = await served.open({ ...options, knownHostsFile: homes.knownHostsFile })
      expect(repository.description).toBe(`${homes.user}@box:site.git#:site`)
      const { commit } = await repository.refresh()
      await repository.commitFiles(wishFor(commit.id, 'x: 2\n'))
      expect(served.sandbox.git('home/site.git', 'show', 'main:site/a/set.yaml')).toBe('x: 2')
      // The configuration does not turn the check of the host's key off.
      writeFileSync(served.sandbox.path('none'), '')
      const careless = await served.open({
        ...options,
        knownHostsFile: served.sandbox.path('none'),
        cache: served.sandbox.path('cache-2'),
      })
      await expect(careless.refresh()).rejects.toMatchObject({ kind: 'auth', message: expect.stringContaining('box') })
    } finally {
      process.env['PATH'] = path
      await homes.stop()
    }
  })

  it('is reached by a key that an agent holds', async () => {
    const { sandbox } = served
    const socket = sandbox.path('agent')
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
    const before = process.env['SSH_AUTH_SOCK']
    try {
      process.env['SSH_AUTH_SOCK'] = socket
      await expect.poll(() => existsSync(socket), { timeout: 10_000 }).toBe(true)
      const without = { repo: served.url(), path: 'site', knownHostsFile: server.knownHostsFile }
      const repository = await openRepository({ ...without, cache: sandbox.path('cache') })
      try {
        await expect(repository.refresh()).rejects.toMatchObject({
          kind: 'auth',
          remedy: expect.stringContaining('git_ssh_key_file'),
        })
        execFileSync('ssh-add', ['-q', server.keyFile], { stdio: 'pipe' })
        await expect(repository.refresh()).resolves.toMatchObject({ ref: 'refs/heads/main' })
      } finally {
        await repository.close()
      }
    } finally {
      agent.kill()
      if (before === undefined) delete process.env['SSH_AUTH_SOCK']
      else process.env['SSH_AUTH_SOCK'] = before
    }
  })

  it('is reached over IPv6', async () => {
    const repository = await served.open({ repo: served.url({ host: '[::1]' }) })
    await expect(repository.refresh()).resolves.toMatchObject({ ref: 'refs/heads/main' })
  })

  it('is read from a server that knows only the first protocol', async () => {
    const old = await startSshServer(mkdtempSync(join(keys, 'old-')))
    try {
      const repository = await served.open({}, old)
      await repository.refresh()
      const next = served.push({ 'site/a/set.yaml': 'x: 2\n' })
      expect((await repository.refresh()).commit.id).toBe(next)
    } finally {
      await old.stop()
    }
  })
})
