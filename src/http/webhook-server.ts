// Where forges say that something was pushed. A webhook only makes graft look, so one that is repeated does no harm; it
// is judged by its raw bytes before anything reads them, and never trusted for what is in the repository.

import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

import { placeOf } from '../forge/forge-project.ts'
import { proofHeaders, proves, WEBHOOK_KINDS, type WebhookKind } from '../forge/webhook-proof.ts'
import { readWebhook } from '../forge/webhook-push.ts'
import { fewWords } from './few-words.ts'
import { createRateLimit, networkOf, type RateLimits } from './rate-limit.ts'
import { createReadings } from './readings.ts'

export interface WebhookServer {
  readonly address: { readonly host: string; readonly port: number }
  close(): Promise<void>
}

export interface WebhookOptions {
  readonly host: string
  readonly port: number
  /** Read again for each webhook. */
  readonly secretFile: string
  /** The repository's address; a folder has no name that a forge would know. */
  readonly repo: string
  /** As the settings say; left out: the remote's HEAD branch. */
  readonly ref: string | undefined
  readonly limits: WebhookLimits
  /** Look at the repository, now. */
  readonly onPush: (from: WebhookKind) => void
  readonly tell: (entry: WebhookEntry) => void
}

export interface WebhookLimits extends RateLimits {
  /** Bytes. A forge sends some kilobytes for a push; GitHub's own limit for a webhook is 25 MB. */
  readonly bodyBytes: number
}

/** What became of a webhook, for the log. */
export interface WebhookEntry {
  readonly from: string | null
  readonly status: number
  readonly message: string
}

const BODY_TIME = 10_000
/** How often that time is looked at; Node does it each 30 seconds. */
const CHECK_EACH = 1_000
/** Connections that are open at a time, and of these the most of one address. */
const CONNECTIONS = 64
const CONNECTIONS_EACH = 16
/** Refusals that are logged in a minute. */
const REFUSALS_TOLD = 20

/** Throws where the address cannot be listened on. */
export async function serveWebhooks(options: WebhookOptions): Promise<WebhookServer> {
  const readings = createReadings()
  const { limits, tell } = options
  const rate = createRateLimit(limits)
  const refusals = fewWords<WebhookEntry>(REFUSALS_TOLD, tell, (more) =>
    tell({ from: null, status: 429, message: `${more} more were refused in the last minute` }),
  )
  const times = { requestTimeout: BODY_TIME, headersTimeout: BODY_TIME, connectionsCheckingInterval: CHECK_EACH }
  const server = createServer(times, (request, response) => {
    const from = request.socket.remoteAddress ?? null
    const answer = (status: number, message: string): void => {
      const entry = { from, status, message }
      if (status >= 400) refusals.tell(entry)
      else tell(entry)
      respond(response, status, message)
    }
    const wait = rate.ask(from ?? '', performance.now())
    if (wait !== null) {
      response.setHeader('retry-after', String(Math.ceil(wait / 1000)))
      answer(429, 'too many webhooks: the limits are webhooks_per_minute and webhooks_in_all')
      return
    }
    if (!readings.begin(from ?? '', rate.isProven(from ?? '', performance.now()))) {
      request.destroy()
      return
    }
    take(request, options)
      .then(({ status, message, proven }) => {
        if (proven === true) rate.proven(from ?? '', performance.now())
        answer(status, message)
      })
      .catch(() => {
        if (request.complete) answer(500, 'graft could not read its own secret')
        else answer(400, 'it broke off before its end')
      })
      .finally(() => readings.end(from ?? ''))
  })
  server.maxConnections = CONNECTIONS
  limitEach(server)
  await listen(server, options)
  const { address, port } = server.address() as AddressInfo
  return {
    address: { host: address, port },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
        refusals.close()
      }),
  }
}

interface Answer {
  readonly status: number
  readonly message: string
  /** Its sender knows the secret. */
  readonly proven?: true
}

/** One address alone cannot take every connection, however slowly it sends. */
function limitEach(server: Server): void {
  const open = new Map<string, number>()
  server.on('connection', (socket: Socket) => {
    const key = networkOf(socket.remoteAddress ?? '')
    const count = (open.get(key) ?? 0) + 1
    if (count > CONNECTIONS_EACH) {
      socket.destroy()
      return
    }
    open.set(key, count)
    socket.once('close', () => {
      const left = (open.get(key) ?? 1) - 1
      if (left === 0) open.delete(key)
      else open.set(key, left)
    })
  })
}

async function take(request: IncomingMessage, options: WebhookOptions): Promise<Answer> {
  const [path = ''] = (request.url ?? '').split('?')
  const kind = WEBHOOK_KINDS.find((one) => path === `/webhook/${one}`)
  if (kind === undefined) return { status: 404, message: `webhooks are ${WEBHOOK_KINDS.map(pathOf).join(', ')}` }
  if (request.method !== 'POST') return { status: 405, message: 'a webhook is sent with POST' }
  const { bodyBytes } = options.limits
  const body = await bodyOf(request, bodyBytes)
  if (body === null) return { status: 413, message: `a webhook may have ${bodyBytes} bytes: the limit is webhook_size` }
  const secret = (await readFile(options.secretFile, 'utf8')).trim()
  if (secret === '') return { status: 500, message: `${options.secretFile} holds no secret` }
  const proof = proves(kind, request.headers, body, secret)
  if (proof === 'missing') return { status: 401, message: `nothing proves it: ${proofHeaders(kind)} is missing` }
  if (proof === 'wrong') return { status: 401, message: 'it was made with another secret' }
  const news = readWebhook(kind, request.headers, body)
  if (news.kind === 'ping') return { status: 200, message: 'graft hears you', proven: true }
  if (news.kind === 'other')
    return { status: 202, message: `nothing follows from the event ${news.event}`, proven: true }
  if (news.kind === 'unreadable') return { status: 400, message: news.why, proven: true }
  const ours = placeOf(options.repo)?.path.toLowerCase() ?? null
  if (kind !== 'plain' && (ours === null || !news.repositories.has(ours))) {
    return { status: 202, message: 'this is another repository than the one that is deployed', proven: true }
  }
  if (isOtherBranch(news.ref, options.ref)) return { status: 202, message: 'this branch is not deployed', proven: true }
  options.onPush(kind)
  return { status: 202, message: 'graft looks at the repository', proven: true }
}

function pathOf(kind: WebhookKind): string {
  return `/webhook/${kind}`
}

/** Where the deployed branch is the remote's own choice, any push may have moved it. */
function isOtherBranch(pushed: string | null, deployed: string | undefined): boolean {
  if (pushed === null || deployed === undefined) return false
  return ![deployed, `refs/heads/${deployed}`, `refs/tags/${deployed}`].includes(pushed)
}

/** Null where it is too long; the rest is not read. */
async function bodyOf(request: IncomingMessage, most: number): Promise<Buffer | null> {
  if (Number(request.headers['content-length'] ?? 0) > most) return null
  const parts: Uint8Array[] = []
  let bytes = 0
  // The answer still goes out over the connection that is not read to its end.
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
    bytes += part.length
    if (bytes > most) return null
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function respond(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent || response.destroyed) return
  const close = status === 413 || status === 429 ? { connection: 'close' } : {}
  response.writeHead(status, { 'content-type': 'application/json', ...close }).end(`${JSON.stringify({ message })}\n`)
}

function listen(server: Server, { host, port }: WebhookOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
