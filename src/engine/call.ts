// One call to the engine: a request with a time limit, an answer as JSON, every failure an `EngineFault`.

import type Docker from 'dockerode'

import { toEngineFault } from './faults.ts'

export interface EngineRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Without the version: `/containers/ID/json`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | boolean>>
  readonly body?: object
  /** Bytes to send instead of a JSON body. */
  readonly file?: Buffer
  /** Milliseconds after which an engine that says nothing counts as unreachable; 60,000 where it is absent. */
  readonly timeout?: number
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
  connection: { readonly docker: Docker; readonly url: string },
  what: string,
  request: EngineRequest,
): Promise<T> {
  try {
    return await rawCall<T>(connection.docker, request)
  } catch (error) {
    throw toEngineFault(error, connection.url, what)
  }
}

/** The same, rejecting with dockerode's own error, for callers that read statuses themselves. */
export function rawCall<T>(docker: Docker, request: EngineRequest): Promise<T> {
  const modem: Modem = docker.modem
  const limit = AbortSignal.timeout(request.timeout ?? 60_000)
  return new Promise((resolve, reject) => {
    modem.dial(
      {
        // The question mark makes docker-modem send `_query` apart from `_body`.
        path: `${request.path}?`,
        method: request.method ?? 'GET',
        options: { _query: request.query ?? {}, _body: request.body ?? {} },
        ...(request.file === undefined ? {} : { file: request.file }),
        abortSignal: request.signal === undefined ? limit : AbortSignal.any([limit, request.signal]),
        statusCodes: ACCEPTED,
      },
      (error, answer) => (error ? reject(error) : resolve(answer as T)),
    )
  })
}
