// The webhook server over real HTTP: who is heard, what follows, and what a flood or an odd request does.

import { createHmac } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { serveWebhooks, type WebhookEntry, type WebhookServer } from '../../../src/http/webhook-server.ts'

const BODY_LIMIT = 2 * 1024 * 1024
const SECRET = 'for webhooks'
const PUSH = JSON.stringify({ ref: 'refs/heads/main', repository: { full_name: 'team/site' } })

let folder: string
let server: WebhookServer
let pushes: string[]
let entries: WebhookEntry[]

async function serve(ref?: string, repo = 'https://git.example/team/site.git'): Promise<void> {
  server = await serveWebhooks({
    host: '127.0.0.1',
    port: 0,
    secretFile: join(folder, 'secret'),
    repo,
    ref,
    limits: { bodyBytes: BODY_LIMIT, perMinute: 60, inAll: 600 },
    onPush: (from) => pushes.push(from),
    tell: (entry) => entries.push(entry),
  })
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'graft-webhooks-'))
  await writeFile(join(folder, 'secret'), `${SECRET}\n`)
  pushes = []
  entries = []
  await serve('main')
})
afterEach(async () => {
  await server.close()
  await rm(folder, { recursive: true })
})

interface Sent {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
}

function send(path: string, { method = 'POST', headers = {}, body = '' }: Sent = {}): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const { host, port } = server.address
    const asked = request({ host, port, path, method, headers, agent: false }, (response) => {
      let text = ''
      response.on('data', (part) => (text += String(part)))
      response.on('end', () => resolve([response.statusCode ?? 0, (JSON.parse(text) as { message: string }).message]))
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

const signed = (body: string, secret = SECRET) => ({
  'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
  'x-github-event': 'push',
})

describe('a webhook', () => {
  it('that is proven and means this repository makes graft look, as often as it comes', async () => {
    for (let time = 0; time < 3; time++) {
      expect(await send('/webhook/github', { headers: signed(PUSH), body: PUSH })).toEqual([
        202,
        'graft looks at the repository',
      ])
    }
    expect(pushes).toEqual(['github', 'github', 'github'])
    expect(entries.map(({ status }) => status)).toEqual([202, 202, 202])
  })

  it('of a plain sender needs no body', async () => {
    expect((await send('/webhook/plain', { headers: { authorization: `Bearer ${SECRET}` } }))[0]).toBe(202)
    expect(pushes).toEqual(['plain'])
  })

  it.each<[string, string, Sent, number]>([
    ['made with another secret', '/webhook/github', { headers: signed(PUSH, 'other'), body: PUSH }, 401],
    ['whose body was changed', '/webhook/github', { headers: signed(PUSH), body: `${PUSH} ` }, 401],
    ['without a proof', '/webhook/github', { headers: { 'x-github-event': 'push' }, body: PUSH }, 401],
    ['proven as another forge does', '/webhook/gitlab', { headers: signed(PUSH), body: PUSH }, 401],
    ['with another method', '/webhook/github', { method: 'GET' }, 405],
    ['somewhere else', '/webhooks', {}, 404],
    ['that is too long', '/webhook/github', { body: Buffer.alloc(BODY_LIMIT + 1) }, 413],
  ])('%s is refused', async (_name, path, sent, status) => {
    expect((await send(path, sent))[0]).toBe(status)
    expect(pushes).toEqual([])
  })

  it('that is too long and does not say so is refused as well', async () => {
    const headers = { 'transfer-encoding': 'chunked' }
    expect((await send('/webhook/github', { headers, body: Buffer.alloc(BODY_LIMIT + 1) }))[0]).toBe(413)
  })

  it('of another repository or branch is told so, and nothing follows', async () => {
    const other = JSON.stringify({ ref: 'refs/heads/main', repository: { full_name: 'team/other' } })
    expect(await send('/webhook/github', { headers: signed(other), body: other })).toEqual([
      202,
      'this is another repository than the one that is deployed',
    ])
    const branch = JSON.stringify({ ref: 'refs/heads/next', repository: { full_name: 'team/site' } })
    expect(await send('/webhook/github', { headers: signed(branch), body: branch })).toEqual([
      202,
      'this branch is not deployed',
    ])
    expect(pushes).toEqual([])
  })

  it('of any branch counts where the remote decides which is deployed', async () => {
    await server.close()
    await serve(undefined)
    const branch = JSON.stringify({ ref: 'refs/heads/next', repository: { full_name: 'TEAM/site' } })
    expect((await send('/webhook/github', { headers: signed(branch), body: branch }))[0]).toBe(202)
    expect(pushes).toEqual(['github'])
  })

  it('of a forge cannot mean a folder, a plain one can', async () => {
    await server.close()
    await serve(undefined, '/srv/site')
    await send('/webhook/github', { headers: signed(PUSH), body: PUSH })
    expect(pushes).toEqual([])
    await send('/webhook/plain', { headers: { authorization: `Bearer ${SECRET}` } })
    expect(pushes).toEqual(['plain'])
  })

  it('that is no JSON or a ping does no harm', async () => {
    expect((await send('/webhook/github', { headers: signed('{'), body: '{' }))[0]).toBe(400)
    const ping = { ...signed('{}'), 'x-github-event': 'ping' }
    expect(await send('/webhook/github', { headers: ping, body: '{}' })).toEqual([200, 'graft hears you'])
  })

  it('is proven by the secret as it is now, and by none where there is none', async () => {
    await writeFile(join(folder, 'secret'), 'renewed')
    expect((await send('/webhook/github', { headers: signed(PUSH), body: PUSH }))[0]).toBe(401)
    expect((await send('/webhook/github', { headers: signed(PUSH, 'renewed'), body: PUSH }))[0]).toBe(202)
    await writeFile(join(folder, 'secret'), '\n')
    expect((await send('/webhook/plain', { headers: { authorization: 'Bearer ' } }))[0]).toBe(500)
    await rm(join(folder, 'secret'))
    expect((await send('/webhook/github', { headers: signed(PUSH), body: PUSH }))[0]).toBe(500)
    expect(pushes).toEqual(['github'])
  })
})

describe('a sender that breaks off', () => {
  it('is told of as what it is', async () => {
    const socket = connect(server.address)
    socket.write('POST /webhook/github HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc')
    setTimeout(() => socket.destroy(), 300)
    await expect
      .poll(() => entries, { timeout: 15_000 })
      .toMatchObject([{ status: 400, message: 'it broke off before its end' }])
  }, 20_000)

  it('is not waited for longer than a body may take', async () => {
    const begun = Date.now()
    const socket = connect(server.address)
    socket.on('error', () => undefined).resume()
    socket.write('POST /webhook/github HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc')
    await new Promise((resolve) => socket.on('close', resolve))
    expect(Date.now() - begun).toBeLessThan(15_000)
  }, 45_000)
})

describe('a flood', () => {
  it('of senders that never end leaves room for one that does', async () => {
    const { host, port } = server.address
    const sockets = Array.from({ length: 200 }, () => {
      const socket = connect({ host, port })
      // One that was told 429 is closed by then, too.
      socket.on('error', () => undefined).resume()
      socket.write('POST /webhook/github HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc')
      return socket
    })
    const open = (): number => sockets.filter(({ destroyed }) => !destroyed).length
    await expect.poll(open, { timeout: 10_000 }).toBeLessThan(20)
    for (const socket of sockets) socket.destroy()
    await expect
      .poll(() => send('/webhook/github', { headers: signed(PUSH), body: PUSH }).catch(() => null), { timeout: 10_000 })
      .toEqual([202, 'graft looks at the repository'])
  }, 30_000)

  it('of slow strangers from many addresses leaves room for who has proven one lately', async () => {
    const at = await send('/webhook/github', { headers: signed(PUSH), body: PUSH })
    expect(at[0]).toBe(202)
    const slow = (from: string) => {
      const socket = connect({ ...server.address, localAddress: from })
      socket.on('error', () => undefined)
      socket.write('POST /webhook/github HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc')
      return socket
    }
    const sockets = [2, 3, 4, 5].flatMap((last) => Array.from({ length: 8 }, () => slow(`127.0.0.${last}`)))
    const left = (last: number) =>
      sockets.filter(({ destroyed, localAddress }) => !destroyed && localAddress === `127.0.0.${last}`).length
    await expect.poll(() => [2, 3, 4, 5].map(left).toSorted(), { timeout: 5_000 }).toEqual([0, 4, 4, 4])
    for (let time = 0; time < 5; time++)
      expect((await send('/webhook/github', { headers: signed(PUSH), body: PUSH }))[0]).toBe(202)
    for (const socket of sockets) socket.destroy()
  }, 30_000)
})
