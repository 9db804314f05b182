// Git servers that fail: each gives one clear fault, changes nothing, and the next call recovers by itself.

import { readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type GitServer, type Interference, startGitServer } from '../../../src/demo/git-server.ts'
import { openRepository, type RepositoryOptions } from '../../../src/repository/open.ts'
import type { Repository } from '../../../src/repository/repository.ts'
import { makeRepository, openSandbox, type Sandbox } from '../../unit/repository/git-sandbox.ts'
import { type FrontServer, makeCertificate, startFrontServer } from './front-server.ts'

const ACCOUNT = { username: 'ada', password: 'right' }
let sandbox: Sandbox
let server: GitServer
let interference: (line: string) => Interference
let ends: (() => Promise<void>)[]

beforeEach(async () => {
  sandbox = openSandbox()
  makeRepository(sandbox, 'work')
  sandbox.commit('work', { 'deployment.yaml': 'name: one\n', noise: randomBytes(200_000) })
  sandbox.git('', 'clone', '-q', '--bare', 'work', 'served.git')
  interference = () => null
  server = await startGitServer({
    folder: sandbox.folder,
    interfere: ({ method, url }) => interference(`${method} ${url}`),
  })
  ends = [() => server.stop()]
})
afterEach(async () => {
  for (const end of ends.toReversed()) await end()
  sandbox.remove()
})

async function open(options: Partial<RepositoryOptions> = {}): Promise<Repository> {
  const repository = await openRepository({
    repo: `${server.url}/served.git`,
    cache: sandbox.path('cache'),
    ...options,
  })
  ends.push(() => repository.close())
  return repository
}

function push(files: Readonly<Record<string, string>>): string {
  const id = sandbox.commit('work', files)
  sandbox.git('work', 'push', '-qf', sandbox.path('served.git'), 'main')
  return id
}

async function front(options: Parameters<typeof startFrontServer>[0]): Promise<FrontServer> {
  const started = await startFrontServer(options)
  ends.push(() => started.close())
  return started
}

/** The next refresh works, and the whole folder can be read. */
async function expectRecovery(repository: Repository): Promise<void> {
  interference = () => null
  const { commit } = await repository.refresh()
  expect(commit.id).toBe(sandbox.git('work', 'rev-parse', 'HEAD'))
  expect((await repository.snapshot(commit.id)).entries.size).toBeGreaterThan(1)
}

describe('a server that answers with', () => {
  it.each([
    [500, 'server'],
    [502, 'server'],
    [503, 'server'],
    [429, 'server'],
    [401, 'auth'],
    [403, 'auth'],
    [404, 'not-found'],
    [200, 'not-found'],
  ])('HTTP %i gives the fault %s', async (status, kind) => {
    const repository = await open()
    interference = () => ({ status })
    const fault: unknown = await repository.refresh().catch((error: unknown) => error)
    expect(fault).toMatchObject({ name: 'RepositoryFault', kind, remedy: expect.stringMatching(/^[A-Z].{10}/) })
    await expectRecovery(repository)
  })

  it('HTTP 500 in the middle of a fetch changes nothing', async () => {
    const repository = await open()
    await repository.refresh()
    push({ next: '1' })
    let posts = 0
    interference = (line) => (line.startsWith('POST') && ++posts > 1 ? { status: 500 } : null)
    await expect(repository.refresh()).rejects.toMatchObject({ kind: 'server' })
    await expectRecovery(repository)
  })
})

describe('a server that', () => {
  it('hangs is left after the idle time', async () => {
    const repository = await open({ limits: { idleMs: 400 } })
    interference = () => 'hang'
    const start = performance.now()
    await expect(repository.refresh()).rejects.toMatchObject({ kind: 'timeout' })
    expect(performance.now() - start).toBeLessThan(10_000)
    interference = (line) => (line.startsWith('POST') ? 'hang' : null)
    await expect(repository.refresh()).rejects.toMatchObject({ kind: 'timeout' })
    await expectRecovery(repository)
  })

  it('never ends is left after the time of the whole operation', async () => {
    const repository = await open({ limits: { operationMs: 1500 } })
    interference = () => 'hang'
    await expect(repository.refresh()).rejects.toMatchObject({
      kind: 'timeout',
      message: expect.stringContaining('within 2 s'),
    })
    interference = () => null
    await expect
      .poll(async () => (await repository.refresh().catch(() => null))?.ref, { timeout: 20_000 })
      .toBe('refs/heads/main')
  })

  it('hangs does not keep a caller who no longer waits', async () => {
    const repository = await open()
    interference = () => 'hang'
    const reason = new Error('stop')
    const controller = new AbortController()
    setTimeout(() => controller.abort(reason), 600)
    await expect(repository.refresh(controller.signal)).rejects.toBe(reason)
    await expect(repository.refresh(AbortSignal.abort(reason))).rejects.toBe(reason)
    await expectRecovery(repository)
  })

  it('is not there is unreachable', async () => {
    const repository = await open({ repo: 'http://127.0.0.1:9/served.git' })
    await expect(repository.refresh()).rejects.toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('127.0.0.1:9'),
    })
    const nowhere = await open({ repo: 'http://nowhere.invalid/served.git' })
    await expect(nowhere.refresh()).rejects.toMatchObject({ kind: 'unreachable' })
  })

  it('is no Git server is told so', async () => {
    const { port } = await front({ behind: server.url, rewrite: () => Buffer.from('<!doctype html><p>Hello') })
    const repository = await open({ repo: `http://127.0.0.1:${port}/served.git` })
    await expect(repository.refresh()).rejects.toMatchObject({
      kind: 'not-found',
      message: expect.stringContaining('not as a Git server'),
    })
  })

  it('sends more than the limit is too large', async () => {
    const repository = await open({ limits: { responseBytes: 100_000 } })
    await expect(repository.refresh()).rejects.toMatchObject({ kind: 'too-large' })
    await expectRecovery(await open())
  })
})

describe('an answer that is cut', () => {
  it.each([0, 1, 5, 8, 30, 500, 65_520, 100_000, 160_000])('after %i bytes changes nothing', async (bytes) => {
    const repository = await open()
    await repository.refresh()
    push({ noise: randomBytes(150_000).toString('hex') })
    let posts = 0
    interference = (line) => (line.startsWith('POST') && ++posts > 1 ? { cutAfterBytes: bytes } : null)
    await expect(repository.refresh()).rejects.toMatchObject({ kind: expect.stringMatching(/^(server|unreachable)$/) })
    await expectRecovery(repository)
    expect(readdirSync(sandbox.path('cache')).toSorted()).toEqual([expect.stringMatching(/^clone-/), 'state.json'])
  })

  it.each([0, 1, 2, 3, 4])('cleanly, after %i whole packets, changes nothing', async (count) => {
    let cutting = true
    const { port } = await front({
      behind: server.url,
      rewrite: ({ method }, body) =>
        cutting && method === 'POST' && body.includes('PACK') ? packets(body, count) : body,
    })
    const repository = await open({ repo: `http://127.0.0.1:${port}/served.git`, limits: { operationMs: 20_000 } })
    await expect(repository.refresh()).rejects.toMatchObject({ kind: 'server' })
    cutting = false
    await expectRecovery(repository)
    cutting = true
    push({ noise: randomBytes(150_000).toString('hex') })
    await expect(repository.refresh()).rejects.toMatchObject({ kind: 'server' })
    cutting = false
    await expectRecovery(repository)
  })

  it.each([0, 1, 2, 3])(
    'in the list of refs, cleanly, after %i whole packets, does not make a branch disappear',
    async (count) => {
      let cutting = true
      for (const name of ['b', 'c', 'd']) sandbox.git('served.git', 'branch', name)
      const { port } = await front({
        behind: server.url,
        rewrite: ({ method }, body) => (cutting && method === 'POST' ? packets(body, count) : body),
      })
      for (const ref of ['main', 'refs/heads/main']) {
        cutting = true
        const repository = await open({ repo: `http://127.0.0.1:${port}/served.git`, ref })
        // The list for one branch is one packet and the end.
        if (count < 2) await expect(repository.refresh()).rejects.toMatchObject({ kind: 'server' })
        cutting = false
        await expectRecovery(repository)
      }
      cutting = true
      const fixed = await open({
        repo: `http://127.0.0.1:${port}/served.git`,
        ref: '1'.repeat(40),
        cache: sandbox.path('other'),
      })
      await expect(fixed.refresh()).rejects.toMatchObject({ kind: 'server' })
    },
  )

  it.each(['an error on side band 3', 'an ERR packet'])('by %s changes nothing', async (what) => {
    let failing = true
    const message = what.includes('ERR')
      ? packet('ERR no more today\n')
      : Buffer.concat([packet('NAK\n'), packet('\u0003no more today\n'), Buffer.from('0000')])
    const { port } = await front({
      behind: server.url,
      rewrite: ({ method }, body) => (failing && method === 'POST' && body.includes('PACK') ? message : body),
    })
    const repository = await open({ repo: `http://127.0.0.1:${port}/served.git`, limits: { operationMs: 20_000 } })
    await expect(repository.refresh()).rejects.toMatchObject({ kind: 'server' })
    failing = false
    await expectRecovery(repository)
  })

  it('and one with a wrong byte changes nothing', async () => {
    let failing = true
    const { port } = await front({
      behind: server.url,
      rewrite: ({ method }, body) => {
        if (!failing || method !== 'POST' || !body.includes('PACK')) return body
        const wrong = Buffer.from(body)
        wrong[wrong.length - 5000] = (wrong[wrong.length - 5000] ?? 0) ^ 1
        return wrong
      },
    })
    const repository = await open({ repo: `http://127.0.0.1:${port}/served.git`, limits: { operationMs: 20_000 } })
    await expect(repository.refresh()).rejects.toMatchObject({ kind: 'server' })
    failing = false
    await expectRecovery(repository)
  })
})

describe('credentials', () => {
  beforeEach(async () => {
    await server.stop()
    server = await startGitServer({ folder: sandbox.folder, account: ACCOUNT })
  })

  it('are asked for, refused when wrong, and read anew from their file', async () => {
    const file = sandbox.path('password')
    writeFileSync(file, 'wrong\n')
    await expect((await open()).refresh()).rejects.toMatchObject({
      kind: 'auth',
      message: expect.stringContaining('asks for credentials'),
    })
    const repository = await open({ auth: { username: 'ada', passwordFile: file } })
    await expect(repository.refresh()).rejects.toMatchObject({
      kind: 'auth',
      message: expect.stringContaining('refuses the credentials'),
    })
    writeFileSync(file, 'right\n')
    await expectRecovery(repository)
    await expectRecovery(await open({ repo: `${server.url.replace('//', '//ada:right@')}/served.git` }))
  })

  it('go through a redirect to the same origin', async () => {
    const { port } = await front({
      behind: server.url,
      redirect: ({ url }) =>
        url?.startsWith('/old') === true ? { status: 301, location: url.replace('/old', '/served') } : null,
    })
    const repository = await open({ repo: `http://127.0.0.1:${port}/old.git`, auth: ACCOUNT })
    await expectRecovery(repository)
    push({ next: '1' })
    await expectRecovery(repository)
  })

  it('never go to another origin', async () => {
    const other = await front({ behind: server.url })
    const { port } = await front({
      redirect: ({ url }) => ({ status: 302, location: `http://127.0.0.1:${other.port}${url}` }),
    })
    const repository = await open({ repo: `http://127.0.0.1:${port}/served.git`, auth: ACCOUNT })
    await expect(repository.refresh()).rejects.toMatchObject({
      kind: 'auth',
      message: expect.stringContaining('does not send the credentials'),
    })
    expect(other.seen).toEqual([])
  })
})

describe('a redirect', () => {
  it.each([301, 302, 307, 308])('by HTTP %i of the POST alone is followed, with its body', async (status) => {
    symlinkSync('served.git', sandbox.path('moved.git'))
    const { port, seen } = await front({
      behind: server.url,
      redirect: ({ method, url }) =>
        method === 'POST' && url?.startsWith('/served.git/') === true
          ? { status, location: url.replace('/served', '/moved') }
          : null,
    })
    const repository = await open({ repo: `http://127.0.0.1:${port}/served.git` })
    await expectRecovery(repository)
    expect(seen.filter(({ line }) => line.startsWith('POST')).length).toBeGreaterThan(1)
  })

  it('to another origin is followed where there are no credentials', async () => {
    const { port, seen } = await front({ redirect: ({ url }) => ({ status: 301, location: `${server.url}${url}` }) })
    await expectRecovery(await open({ repo: `http://127.0.0.1:${port}/served.git` }))
    expect(seen.every(({ line }) => line.startsWith('GET'))).toBe(true)
  })

  it('without an end is left', async () => {
    const { port } = await front({ redirect: ({ url }) => ({ status: 302, location: url ?? '/' }) })
    const repository = await open({ repo: `http://127.0.0.1:${port}/served.git` })
    await expect(repository.refresh()).rejects.toMatchObject({
      kind: 'server',
      message: expect.stringContaining('redirects too often'),
    })
  })
})

describe('the way to the server', () => {
  it('is encrypted by a private authority, which must be named', async () => {
    const { caFile, ...tls } = makeCertificate(sandbox.folder)
    const { port } = await front({ behind: server.url, tls })
    const repo = `https://127.0.0.1:${port}/served.git`
    await expect((await open({ repo })).refresh()).rejects.toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('certificate'),
    })
    await expectRecovery(await open({ repo, caFile }))
    await expect((await open({ repo, caFile: '/nowhere.pem' })).refresh()).rejects.toMatchObject({
      kind: 'unreachable',
    })
  })

  it('goes through a proxy, for http and https, but not for what NO_PROXY names', async () => {
    const proxy = await front({})
    const HTTP_PROXY = `http://127.0.0.1:${proxy.port}`
    const { caFile, ...tls } = makeCertificate(sandbox.folder)
    const secure = await front({ behind: server.url, tls })
    await expectRecovery(await open({ env: { HTTP_PROXY } }))
    const plain = proxy.seen.length
    expect(plain).toBeGreaterThan(0)
    await expectRecovery(
      await open({ repo: `https://127.0.0.1:${secure.port}/served.git`, caFile, env: { https_proxy: HTTP_PROXY } }),
    )
    expect(proxy.seen.length).toBeGreaterThan(plain)
    expect(proxy.seen.at(-1)?.line).toBe(`CONNECT 127.0.0.1:${secure.port}`)
    const before = proxy.seen.length
    await expectRecovery(await open({ env: { HTTP_PROXY, NO_PROXY: '127.0.0.1' } }))
    expect(proxy.seen.length).toBe(before)
  })
})

function packet(text: string): Buffer {
  return Buffer.from((text.length + 4).toString(16).padStart(4, '0') + text, 'latin1')
}

/** The first packets of an answer, in Git's packet lines. */
function packets(body: Buffer, count: number): Buffer {
  let at = 0
  for (let number = 0; number < count && at < body.length; number++) {
    at += Math.max(4, Number.parseInt(body.toString('latin1', at, at + 4), 16))
  }
  return body.subarray(0, at)
}
