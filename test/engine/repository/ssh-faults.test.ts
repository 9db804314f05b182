// What can go wrong on the way to a repository behind SSH, in words that say what to do.

import { chmodSync, copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { SERVED, serveOverSsh, type SshServed, wishFor } from './ssh-repository.ts'
import { makeKey, type SshServer, startSshServer } from './ssh-server.ts'

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

describe('what can go wrong on the way to a repository behind SSH', () => {
  it('an unknown host', async () => {
    const none = served.sandbox.path('none')
    writeFileSync(none, '')
    const repository = await served.open({ knownHostsFile: none })
    await expect(repository.refresh()).rejects.toMatchObject({
      kind: 'auth',
      message: expect.stringContaining(`the host key of 127.0.0.1:${server.port} is not known`),
      remedy: expect.stringContaining(`ssh-keyscan -p ${server.port} 127.0.0.1`),
    })
  })

  it('a host with another key', async () => {
    const renewed = await startSshServer(mkdtempSync(join(keys, 'renewed-')))
    try {
      await renewed.renewHostKey()
      const repository = await served.open({}, renewed)
      await expect(repository.refresh()).rejects.toMatchObject({
        kind: 'auth',
        message: expect.stringMatching(/is another one than .* says \(now SHA256:.*\): the server was set up anew/),
      })
    } finally {
      await renewed.stop()
    }
  })

  it('a key that the server does not know', async () => {
    const other = served.sandbox.path('other')
    makeKey(other)
    const repository = await served.open({ sshKeyFile: other })
    await expect(repository.refresh()).rejects.toMatchObject({
      kind: 'auth',
      message: `127.0.0.1:${server.port} does not take the key ${other} for ${server.user}`,
    })
  })

  it('a key that others may read, one that is no key, and one that is not there', async () => {
    const odd = served.sandbox.path('odd')
    copyFileSync(server.keyFile, odd)
    chmodSync(odd, 0o644)
    await expect((await served.open({ sshKeyFile: odd })).refresh()).rejects.toMatchObject({
      kind: 'auth',
      remedy: `chmod 600 ${odd}`,
    })
    writeFileSync(odd, 'nothing\n')
    chmodSync(odd, 0o600)
    await expect((await served.open({ sshKeyFile: odd })).refresh()).rejects.toMatchObject({
      kind: 'auth',
      message: expect.stringContaining(`ssh cannot read ${odd} as a private key`),
    })
    await expect((await served.open({ sshKeyFile: served.sandbox.path('gone') })).refresh()).rejects.toMatchObject({
      kind: 'auth',
      message: expect.stringContaining('cannot be read'),
    })
  })

  it('no such repository', async () => {
    const repository = await served.open({ repo: served.url({ path: served.sandbox.path('nowhere.git') }) })
    await expect(repository.refresh()).rejects.toMatchObject({
      kind: 'not-found',
      message: expect.stringMatching(/there is no repository at .*does not appear to be a git repository/),
    })
  })

  it('no such branch', async () => {
    const repository = await served.open({ ref: 'mian' })
    await expect(repository.refresh()).rejects.toMatchObject({
      kind: 'missing-ref',
      message: expect.stringContaining('its branches are: main'),
    })
  })

  it('a server that is not there, and a name that is none', async () => {
    const gone = await served.open({ repo: served.url({ server: { ...server, port: 1 } }) })
    await expect(gone.refresh()).rejects.toMatchObject({
      kind: 'unreachable',
      message: '127.0.0.1:1 cannot be reached: connection refused',
    })
    const nameless = await served.open({
      repo: 'git@no-such-host.invalid:site.git',
      cache: served.sandbox.path('cache-2'),
    })
    await expect(nameless.refresh()).rejects.toMatchObject({
      kind: 'unreachable',
      message: 'no-such-host.invalid cannot be reached: its name does not resolve',
    })
  })

  it('a server that takes the connection and says nothing', async () => {
    const silent = await listenSilently()
    try {
      const repository = await served.open({
        repo: served.url({ server: { ...server, port: silent.port } }),
        limits: { idleMs: 2000 },
      })
      await expect(repository.refresh()).rejects.toMatchObject({
        kind: 'timeout',
        message: `127.0.0.1:${silent.port} does not answer`,
      })
    } finally {
      silent.server.close()
    }
  })

  it('a server that hangs in the middle, and a caller who no longer waits', async () => {
    const hanging = await startSshServer(mkdtempSync(join(keys, 'hanging-')), ['ForceCommand cat >/dev/null'])
    try {
      const repository = await served.open({ limits: { idleMs: 2000 } }, hanging)
      await expect(repository.refresh()).rejects.toMatchObject({ kind: 'timeout' })
      const patient = await served.open({ cache: served.sandbox.path('cache-2') }, hanging)
      const started = performance.now()
      await expect(patient.refresh(AbortSignal.timeout(1500))).rejects.toMatchObject({ name: 'TimeoutError' })
      expect(performance.now() - started).toBeLessThan(5000)
      // What was started for them is gone, too.
      await expect.poll(() => clientsOf(hanging.port), { timeout: 10_000 }).toEqual([])
    } finally {
      await hanging.stop()
    }
  })

  it('a server that breaks off in the middle of an answer', async () => {
    const cut = await startSshServer(mkdtempSync(join(keys, 'cut-')), [
      'ForceCommand eval "$SSH_ORIGINAL_COMMAND" | dd bs=1 count=700 2>/dev/null; exit 3',
    ])
    try {
      const repository = await served.open({}, cut)
      await expect(repository.refresh()).rejects.toMatchObject({ kind: 'server' })
    } finally {
      await cut.stop()
    }
  })

  it('a shell that greets', async () => {
    const greeting = await startSshServer(mkdtempSync(join(keys, 'greeting-')), ['ForceCommand echo Welcome aboard'])
    try {
      const repository = await served.open({}, greeting)
      await expect(repository.refresh()).rejects.toMatchObject({
        kind: 'server',
        message: expect.stringContaining('it says “Welcome aboard”'),
      })
    } finally {
      await greeting.stop()
    }
  })

  it('a key that may only read', async () => {
    const readOnly = await startSshServer(mkdtempSync(join(keys, 'read-only-')), [
      `ForceCommand case "$SSH_ORIGINAL_COMMAND" in git-upload-pack*) eval "$SSH_ORIGINAL_COMMAND";; *) echo "ERROR: The key you are authenticating with has been marked as read only." >&2; exit 1;; esac`,
    ])
    try {
      const repository = await served.open({}, readOnly)
      const { commit: tip } = await repository.refresh()
      await expect(repository.commitFiles(wishFor(tip.id, 'x: 2\n'))).rejects.toMatchObject({
        kind: 'refused',
        message: expect.stringContaining('marked as read only'),
      })
      expect(served.sandbox.git(SERVED, 'rev-parse', 'main')).toBe(tip.id)
    } finally {
      await readOnly.stop()
    }
  })

  it('no ssh on this machine', async () => {
    const path = process.env['PATH']
    try {
      process.env['PATH'] = served.sandbox.path('nowhere')
      const repository = await served.open()
      await expect(repository.refresh()).rejects.toMatchObject({
        kind: 'unsupported',
        remedy: expect.stringContaining('openssh-client'),
      })
    } finally {
      process.env['PATH'] = path
    }
  })

  it('an answer that is larger than the limit', async () => {
    served.push({ 'site/large.txt': `${'0123456789abcdef'.repeat(2)}\n`.repeat(10).concat(String(Math.random())) })
    for (let number = 0; number < 30; number++) served.push({ 'site/large.txt': `${Math.random()}`.repeat(500) })
    const repository = await served.open({ limits: { responseBytes: 3000 } })
    await expect(repository.refresh()).rejects.toMatchObject({ kind: 'too-large' })
  })
})

/** Programs of this machine that were told this port. */
function clientsOf(port: number): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0')
      return words[0]?.endsWith('ssh') === true && words.includes(String(port))
    } catch {
      return false
    }
  })
}

async function listenSilently(): Promise<{ server: Server; port: number }> {
  const silent = createServer(() => undefined)
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const address = silent.address()
  return { server: silent, port: typeof address === 'object' && address !== null ? address.port : 0 }
}
