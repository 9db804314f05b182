// One call to the engine. Whatever the engine does (says nothing, breaks off, answers nonsense), it ends in time, and
// every failure is an `EngineFault`.

import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'

import type Docker from 'dockerode'

import { toEngineFault } from './faults.ts'

/** Milliseconds an engine may say nothing before it counts as away, where nothing else is set. */
export const PATIENCE = 60_000

/** Whom to ask. */
export interface Asked {
  readonly docker: Docker
  /** Milliseconds; `PATIENCE` where it is absent. */
  readonly patience?: number
}

export interface EngineRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Without the version: `/containers/ID/json`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | boolean>>
  readonly body?: object
  /** Bytes to send instead of a JSON body. */
  readonly file?: Buffer
  /** Milliseconds instead of the usual patience. */
  readonly timeout?: number
  /** How many times the usual patience it may take: 2 for what the engine works on before it answers. */
  readonly times?: number
  /** Milliseconds that the engine is asked to wait before it answers, besides. */
  readonly waits?: number
  readonly signal?: AbortSignal
}

/** The part of docker-modem that dockerode itself calls with; its types leave it open. */
interface Modem {
  dial(options: object, callback: (error: Error | null, answer: unknown) => void): void
}

const ACCEPTED = { 200: true, 201: true, 204: true, 304: true }

/**
 * Asks the engine; `what` finishes the sentence "cannot …" in faults. Statuses other than 200, 201, 204 and 304 reject.
 * The shape of the answer is the caller's word.
 */
export async function callEngine<T>(
  connection: Asked & { readonly url: string },
  what: string,
  request: EngineRequest,
): Promise<T> {
  try {
    return await rawCall<T>(connection, request)
  } catch (error) {
    throw toEngineFault(error, connection.url, what)
  }
}

/**
 * The same, rejecting with dockerode's own error, for callers that read statuses themselves. An engine that is silent
 * for too long, whether before its answer or in the middle, rejects with the code ABORT_ERR; half an answer with
 * ECONNRESET; one that is no JSON with ERR_ANSWER. Nobody can tell then whether the call has had its effect.
 */
export async function rawCall<T>(connection: Asked, request: EngineRequest): Promise<T> {
  const limit = limitOf(connection, request)
  try {
    const text = (await limit.within(readAll(dial(connection, request, limit.signal)))).toString('utf8')
    return (text.trim() === '' ? '' : parsed(text)) as T
  } finally {
    limit.over()
  }
}

/** An answer that is longer than the caller wants to hold. */
export class TooLong extends Error {}

/**
 * The whole answer as bytes: an archive, which a container may have filled. Rejects with TooLong as soon as it has more
 * than `most` bytes.
 */
export async function callForBytes(connection: Asked, request: EngineRequest, most: number): Promise<Buffer> {
  const limit = limitOf(connection, request)
  try {
    return await limit.within(readUpTo(dial(connection, request, limit.signal), most))
  } finally {
    limit.over()
  }
}

/** An answer that comes bit by bit: patience ends when it begins; from then on only `request.signal` ends it. */
export async function callForStream(connection: Asked, request: EngineRequest): Promise<Readable> {
  const limit = limitOf(connection, request)
  try {
    const stream = await limit.within(dial(connection, request, limit.signal))
    limit.begun()
    stream.once('close', limit.over)
    return stream
  } catch (error) {
    limit.over()
    throw error
  }
}

function dial(connection: Asked, request: EngineRequest, abortSignal: AbortSignal): Promise<Readable> {
  const modem: Modem = connection.docker.modem
  return new Promise((resolve, reject) => {
    modem.dial(
      {
        // The question mark makes docker-modem send `_query` apart from `_body`.
        path: `${request.path}?`,
        method: request.method ?? 'GET',
        options: { _query: request.query ?? {}, _body: request.body ?? {} },
        ...(request.file === undefined ? {} : { file: request.file }),
        abortSignal,
        statusCodes: ACCEPTED,
        // docker-modem's own reading never ends where an answer breaks off.
        isStream: true,
      },
      (error, answer) => (error ? reject(error) : resolve(answer as Readable)),
    )
  })
}

async function readAll(answer: Promise<Readable>): Promise<Buffer> {
  return buffer(await answer)
}

async function readUpTo(answer: Promise<Readable>, most: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  // Leaving the loop early destroys the stream.
  for await (const chunk of (await answer) as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > most) throw new TooLong(`more than ${most} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const start = text.slice(0, 80).replaceAll(/\s+/g, ' ')
    throw Object.assign(new Error(`it is no JSON: ${start}`, { cause: error }), { code: 'ERR_ANSWER' })
  }
}

interface Limit {
  /** Aborted when the time is over, or the caller's own signal is. */
  readonly signal: AbortSignal
  /** Rejects when the signal is aborted, also where the work itself does not end then. */
  within<T>(work: Promise<T>): Promise<T>
  /** No time counts any more; the caller's signal still does. */
  begun(): void
  over(): void
}

/** By hand: Node 20 may collect what AbortSignal.timeout and any made before it fires. */
function limitOf(connection: Asked, request: EngineRequest): Limit {
  const controller = new AbortController()
  const { signal } = controller
  const stop = () => controller.abort()
  const milliseconds =
    (request.timeout ?? (connection.patience ?? PATIENCE) * (request.times ?? 1)) + (request.waits ?? 0)
  const timer = setTimeout(stop, milliseconds)
  if (request.signal?.aborted === true) stop()
  else request.signal?.addEventListener('abort', stop)
  const begun = () => clearTimeout(timer)
  return {
    signal,
    within: (work) =>
      new Promise((resolve, reject) => {
        const giveUp = () => reject(Object.assign(new Error('no answer in time'), { code: 'ABORT_ERR' }))
        if (signal.aborted) giveUp()
        else signal.addEventListener('abort', giveUp, { once: true })
        work.then(resolve, reject)
      }),
    begun,
    over() {
      begun()
      request.signal?.removeEventListener('abort', stop)
    },
  }
}
