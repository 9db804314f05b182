// Git servers that fail: each gives one clear fault, changes nothing, and the next call recovers by itself.

import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { expectRecovery, type Served, serveRepository } from './served-repository.ts'

const FILES = { 'deployment.yaml': 'name: one\n', noise: randomBytes(200_000) }
let served: Served

beforeEach(async () => {
  served = await serveRepository(FILES)
})
afterEach(() => served.end())

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
    const repository = await served.open()
    served.interfere(() => ({ status }))
    const fault: unknown = await repository.refresh().catch((error: unknown) => error)
    expect(fault).toMatchObject({ name: 'RepositoryFault', kind, remedy: expect.stringMatching(/^[A-Z].{10}/) })
    await expectRecovery(served, repository)
  })

  it('HTTP 500 in the middle of a fetch changes nothing', async () => {
    const repository = await served.open()
    await repository.refresh()
    served.push({ next: '1' })
    let posts = 0
    served.interfere((line) => (line.startsWith('POST') && ++posts > 1 ? { status: 500 } : null))
    await expect(repository.refresh()).rejects.toMatchObject({ kind: 'server' })
    await expectRecovery(served, repository)
  })
})

describe('a server that', () => {
  it('hangs is left after the idle time', async () => {
    const repository = await served.open({ limits: { idleMs: 400 } })
    served.interfere(() => 'hang')
    const start = performance.now()
    await expect(repository.refresh()).rejects.toMatchObject({ kind: 'timeout' })
    expect(performance.now() - start).toBeLessThan(10_000)
    served.interfere((line) => (line.startsWith('POST') ? 'hang' : null))
    await expect(repository.refresh()).rejects.toMatchObject({ kind: 'timeout' })
    await expectRecovery(served, repository)
  })

  it('never ends is left after the time of the whole operation', async () => {
    const repository = await served.open({ limits: { operationMs: 1500 } })
    served.interfere(() => 'hang')
    await expect(repository.refresh()).rejects.toMatchObject({
      kind: 'timeout',
      message: expect.stringContaining('within 2 s'),
    })
    served.interfere(() => null)
    await expect
      .poll(async () => (await repository.refresh().catch(() => null))?.ref, { timeout: 20_000 })
      .toBe('refs/heads/main')
  })

  it('hangs does not keep a caller who no longer waits', async () => {
    const repository = await served.open()
    served.interfere(() => 'hang')
    const reason = new Error('stop')
    const controller = new AbortController()
    setTimeout(() => controller.abort(reason), 600)
    await expect(repository.refresh(controller.signal)).rejects.toBe(reason)
    await expect(repository.refresh(AbortSignal.abort(reason))).rejects.toBe(reason)
    await expectRecovery(served, repository)
  })

  it('is not there is unreachable', async () => {
    const repository = await served.open({ repo: 'http://127.0.0.1:9/served.git' })
    await expect(repository.refresh()).rejects.toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('127.0.0.1:9'),
    })
    const nowhere = await served.open({ repo: 'http://nowhere.invalid/served.git' })
    await expect(nowhere.refresh()).rejects.toMatchObject({ kind: 'unreachable' })
  })

  it('is no Git server is told so', async () => {
    const other = createServer((_, response) =>
      response.setHeader('content-type', 'text/html').end('<!doctype html><p>Hello'),
    )
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', () => resolve()))
    served.atEnd(async () => void other.close().closeAllConnections())
    const repository = await served.open({ repo: `http://127.0.0.1:${(other.address() as AddressInfo).port}/x` })
    await expect(repository.refresh()).rejects.toMatchObject({
      kind: 'not-found',
      message: expect.stringContaining('not as a Git server'),
    })
  })

  it('sends more than the limit is too large', async () => {
    const repository = await served.open({ limits: { responseBytes: 100_000 } })
    await expect(repository.refresh()).rejects.toMatchObject({ kind: 'too-large' })
    await expectRecovery(served, await served.open())
  })
})
