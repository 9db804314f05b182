// A proxy in front of the engine's socket. Every call passes through it, so a test can act before a call reaches the
// engine or after it has taken effect: kill the caller, delay, hang, cut, lie.

import { rm } from 'node:fs/promises'
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
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

/** What the caller meets instead of the engine's answer. Of the second five the engine knows nothing. */
export const ENGINE_FAULTS = {
  'answers late': 'the call has its effect, the answer comes 1 s later',
  'effect, then silence': 'the call has its effect, no answer ever comes',
  'effect, then cut': 'the call has its effect, the connection is cut before the answer',
  'effect, then 500': 'the call has its effect, the answer is an error',
  'effect, then nonsense': 'the call has its effect, the answer is no JSON',
  'effect, then half an answer': 'the call has its effect, the connection is cut in the middle of the answer',
  'comes late': 'the call reaches the engine 1 s later',
  silence: 'the call never reaches the engine, no answer ever comes',
  cut: 'the call never reaches the engine, the connection is cut',
  '500': 'the call never reaches the engine, the answer is an error',
} as const

export type EngineFaultKind = keyof typeof ENGINE_FAULTS

const LATE = 1_000

export interface EngineProxy {
  readonly url: string
  readonly calls: EngineCall[]
  /** Awaited before a call is handed on; rejecting cuts the connection. */
  before: (call: EngineCall) => Promise<void> | void
  /** Awaited when the engine has answered, before the caller hears of it. */
  after: (call: EngineCall) => Promise<void> | void
  /** What is done to a call besides; null: nothing. */
  fault: (call: EngineCall) => EngineFaultKind | null
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
    fault: () => null,
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
    const fault = proxy.fault(call)
    try {
      await proxy.before(call)
    } catch {
      incoming.socket.destroy()
      return
    }
    if (fault === 'silence') return
    if (fault === 'cut') return void incoming.socket.destroy()
    if (fault === '500') return brokenAnswer(incoming, outgoing)
    if (fault === 'comes late') await pause(LATE)
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
      if (fault !== null && !(await lieAbout(answer, fault, incoming, outgoing))) return
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

/** Whether the engine's own answer is to be handed on. */
async function lieAbout(
  answer: IncomingMessage,
  fault: EngineFaultKind,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<boolean> {
  if (fault === 'answers late') await pause(LATE)
  if (fault === 'answers late' || fault === 'comes late') return true
  // An engine answers before it has done all of some calls: it is heard to its end, or as long as it goes on.
  answer.resume()
  await Promise.race([new Promise((resolve) => answer.once('close', resolve)), pause(LATE)])
  switch (fault) {
    case 'effect, then cut':
      incoming.socket.destroy()
      break
    case 'effect, then 500':
      brokenAnswer(incoming, outgoing)
      break
    case 'effect, then nonsense':
      outgoing.writeHead(200, { 'content-type': 'text/html' })
      outgoing.end('<html>It works!</html>')
      break
    case 'effect, then half an answer':
      outgoing.writeHead(200, { 'content-type': 'application/json', 'content-length': '200' })
      outgoing.write('{"Id":"', () => incoming.socket.destroy())
  }
  return false
}

function brokenAnswer(incoming: IncomingMessage, outgoing: ServerResponse): void {
  incoming.resume()
  outgoing.writeHead(500, { 'content-type': 'application/json' })
  outgoing.end('{"message":"the test says no"}')
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
