// The way to a Git server: credentials, redirects, private authorities and proxies.

import { randomBytes } from 'node:crypto'
import { symlinkSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeCertificate } from './front-server.ts'
import { expectRecovery, type Served, serveRepository } from './served-repository.ts'

const FILES = { 'deployment.yaml': 'name: one\n', noise: randomBytes(200_000) }
const ACCOUNT = { username: 'ada', password: 'right' }
let served: Served

beforeEach(async () => {
  served = await serveRepository(FILES)
})
afterEach(() => served.end())

describe('credentials', () => {
  beforeEach(async () => {
    await served.end()
    served = await serveRepository(FILES, ACCOUNT)
  })

  it('are asked for, refused when wrong, and read anew from their file', async () => {
    const file = served.sandbox.path('password')
    writeFileSync(file, 'wrong\n')
    await expect((await served.open()).refresh()).rejects.toMatchObject({
      kind: 'auth',
      message: expect.stringContaining('asks for credentials'),
    })
    const repository = await served.open({ auth: { username: 'ada', passwordFile: file } })
    await expect(repository.refresh()).rejects.toMatchObject({
      kind: 'auth',
      message: expect.stringContaining('refuses the credentials'),
    })
    writeFileSync(file, 'right\n')
    await expectRecovery(served, repository)
    await expectRecovery(
      served,
      await served.open({ repo: `${served.server.url.replace('//', '//ada:right@')}/served.git` }),
    )
  })

  it('go through a redirect to the same origin', async () => {
    const { port } = await served.front({
      behind: served.server.url,
      redirect: ({ url }) =>
        url?.startsWith('/old') === true ? { status: 301, location: url.replace('/old', '/served') } : null,
    })
    const repository = await served.open({ repo: `http://127.0.0.1:${port}/old.git`, auth: ACCOUNT })
    await expectRecovery(served, repository)
    served.push({ next: '1' })
    await expectRecovery(served, repository)
  })

  it('never go to another origin', async () => {
    const other = await served.front({ behind: served.server.url })
    const { port } = await served.front({
      redirect: ({ url }) => ({ status: 302, location: `http://127.0.0.1:${other.port}${url}` }),
    })
    const repository = await served.open({ repo: `http://127.0.0.1:${port}/served.git`, auth: ACCOUNT })
    await expect(repository.refresh()).rejects.toMatchObject({
      kind: 'auth',
      message: expect.stringContaining('does not send the credentials'),
    })
    expect(other.seen).toEqual([])
  })
})

describe('a redirect', () => {
  it.each([301, 302, 307, 308])('by HTTP %i of the POST alone is followed, with its body', async (status) => {
    symlinkSync('served.git', served.sandbox.path('moved.git'))
    const { port, seen } = await served.front({
      behind: served.server.url,
      redirect: ({ method, url }) =>
        method === 'POST' && url?.startsWith('/served.git/') === true
          ? { status, location: url.replace('/served', '/moved') }
          : null,
    })
    const repository = await served.open({ repo: `http://127.0.0.1:${port}/served.git` })
    await expectRecovery(served, repository)
    expect(seen.filter(({ line }) => line.startsWith('POST')).length).toBeGreaterThan(1)
  })

  it('to another origin is followed where there are no credentials', async () => {
    const { port, seen } = await served.front({
      redirect: ({ url }) => ({ status: 301, location: `${served.server.url}${url}` }),
    })
    await expectRecovery(served, await served.open({ repo: `http://127.0.0.1:${port}/served.git` }))
    expect(seen.every(({ line }) => line.startsWith('GET'))).toBe(true)
  })

  it('without an end is left', async () => {
    const { port } = await served.front({ redirect: ({ url }) => ({ status: 302, location: url ?? '/' }) })
    const repository = await served.open({ repo: `http://127.0.0.1:${port}/served.git` })
    await expect(repository.refresh()).rejects.toMatchObject({
      kind: 'server',
      message: expect.stringContaining('redirects too often'),
    })
  })
})

describe('the way to the server', () => {
  it('is encrypted by a private authority, which must be named', async () => {
    const { caFile, ...tls } = makeCertificate(served.sandbox.folder)
    const { port } = await served.front({ behind: served.server.url, tls })
    const repo = `https://127.0.0.1:${port}/served.git`
    await expect((await served.open({ repo })).refresh()).rejects.toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('certificate'),
    })
    await expectRecovery(served, await served.open({ repo, caFile }))
    await expect((await served.open({ repo, caFile: '/nowhere.pem' })).refresh()).rejects.toMatchObject({
      kind: 'unreachable',
    })
  })

  it('goes through a proxy, for http and https, but not for what NO_PROXY names', async () => {
    const proxy = await served.front({})
    const HTTP_PROXY = `http://127.0.0.1:${proxy.port}`
    const { caFile, ...tls } = makeCertificate(served.sandbox.folder)
    const secure = await served.front({ behind: served.server.url, tls })
    await expectRecovery(served, await served.open({ env: { HTTP_PROXY } }))
    const plain = proxy.seen.length
    expect(plain).toBeGreaterThan(0)
    await expectRecovery(
      served,
      await served.open({
        repo: `https://127.0.0.1:${secure.port}/served.git`,
        caFile,
        env: { https_proxy: HTTP_PROXY },
      }),
    )
    expect(proxy.seen.length).toBeGreaterThan(plain)
    expect(proxy.seen.at(-1)?.line).toBe(`CONNECT 127.0.0.1:${secure.port}`)
    const before = proxy.seen.length
    await expectRecovery(served, await served.open({ env: { HTTP_PROXY, NO_PROXY: '127.0.0.1' } }))
    expect(proxy.seen.length).toBe(before)
  })
})
