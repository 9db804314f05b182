// Requests to registries: time-outs, byte caps, redirects that take no credentials along, patience with rate limits.

import { setTimeout as sleep } from 'node:timers/promises'
import { request, type Dispatcher } from 'undici'
import { codeOf, connectionFault } from './connection-faults.ts'
import { registryFault } from './registry-fault.ts'
import { retryAfter } from './retry-after.ts'

export interface Wish {
  readonly url: URL
  readonly method: 'GET' | 'HEAD' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** The longest body that is read. */
  readonly bytes: number
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** After redirects. */
  readonly url: URL
}

export interface Patience {
  /** One attempt, from its first byte to its last (milliseconds). */
  readonly attemptMs: number
  /** All waiting for one request because of rate limits and passing faults (milliseconds). */
  readonly waitMs: number
}

export const PATIENCE: Patience = { attemptMs: 30_000, waitMs: 45_000 }

const REDIRECTS = 5
const ATTEMPTS = 5
const FIRST_WAIT = 500
const PASSING = new Set([500, 502, 503, 504])

export interface Sender {
  /** Whatever the status is. Throws an EngineFault of kind `registry`, or the signal's reason. */
  send(wish: Wish, signal?: AbortSignal): Promise<Answer>
}

/** `dispatcherFor`: the connections to a host, with its certificates and its proxy. */
export function createSender(dispatcherFor: (url: URL) => Dispatcher, patience: Patience = PATIENCE): Sender {
  return {
    async send(wish, signal) {
      let waited = 0
      for (let attempt = 1; ; attempt++) {
        const outcome = await tryOnce(wish, dispatcherFor, patience, signal)
        const wait = waitAfter(outcome, attempt)
        if (wait === null) return settle(outcome, wish)
        if (waited + wait > patience.waitMs || attempt === ATTEMPTS) return giveUp(outcome, wish, wait)
        waited += wait
        await sleep(wait, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
          signal?.throwIfAborted()
          throw error
        })
      }
    },
  }
}

type Outcome = { readonly answer: Answer } | { readonly error: unknown; readonly late: boolean }

async function tryOnce(
  wish: Wish,
  dispatcherFor: (url: URL) => Dispatcher,
  { attemptMs }: Patience,
  outer: AbortSignal | undefined,
): Promise<Outcome> {
  const limit = AbortSignal.timeout(attemptMs)
  const signal = outer === undefined ? limit : AbortSignal.any([limit, outer])
  try {
    return { answer: await endedBy(signal, follow(wish, dispatcherFor, signal)) }
  } catch (error) {
    outer?.throwIfAborted()
    if (error instanceof Error && error.name === 'EngineFault') throw error
    return { error, late: limit.aborted || /timeout/i.test(codeOf(error)) }
  }
}

/** A request whose connection is still being made does not hear its signal by itself. */
function endedBy<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const end = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)))
    signal.addEventListener('abort', end, { once: true })
    if (signal.aborted) end()
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', end))
  })
}

async function follow(wish: Wish, dispatcherFor: (url: URL) => Dispatcher, signal: AbortSignal): Promise<Answer> {
  const headers: Record<string, string> = { 'user-agent': 'graft', ...wish.headers }
  let { url } = wish
  for (let hop = 0; ; hop++) {
    const answer = await request(url, {
      method: wish.method,
      headers,
      body: wish.body ?? null,
      dispatcher: dispatcherFor(url),
      signal,
    })
    const target = answer.headers.location
    const moves = [301, 302, 303, 307, 308].includes(answer.statusCode) && typeof target === 'string'
    if (!moves || wish.method === 'POST') {
      const body = await bodyOf(answer.body, wish.bytes, url)
      const plain = Object.entries(answer.headers).map(([name, value]) => [name, String(value ?? '')])
      return { status: answer.statusCode, headers: Object.fromEntries(plain), body, url }
    }
    await answer.body.dump()
    if (hop === REDIRECTS) throw registryFault(`${url.host} redirects too often`, 'Look at the address of the registry')
    const next = new URL(target, url)
    if (next.protocol !== url.protocol && next.protocol !== 'https:') {
      throw registryFault(`${url.host} redirects to ${next.protocol}//${next.host}`, 'It must not lead out of https')
    }
    // What lies in a store of its own comes with an address that needs no credentials, and must not get any.
    if (next.origin !== url.origin) delete headers['authorization']
    url = next
  }
}

async function bodyOf(body: Dispatcher.ResponseData['body'], bytes: number, url: URL): Promise<Buffer> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of body) {
    const chunk = Buffer.from(part as Uint8Array)
    length += chunk.length
    if (length > bytes) {
      body.destroy()
      throw registryFault(`${url.host} answered with more than ${bytes / 2 ** 20} MiB`, 'See what it serves there')
    }
    parts.push(chunk)
  }
  return Buffer.concat(parts)
}

/** Milliseconds to wait before the next attempt; null: there is nothing to wait for. */
function waitAfter(outcome: Outcome, attempt: number): number | null {
  const growing = FIRST_WAIT * 2 ** (attempt - 1)
  if ('answer' in outcome) {
    const { status, headers } = outcome.answer
    if (status !== 429 && !PASSING.has(status)) return null
    return retryAfter(headers['retry-after'], Date.now()) ?? growing
  }
  // A connection that broke may hold the next time; a server that hangs, or is not there, hangs for the next one too.
  const broke = ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'EAI_AGAIN'].includes(codeOf(outcome.error))
  return broke && !outcome.late && attempt < 3 ? growing : null
}

function settle(outcome: Outcome, wish: Wish): Answer {
  if ('answer' in outcome) return outcome.answer
  throw connectionFault(outcome, wish.url)
}

function giveUp(outcome: Outcome, wish: Wish, wait: number): Answer {
  if (!('answer' in outcome)) throw connectionFault(outcome, wish.url)
  const { answer } = outcome
  if (answer.status !== 429) return answer
  const often = `${wish.url.host} limits how often it is asked`
  const seconds = Math.ceil(wait / 1000)
  const span = seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`
  throw registryFault(`${often}, and wants ${span} of rest`, 'Log in with `docker login`, use a mirror, or ask later')
}
