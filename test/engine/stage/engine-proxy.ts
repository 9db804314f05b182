// A proxy in front of the engine's socket. Every call passes through it, so a test can act before a call reaches the
// engine or after it has taken effect: kill the caller, delay, cut.

import { rm } from 'node:fs/promises'
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'

export interface EngineCall {
  /** 1-based, in the order of arrival. */
  readonly number: number
  readonly method: string
  /** Without the version and the query: `/containers/ID/start`. */
  readonly path: string
  readonly url: string
  /** Whether it changes something on the engine. */
  readonly changes: boolean
  /** 1-based among the calls that change something; 0 for others. */
  readonly change: number
}

export interface EngineProxy {
  readonly url: string
  readonly calls: EngineCall[]
  /** Awaited before a call is handed on; rejecting cuts the connection. */
  before: (call: EngineCall) => Promise<void> | void
  /** Awaited when the engine has answered, before the caller hears of it. */
  after: (call: EngineCall) => Promise<void> | void
  stop(): Promise<void>
}

export async function startEngineProxy(engineUrl: string, socket: string): Promise<EngineProxy> {
  const target = engineUrl.replace(/^unix:\/\//, '')
  await rm(socket, { force: true })
  const proxy: EngineProxy = {
    url: `unix://${socket}`,
    calls: [],
    before: () => undefined,
    after: () => undefined,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }

  const note = (request: IncomingMessage): EngineCall => {
    const url = request.url ?? ''
    const path = (url.split('?')[0] ?? '').replace(/^\/v[0-9.]+/, '')
    const method = request.method ?? ''
    const changes = method !== 'GET' && method !== 'HEAD'
    const change = changes ? proxy.calls.filter((earlier) => earlier.changes).length + 1 : 0
    const call = { number: proxy.calls.length + 1, method, path, url, changes, change }
    proxy.calls.push(call)
    return call
  }

  const server = createServer(async (incoming, outgoing) => {
    const call = note(incoming)
    try {
      await proxy.before(call)
    } catch {
      incoming.socket.destroy()
      return
    }
    const forwarded = httpRequest({
      socketPath: target,
      method: incoming.method,
      path: incoming.url,
      headers: incoming.headers,
    })
    forwarded.on('error', () => incoming.socket.destroy())
    forwarded.on('response', async (answer) => {
      try {
        await proxy.after(call)
      } catch {
        incoming.socket.destroy()
        return
      }
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      outgoing.flushHeaders()
      answer.pipe(outgoing)
      answer.on('error', () => outgoing.destroy())
    })
    outgoing.on('close', () => forwarded.destroy())
    incoming.pipe(forwarded)
  })
  server.on('upgrade', (incoming, client, head) => {
    const call = note(incoming)
    const upstream = connect(target, () => {
      const headers = incoming.rawHeaders.reduce(
        (text, part, i) => text + (i % 2 === 0 ? `${part}: ` : `${part}\r\n`),
        `${incoming.method} ${incoming.url} HTTP/1.1\r\n`,
      )
      upstream.write(`${headers}\r\n`)
      upstream.write(head)
      upstream.pipe(client)
      client.pipe(upstream)
    })
    void Promise.resolve(proxy.before(call)).catch(() => client.destroy())
    upstream.on('error', () => client.destroy())
    client.on('error', () => upstream.destroy())
  })
  server.keepAliveTimeout = 0
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(socket, () => resolve())
  })
  return proxy
}
