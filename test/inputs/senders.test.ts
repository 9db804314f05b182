// Whoever can reach the address of the webhooks, or the daemon's own socket: floods, slow senders, nonsense. The forge is
// still heard, the memory and the log stay small.

import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'

import type { Daemon } from '../../src/daemon/loop.ts'
import { readWebhook } from '../../src/forge/webhook-push.ts'
import { WEBHOOK_KINDS } from '../../src/forge/webhook-proof.ts'
import { serveControl, type ControlServer } from '../../src/http/control-server.ts'
import { createRateLimit, networkOf } from '../../src/http/rate-limit.ts'
import {
  serveWebhooks,
  type WebhookEntry,
  type WebhookLimits,
  type WebhookServer,
} from '../../src/http/webhook-server.ts'
import type { Status } from '../../src/report/status.ts'
import { inputTable, runs } from './input-table.ts'

const { row } = inputTable('Webhooks and the daemon’s socket')
const SECRET = 'a secret'
const PUSH = JSON.stringify({ ref: 'refs/heads/main', repository: { full_name: 'team/site' } })
const PROVEN = {
  'x-github-event': 'push',
  'x-hub-signature-256': `sha256=${createHmac('sha256', SECRET).update(PUSH).digest('hex')}`,
}

let folder = ''
let server: WebhookServer
let control: ControlServer
let entries: WebhookEntry[] = []
let pushes = 0
let sockets: Socket[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'graft-senders-'))
  writeFileSync(join(folder, 'secret'), SECRET)
  const daemon: Daemon = {
    ended: Promise.resolve(),
    wake: () => undefined,
    pushed: () => undefined,
    retry: () => undefined,
    restart: () => ({ leaves: [] }),
    confirmRemovals: () => false,
    approve: () => false,
    status: () => ({ deployment: 'shop' }) as unknown as Status,
  }
  control = await serveControl(join(folder, 'daemon.sock'), daemon)
})
afterAll(async () => {
  await control.close()
  rmSync(folder, { recursive: true })
})
beforeEach(() => serve())
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await server.close()
})

async function serve(limits: Partial<WebhookLimits> = {}): Promise<void> {
  entries = []
  pushes = 0
  server = await serveWebhooks({
    host: '127.0.0.1',
    port: 0,
    secretFile: join(folder, 'secret'),
    repo: 'https://git.example/team/site.git',
    ref: 'main',
    limits: { bodyBytes: 2 * 1024 ** 2, perMinute: 60, inAll: 600, ...limits },
    onPush: () => (pushes += 1),
    tell: (entry) => entries.push(entry),
  })
}

async function again(limits: Partial<WebhookLimits>): Promise<void> {
  await server.close()
  await serve(limits)
}

interface Sent {
  readonly from?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

/** Status and Retry-After; 0 where the connection was cut. */
function send({ from = '127.0.0.1', headers = {}, body = '' }: Sent = {}): Promise<{ status: number; after: string }> {
  return new Promise((resolve) => {
    const { host, port } = server.address
    const options = { host, port, path: '/webhook/github', method: 'POST', headers, agent: false, localAddress: from }
    const asked = request(options, (response) => {
      response.resume()
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, after: response.headers['retry-after'] ?? '' }),
      )
      response.on('error', () => resolve({ status: 0, after: '' }))
    })
    asked.on('error', () => resolve({ status: 0, after: '' }))
    asked.end(body)
  })
}

/** Sends bytes as they are, and gives what comes back until the other side ends. */
function raw(bytes: string | Uint8Array, path?: string): Promise<string> {
  return new Promise((resolve) => {
    const { host, port } = server.address
    const socket = path === undefined ? connect({ host, port }) : connect(path)
    sockets.push(socket)
    let text = ''
    socket.on('data', (part) => (text += String(part)))
    socket.on('error', () => resolve(text))
    socket.on('close', () => resolve(text))
    socket.end(bytes)
  })
}

row('400 webhooks at once from one address', async () => {
  const begun = performance.now()
  const answers = await Promise.all(Array.from({ length: 400 }, () => send()))
  const taken = answers.filter(({ status }) => status === 401).length
  // The bucket fills again while a slow machine sends.
  expect(taken).toBeLessThanOrEqual(61 + (performance.now() - begun) / 1_000)
  expect(answers.every(({ status }) => [0, 401, 429].includes(status))).toBe(true)
  expect(entries.length).toBeLessThanOrEqual(20)
  return `${taken} read, the rest 429 or cut; ${entries.length} lines of log`
})

row('one above the limit is told when to come again', async () => {
  await again({ perMinute: 2 })
  const answers = [await send(), await send(), await send()]
  expect(answers.map(({ status }) => status)).toEqual([401, 401, 429])
  const after = Number(answers[2]?.after)
  expect(after).toBeGreaterThan(0)
  expect(after).toBeLessThanOrEqual(30)
  return `429, Retry-After: ${after}`
})

row('a flood from many addresses does not keep the forge out', async () => {
  await again({ inAll: 30 })
  expect((await send({ headers: PROVEN, body: PUSH })).status).toBe(202)
  const strangers: number[] = []
  const begun = performance.now()
  for (let at = 0; at < 60; at++) strangers.push((await send({ from: `127.0.1.${at + 1}` })).status)
  const heard = strangers.filter((status) => status === 401).length
  expect(heard).toBeLessThanOrEqual(31 + (performance.now() - begun) / 2_000)
  expect((await send({ headers: PROVEN, body: PUSH })).status).toBe(202)
  expect(pushes).toBe(2)
  return `${strangers.filter((status) => status === 429).length} of 60 strangers 429, the forge 202`
})

row('more refusals than the log tells are counted', async () => {
  await again({ perMinute: 1_000, inAll: 10_000 })
  for (let at = 0; at < 60; at++) await send()
  const told = entries.length
  expect(told).toBe(20)
  await server.close()
  expect(entries.at(-1)).toEqual({ from: null, status: 429, message: '40 more were refused in the last minute' })
  await serve()
  return `${told} lines and one that counts 40`
})

row('300 slow senders of one address leave room for another', async () => {
  const { host, port } = server.address
  sockets = Array.from({ length: 300 }, () => {
    const socket = connect({ host, port, localAddress: '127.0.0.9' })
    socket.on('error', () => undefined)
    socket.write('POST /webhook/github HTTP/1.1\r\nHost: x\r\nContent-Length: 1000')
    return socket
  })
  const left = (): number => sockets.filter(({ destroyed, readyState }) => !destroyed && readyState === 'open').length
  await expect.poll(left, { timeout: 8_000 }).toBeLessThanOrEqual(16)
  const open = left()
  await expect.poll(async () => (await send({ headers: PROVEN, body: PUSH })).status, { timeout: 8_000 }).toBe(202)
  return `${open} connections are left to them, the forge 202`
})

row(
  'a header a byte at a time is ended',
  async () => {
    const { host, port } = server.address
    const socket = connect({ host, port })
    sockets.push(socket)
    socket.on('error', () => undefined).resume()
    const begun = performance.now()
    const timer = setInterval(() => socket.write('x'), 200)
    socket.write('POST /webhook/github HTTP/1.1\r\nHost: x\r\nX-Long: ')
    await new Promise((resolve) => socket.on('close', resolve))
    clearInterval(timer)
    const took = performance.now() - begun
    expect(took).toBeLessThan(30_000)
    return `after ${Math.round(took / 1000)} s`
  },
  60_000,
)

row('headers of 100 KB, 10,000 headers, a path of 100 KB', async () => {
  const said = [
    await raw(`POST /webhook/github HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`),
    await raw(`POST /webhook/github HTTP/1.1\r\nHost: x\r\n${'a: b\r\n'.repeat(10_000)}\r\n`),
    await raw(`POST /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`),
  ].map((text) => /^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 'cut')
  expect(said.every((status) => ['431', 'cut', '414', '400'].includes(status))).toBe(true)
  expect((await send({ headers: PROVEN, body: PUSH })).status).toBe(202)
  return said.join(', ')
})

row(
  'requests that are smuggled, split or no HTTP',
  async () => {
    const texts = [
      'POST /webhook/github HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nPOST /webhook/plain HTTP/1.1\r\n\r\n',
      'POST /webhook/github HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
      'POST /webhook/github HTTP/1.1\r\nHost: x\r\nContent-Length: 1e3\r\n\r\n',
      'POST /webhook/github HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n',
      'GET / HTTP/0.9\r\n\r\n',
      '\x16\x03\x01\x02\x00\x01\x00',
      '\0'.repeat(1_000),
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      'POST http://169.254.169.254/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      'CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n',
      'POST /webhook/../status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      'POST /webhook/%67ithub HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    ]
    const said = new Set<string>()
    for (const text of texts) said.add(/^HTTP\/1\.1 (\d+)/.exec(await raw(text))?.[1] ?? 'cut')
    expect([...said].some((status) => status.startsWith('2'))).toBe(false)
    expect(pushes).toBe(0)
    return [...said].join(', ')
  },
  60_000,
)

row(
  'random bytes',
  async () => {
    const count = runs(20, 300)
    await again({ perMinute: 60_000, inAll: 60_000 })
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        await raw(Buffer.concat([Buffer.from('POST /webhook/github HTTP/1.1\r\n'), bytes]))
      }),
      { numRuns: count },
    )
    expect((await send({ headers: PROVEN, body: PUSH })).status).toBe(202)
    return `${count} senders, the forge 202`
  },
  120_000,
)

row('proven bodies of any shape', () => {
  const count = runs(500, 20_000)
  const body = fc.oneof(
    fc.json().map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 300 }),
    fc
      .record(
        { ref: fc.anything(), repository: fc.anything(), project: fc.anything(), zen: fc.anything() },
        { requiredKeys: [] },
      )
      .map((value) =>
        Buffer.from(JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? 1 : inner)) ?? ''),
      ),
  )
  fc.assert(
    fc.property(
      fc.constantFrom(...WEBHOOK_KINDS),
      fc.constantFrom('push', 'Push Hook', '__proto__', ''),
      body,
      (kind, event, bytes) => {
        const headers = {
          'x-github-event': event,
          'x-gitlab-event': event,
          'x-gitea-event': event,
          'x-forgejo-event': event,
        }
        expect(['ping', 'push', 'other', 'unreadable']).toContain(readWebhook(kind, headers, bytes).kind)
      },
    ),
    { numRuns: count },
  )
  const deep = Buffer.from('['.repeat(1_000_000))
  expect(readWebhook('github', { 'x-github-event': 'push' }, deep).kind).toBe('unreadable')
  return `${count} read, and a million brackets`
})

row('a limit of rate remembers a bounded number of addresses', () => {
  const rate = createRateLimit({ perMinute: 10, inAll: 1_000_000 })
  for (let at = 0; at < 50_000; at++) rate.ask(`10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`, at)
  expect(rate.size).toBeLessThanOrEqual(10_000)
  return `50,000 asked, ${rate.size} are remembered`
})

row('addresses of one network of IPv6 count as one', () => {
  const rate = createRateLimit({ perMinute: 5, inAll: 1_000 })
  let taken = 0
  for (let at = 0; at < 100; at++) if (rate.ask(`2001:db8:1:2::${at.toString(16)}`, 0) === null) taken += 1
  expect(taken).toBe(5)
  expect([
    networkOf('::ffff:10.0.0.1'),
    networkOf('fe80::1%eth0'),
    networkOf('::1'),
    networkOf('1:2:3:4:5:6:7:8'),
  ]).toEqual(['10.0.0.1', 'fe80:0:0:0', '0:0:0:0', '1:2:3:4'])
  return `${taken} of 100 are taken`
})

row(
  'garbage on the daemon’s socket',
  async () => {
    const path = join(folder, 'daemon.sock')
    const texts = [
      'GET /status/../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      'POST /restart/%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      `POST /restart/${'a'.repeat(10_000)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      'POST /retry/__proto__ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      'POST /approve/zz/zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      'DELETE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      `POST /wake HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n${'x'.repeat(100_000)}`,
      '\0\x01\x02',
    ]
    for (const text of texts) await raw(text, path)
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => void (await raw(bytes, path))),
      { numRuns: runs(20, 300) },
    )
    const status = await raw('GET /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', path)
    expect(status).toContain('"deployment":"shop"')
    return 'it still answers'
  },
  120_000,
)
