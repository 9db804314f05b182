// A server in front of a Git server that can redirect, cut whole answers short, and speak TLS; and a plain HTTP proxy.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request as forward, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

export interface FrontServer {
  readonly port: number
  /** `METHOD path` of each request that came, with the Authorization header where there was one. */
  readonly seen: readonly { readonly line: string; readonly authorization: string | undefined }[]
  close(): Promise<void>
}

export interface FrontOptions {
  /** `http://127.0.0.1:PORT` of the server behind. */
  readonly behind?: string
  /** Where to send the request instead; null serves it. */
  readonly redirect?: (request: IncomingMessage) => { readonly status: number; readonly location: string } | null
  /** The answer to give instead of the whole one that came from behind; it ends cleanly. */
  readonly rewrite?: (request: IncomingMessage, body: Buffer) => Buffer
  readonly tls?: { readonly key: string; readonly cert: string }
}

export async function startFrontServer(options: FrontOptions): Promise<FrontServer> {
  const seen: { line: string; authorization: string | undefined }[] = []
  const listener: RequestListener = (request, response) => {
    seen.push({ line: `${request.method} ${request.url}`, authorization: request.headers.authorization })
    const elsewhere = options.redirect?.(request) ?? null
    if (elsewhere !== null) {
      request.resume()
      response.writeHead(elsewhere.status, { location: elsewhere.location }).end()
      return
    }
    // A proxy is asked for whole URLs.
    const target = new URL(request.url ?? '/', options.behind)
    const sent = forward(
      target,
      { method: request.method, headers: { ...request.headers, host: target.host } },
      (answer) => {
        const parts: Buffer[] = []
        answer.on('data', (part: Buffer) => parts.push(part))
        answer.on('end', () => {
          const whole = Buffer.concat(parts)
          const body = options.rewrite?.(request, whole) ?? whole
          const { 'content-length': _, 'transfer-encoding': __, ...headers } = answer.headers
          response.writeHead(answer.statusCode ?? 500, headers).end(body)
        })
      },
    )
    sent.on('error', () => response.writeHead(502).end())
    request.pipe(sent)
  }
  const server: Server = options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener)
  // A proxy for https opens a tunnel.
  server.on('connect', (request, socket, head) => {
    seen.push({ line: `CONNECT ${request.url}`, authorization: request.headers['proxy-authorization'] })
    const [host = '', port = ''] = (request.url ?? '').split(':')
    void import('node:net').then(({ connect }) => {
      const through = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
        through.write(head)
        through.pipe(socket).pipe(through)
      })
      through.on('error', () => socket.destroy())
      socket.on('error', () => through.destroy())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const { port } = server.address() as AddressInfo
  return {
    port,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** A certificate for 127.0.0.1 that nobody trusts yet; the certificate's own file is its authority. */
export function makeCertificate(folder: string): { key: string; cert: string; caFile: string } {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=test',
    ].concat(['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert]),
    { stdio: 'ignore' },
  )
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8'), caFile: cert }
}
