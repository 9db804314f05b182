// A server in front of a real registry that can misbehave as registries do.

import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http'

import { freePort } from '../../src/demo/free-port.ts'

/**
 * `hang` takes a request and never answers; `wrong manifest` and `wrong blob` change what is sent without a word; `cut
 * blob` breaks the connection in the middle of one; `slow` sends blobs at `SLOW` bytes a second.
 */
export type RegistryMode =
  | 'serve'
  | 'down'
  | 'hang'
  | 'slow'
  | 'wrong manifest'
  | 'wrong blob'
  | 'cut blob'
  | { readonly status: number; readonly code: string; readonly message: string }

export interface RegistryFront {
  /** `127.0.0.1:PORT`, what stands before the first slash of an image reference. */
  readonly address: string
  set(mode: RegistryMode): Promise<void>
  /** Requests for manifests and blobs. */
  asked(): number
  stop(): Promise<void>
}

export const SLOW = 40_000

export async function startRegistryFront(behind: string): Promise<RegistryFront> {
  const port = await freePort()
  let mode: RegistryMode = 'serve'
  let asked = 0
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    if (/\/(manifests|blobs)\//.test(path)) asked += 1
    if (mode === 'hang') {
      request.resume()
      return
    }
    if (typeof mode === 'object' && /\/(manifests|blobs)\//.test(path)) {
      const { status, code, message } = mode
      const headers = { 'content-type': 'application/json' }
      request.resume()
      response.writeHead(status, headers).end(JSON.stringify({ errors: [{ code, message }] }))
      return
    }
    serve(request, response, behind, /\/blobs\/sha256/.test(path), mode)
  })
  const open = () => new Promise<void>((done) => server.listen(port, '127.0.0.1', () => done()))
  const close = () =>
    new Promise<void>((done) => {
      if (!server.listening) return done()
      server.close(() => done())
      server.closeAllConnections()
    })
  await open()
  return {
    address: `127.0.0.1:${port}`,
    asked: () => asked,
    async set(next) {
      mode = next
      if (next === 'down') await close()
      else if (!server.listening) await open()
    },
    stop: close,
  }
}

function serve(
  request: IncomingMessage,
  response: ServerResponse,
  behind: string,
  isBlob: boolean,
  mode: RegistryMode,
): void {
  const target = new URL(request.url ?? '/', behind)
  const sent = forward(
    target,
    { method: request.method, headers: { ...request.headers, host: target.host } },
    (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (part: Buffer) => parts.push(part))
      answer.on('end', () => {
        let body = Buffer.concat(parts)
        const isManifest = /\/manifests\//.test(target.pathname)
        // Spaces change the digest of JSON, and not what it says.
        if (mode === 'wrong manifest' && isManifest && body.length > 0) body = Buffer.concat([body, Buffer.from('  ')])
        if (mode === 'wrong blob' && isBlob && body.length > 10_000) body[5_000] = (body[5_000] ?? 0) ^ 0xff
        const headers = { ...answer.headers }
        if (request.method !== 'HEAD') headers['content-length'] = String(body.length)
        response.writeHead(answer.statusCode ?? 500, headers)
        if (mode === 'cut blob' && isBlob && body.length > 10_000) {
          response.write(body.subarray(0, body.length / 2), () => response.destroy())
        } else if (mode === 'slow' && isBlob) {
          trickle(response, body)
        } else {
          response.end(body)
        }
      })
    },
  )
  sent.on('error', () => response.writeHead(502).end())
  request.pipe(sent)
}

function trickle(response: ServerResponse, body: Buffer): void {
  let at = 0
  const timer = setInterval(() => {
    response.write(body.subarray(at, at + SLOW / 10))
    at += SLOW / 10
    if (at >= body.length) {
      clearInterval(timer)
      response.end()
    }
  }, 100)
  response.on('close', () => clearInterval(timer))
}
