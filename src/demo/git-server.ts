// A Git server over smart HTTP: node:http in front of Git's own `git http-backend`. Tests can have it misbehave.

import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { resolve } from 'node:path'
import { createGunzip } from 'node:zlib'
import { GroundFault } from './ground-fault.ts'
import { runCommand } from './run-command.ts'

/**
 * What is done to one request instead of serving it: `hang` takes it and never answers, `status` answers with that
 * code and no body, `cutAfterBytes` serves it and breaks the connection after so many bytes of the body.
 */
export type Interference =
  | 'hang'
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly cutAfterBytes: number }
  | null

export interface GitServerOptions {
  /** Every bare repository below it is served as `URL/its/path`, to read and to write. */
  readonly folder: string
  /** Absent: a free one. */
  readonly port?: number
  /** Asked for on every request. */
  readonly account?: { readonly username: string; readonly password: string }
  /** Asked before each request is served. */
  readonly interfere?: (request: IncomingMessage) => Interference
}

export interface GitServer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly port: number
  /** How many requests came, those interfered with included. */
  readonly requests: () => number
  /** Breaks open connections. */
  stop(): Promise<void>
}

/** Throws GroundFault where Git is missing or the port is taken. */
export async function startGitServer(options: GitServerOptions): Promise<GitServer> {
  const git = await runCommand('git', ['--exec-path'])
  if (git.missing)
    throw new GroundFault('The program git is missing; it serves the repository.', 'Run `apt-get install git`.')
  const folder = resolve(options.folder)
  let requests = 0
  const server = createServer((request, response) => {
    requests++
    const interference = options.interfere?.(request) ?? null
    if (interference === 'hang') {
      request.resume()
      return
    }
    if (interference !== null && 'status' in interference) {
      response.writeHead(interference.status, { ...interference.headers }).end()
      return
    }
    if (options.account !== undefined && !isAllowed(request, options.account)) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end('The password is wrong.\n')
      return
    }
    serve(request, response, folder, options.account?.username ?? 'graft', interference?.cutAfterBytes ?? Infinity)
  })
  const port = await listen(server, options.port ?? 0)
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests: () => requests,
    stop: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

function isAllowed(
  request: IncomingMessage,
  account: { readonly username: string; readonly password: string },
): boolean {
  const wanted = Buffer.from(`${account.username}:${account.password}`).toString('base64')
  return request.headers.authorization === `Basic ${wanted}`
}

/** Speaks CGI (RFC 3875) with git-http-backend(1). */
function serve(
  request: IncomingMessage,
  response: ServerResponse,
  folder: string,
  user: string,
  cutAfter: number,
): void {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const backend = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      PATH: process.env['PATH'],
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      // A repository's own settings decide nothing here, and neither do those of the person who runs this.
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_COUNT: '2',
      GIT_CONFIG_KEY_0: 'http.receivepack',
      GIT_CONFIG_VALUE_0: 'true',
      GIT_CONFIG_KEY_1: 'safe.directory',
      GIT_CONFIG_VALUE_1: '*',
      GIT_PROTOCOL: headerText(request.headers['git-protocol']),
      REQUEST_METHOD: request.method ?? 'GET',
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      REMOTE_USER: user,
      REMOTE_ADDR: request.socket.remoteAddress ?? '',
    },
  })
  // A client that leaves breaks the pipe, which is no fault of the server.
  backend.stdin.on('error', () => undefined)
  backend.once('error', () => response.writeHead(500).end())
  response.once('close', () => backend.kill('SIGKILL'))
  const body = request.headers['content-encoding'] === 'gzip' ? request.pipe(createGunzip()) : request
  body.on('error', () => backend.kill('SIGKILL'))
  body.pipe(backend.stdin)

  let head: Buffer | null = Buffer.alloc(0)
  let left = cutAfter
  const send = (chunk: Buffer): void => {
    if (chunk.length < left) {
      left -= chunk.length
      if (!response.write(chunk)) {
        backend.stdout.pause()
        response.once('drain', () => backend.stdout.resume())
      }
      return
    }
    backend.stdout.removeAllListeners('data')
    response.write(chunk.subarray(0, left), () => response.destroy())
  }
  backend.stdout.on('data', (chunk: Buffer) => {
    if (head === null) return send(chunk)
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end === -1) return
    writeHead(response, head.subarray(0, end).toString('latin1'))
    const rest = head.subarray(end + 4)
    head = null
    if (rest.length > 0) send(rest)
  })
  backend.stdout.once('end', () => {
    if (head !== null && !response.headersSent) response.writeHead(500)
    response.end()
  })
}

function writeHead(response: ServerResponse, head: string): void {
  let status = 200
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon)
    const value = line.slice(colon + 1).trim()
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10)
    else response.appendHeader(name, value)
  }
  response.writeHead(status)
}

function headerText(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : (value?.join(':') ?? '')
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((done, reject) => {
    server.once('error', (error) =>
      reject(new GroundFault(`The Git server could not listen: ${error.message}`, 'Choose another port, or none.')),
    )
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      done(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}
