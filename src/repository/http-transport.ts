// The HTTP side of isomorphic-git, on undici: proxies, a private authority, time-outs, byte caps, redirects,
// and credentials that go to their own origin only.

import { readFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import type { GitHttpRequest, GitHttpResponse, HttpClient } from 'isomorphic-git'
import { type Dispatcher, EnvHttpProxyAgent, request } from 'undici'
import { answerTooLarge } from './limits.ts'
import type { Proxies } from './protocol.ts'
import { RepositoryFault } from './repository.ts'

export interface TransportOptions {
  readonly caFile: string | null
  readonly proxies: Proxies
  readonly idleMs: number
  readonly responseBytes: number
}

export interface Transport {
  /** The address that requests are made with: isomorphic-git knows http only. */
  wire(url: string): string
  /** The client for one operation. */
  open(signal: AbortSignal): Operation
}

export interface Operation {
  /** The signal ends its requests. */
  readonly http: HttpClient
  /** Rejects with the first thing that went wrong: isomorphic-git itself may wait for ever then. */
  readonly failed: Promise<never>
  /** Gives up whatever is still open; called once, at the end of each operation. */
  readonly close: () => void
}

const REDIRECTS = 5
const CONNECT_MS = 15_000

/** Throws RepositoryFault where the file of certificates cannot be read. */
export function openTransport(options: TransportOptions): Transport {
  const { idleMs } = options
  const tls = options.caFile === null ? {} : { ca: [...rootCertificates, readCertificates(options.caFile)] }
  const connect = { timeout: Math.min(CONNECT_MS, idleMs), ...tls }
  const dispatcher = new EnvHttpProxyAgent({
    // An empty text keeps undici from looking into the process's own environment.
    httpProxy: options.proxies.http ?? '',
    httpsProxy: options.proxies.https ?? options.proxies.http ?? '',
    noProxy: options.proxies.none,
    connect,
    requestTls: connect,
    proxyTls: connect,
    headersTimeout: idleMs,
    bodyTimeout: idleMs,
  })
  return {
    wire: (url) => url,
    open(signal) {
      let fail: (error: unknown) => void = () => undefined
      const failed = new Promise<never>((_, reject) => (fail = reject))
      failed.catch(() => undefined)
      const bases = new Map<string, string>()
      const http: HttpClient = {
        async request(wish) {
          try {
            return await send(wish, { dispatcher, signal, options, bases, fail })
          } catch (error) {
            fail(error)
            throw error
          }
        },
      }
      return { http, failed, close: () => undefined }
    },
  }
}

interface Sending {
  readonly dispatcher: Dispatcher
  readonly signal: AbortSignal
  readonly options: TransportOptions
  /** Where the server said a repository has moved to, for the requests that follow. */
  readonly bases: Map<string, string>
  readonly fail: (error: unknown) => void
}

async function send(wish: GitHttpRequest, sending: Sending): Promise<GitHttpResponse> {
  const body = wish.body === undefined ? null : Buffer.concat(await collect(wish.body))
  const method = wish.method === 'POST' ? 'POST' : 'GET'
  const headers: Record<string, string> = { 'user-agent': 'git/graft', ...wish.headers }
  let url = new URL(rebased(wish.url, sending.bases))
  keepCredentialsHome(new URL(wish.url), url, headers)
  for (let hop = 0; ; hop++) {
    const answer = await request(url, { method, headers, body, dispatcher: sending.dispatcher, signal: sending.signal })
    const target = answer.headers.location
    const { statusCode } = answer
    if (![301, 302, 307, 308].includes(statusCode) || typeof target !== 'string') {
      if (hop > 0) rememberBase(wish.url, url.href, sending.bases)
      return {
        url: url.href,
        method,
        statusCode,
        statusMessage: '',
        headers: flat(answer.headers),
        body: capped(answer.body, sending),
      }
    }
    await answer.body.dump()
    if (hop === REDIRECTS) throw redirectFault(url, 'redirects too often', 'Look at the address of the repository')
    const next = new URL(target, url)
    if (next.protocol !== url.protocol && next.protocol !== 'https:') {
      throw redirectFault(url, `redirects to ${next.protocol}//${next.host}`, 'Use an https address')
    }
    keepCredentialsHome(url, next, headers)
    url = next
  }
}

/** Credentials are for the origin they were given for: a redirect elsewhere ends here, and one without them may go on. */
function keepCredentialsHome(from: URL, to: URL, headers: Readonly<Record<string, string>>): void {
  if (from.origin === to.origin) return
  if (!Object.keys(headers).some((name) => name.toLowerCase() === 'authorization')) return
  throw redirectFault(
    from,
    `redirects to ${to.origin}, where graft does not send the credentials`,
    `If that is right, use ${to.origin}${to.pathname.replace(/\/(info\/refs|git-upload-pack)$/, '')} as the address`,
    'auth',
  )
}

function redirectFault(url: URL, what: string, remedy: string, kind: 'auth' | 'server' = 'server'): RepositoryFault {
  return new RepositoryFault(kind, `${url.host} ${what}`, remedy)
}

const ADVERTISEMENT = '/info/refs?service=git-upload-pack'

function rememberBase(asked: string, answered: string, bases: Map<string, string>): void {
  if (!asked.endsWith(ADVERTISEMENT) || !answered.endsWith(ADVERTISEMENT)) return
  bases.set(asked.slice(0, -ADVERTISEMENT.length), answered.slice(0, -ADVERTISEMENT.length))
}

function rebased(url: string, bases: ReadonlyMap<string, string>): string {
  for (const [from, to] of bases) if (url.startsWith(`${from}/`)) return to + url.slice(from.length)
  return url
}

async function* capped(body: AsyncIterable<Uint8Array>, { options, fail }: Sending): AsyncIterableIterator<Uint8Array> {
  let bytes = 0
  try {
    for await (const chunk of body) {
      bytes += chunk.length
      if (bytes > options.responseBytes) {
        throw answerTooLarge(options.responseBytes)
      }
      yield chunk
    }
  } catch (error) {
    fail(error)
    throw error
  }
}

async function collect(parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = []
  for await (const part of parts) all.push(part)
  return all
}

function flat(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value ?? '')]))
}

function readCertificates(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new RepositoryFault(
      'unreachable',
      `the certificates in ${path} cannot be read`,
      'Correct the path or its permissions',
      {
        cause,
      },
    )
  }
}
