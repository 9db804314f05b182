// Git's conversation with a program (`ssh host git-upload-pack 'path'`) in the shape of smart HTTP, which is what
// isomorphic-git speaks: the refs up to the flush packet are the answer to the GET, a POST is written to the same program
// and answered by all that follows. A program that ends badly never looks like a short answer.
// Git documentation, gitprotocol-pack, "SSH Transport" and "Reference Discovery".

import type { GitHttpRequest, GitHttpResponse, HttpClient } from 'isomorphic-git'
import type { Transport } from './http-transport.ts'
import { answerTooLarge } from './limits.ts'
import { packetLine } from './packet-lines.ts'
import { openPipe, type Pipe, type PipeEnd, type PipeProgram } from './pipe.ts'
import type { RepositoryFault } from './repository.ts'

export type Service = 'git-upload-pack' | 'git-receive-pack'

export interface PipeOptions {
  /**
   * What stands for the server. `protocol`: what it may be asked for in `GIT_PROTOCOL`, such as `version=2`; null for the
   * first version. Throws RepositoryFault.
   */
  program(service: Service, protocol: string | null): PipeProgram
  /** What it means that the program ended so, without its whole answer. */
  fault(service: Service, end: PipeEnd): RepositoryFault
  /** What it means that it answered with something else than Git does; `said` is the beginning of that. */
  nonsense(said: string): RepositoryFault
  readonly idleMs: number
  readonly responseBytes: number
}

/** Never asked by anybody: the program is what answers. */
const WIRE = 'http://pipe.invalid'

export function openPipeTransport(options: PipeOptions): Transport {
  return {
    wire: () => WIRE,
    open(signal) {
      let fail: (error: unknown) => void = () => undefined
      const failed = new Promise<never>((_, reject) => (fail = reject))
      failed.catch(() => undefined)
      const pipes = new Map<Service, Pipe>()
      const abort = (): void => {
        for (const pipe of pipes.values()) pipe.kill()
        fail(signal.reason)
      }
      signal.addEventListener('abort', abort, { once: true })
      const http: HttpClient = {
        async request(wish) {
          try {
            signal.throwIfAborted()
            return await answer(wish, pipes, options, fail)
          } catch (error) {
            fail(error)
            throw error
          }
        },
      }
      return {
        http,
        failed,
        close() {
          signal.removeEventListener('abort', abort)
          for (const pipe of pipes.values()) pipe.leave()
        },
      }
    },
  }
}

async function answer(
  wish: GitHttpRequest,
  pipes: Map<Service, Pipe>,
  options: PipeOptions,
  fail: (error: unknown) => void,
): Promise<GitHttpResponse> {
  const service: Service = wish.url.includes('git-receive-pack') ? 'git-receive-pack' : 'git-upload-pack'
  if (wish.method !== 'POST') {
    pipes.get(service)?.leave()
    const pipe = openPipe(options.program(service, wish.headers?.['Git-Protocol'] ?? null), options.idleMs)
    pipes.set(service, pipe)
    const refs = await readSection(pipe, service, options)
    const announced = [packetLine(`# service=${service}\n`), Buffer.from('0000')]
    return response(wish, `${service}-advertisement`, one(Buffer.concat([...announced, refs])))
  }
  const pipe = pipes.get(service)
  if (pipe === undefined) throw new Error(`${service} was not asked for its refs first`)
  void pipe.writeAll(Buffer.concat(await collect(wish.body)))
  return response(wish, `${service}-result`, rest(pipe, service, options, fail))
}

function response(wish: GitHttpRequest, type: string, body: AsyncIterableIterator<Uint8Array>): GitHttpResponse {
  const headers = { 'content-type': `application/x-${type}` }
  return { url: wish.url, method: wish.method ?? 'GET', statusCode: 200, statusMessage: '', headers, body }
}

/** All packets up to and with the first flush packet. */
async function readSection(pipe: Pipe, service: Service, options: PipeOptions): Promise<Buffer> {
  let bytes = Buffer.alloc(0)
  let at = 0
  for (;;) {
    while (at + 4 <= bytes.length) {
      const digits = bytes.toString('latin1', at, at + 4)
      if (!/^[0-9a-f]{4}$/i.test(digits)) throw strange(pipe, bytes.subarray(at), options)
      const length = Number.parseInt(digits, 16)
      if (length === 0) {
        if (at + 4 < bytes.length) pipe.unread(bytes.subarray(at + 4))
        return bytes.subarray(0, at + 4)
      }
      if (at + length > bytes.length) break
      const packet = bytes.subarray(at + 4, at + length)
      if (packet.toString('latin1', 0, 4) === 'ERR ') {
        const words = packet.toString('utf8', 4)
        pipe.kill()
        throw options.fault(service, { code: 1, words, missing: false, silent: false })
      }
      at += Math.max(4, length)
    }
    const chunk = await pipe.read()
    if (chunk === null) throw options.fault(service, await pipe.ended)
    bytes = Buffer.concat([bytes, chunk])
    if (bytes.length > options.responseBytes) throw answerTooLarge(options.responseBytes)
  }
}

/** A shell that prints a greeting, or something that is no Git at all. */
function strange(pipe: Pipe, bytes: Buffer, options: PipeOptions): RepositoryFault {
  pipe.kill()
  return options.nonsense(bytes.toString('utf8', 0, 200))
}

/** What follows, up to the end of the program, which must be a good one. */
async function* rest(
  pipe: Pipe,
  service: Service,
  options: PipeOptions,
  fail: (error: unknown) => void,
): AsyncIterableIterator<Uint8Array> {
  let bytes = 0
  try {
    for (let chunk = await pipe.read(); chunk !== null; chunk = await pipe.read()) {
      bytes += chunk.length
      if (bytes > options.responseBytes) throw answerTooLarge(options.responseBytes)
      yield chunk
    }
    const end = await pipe.ended
    if (end.code !== 0) throw options.fault(service, end)
  } catch (error) {
    pipe.kill()
    fail(error)
    throw error
  }
}

async function collect(parts: GitHttpRequest['body']): Promise<Uint8Array[]> {
  const all: Uint8Array[] = []
  if (parts !== undefined) for await (const part of parts) all.push(part)
  return all
}

async function* one(bytes: Uint8Array): AsyncIterableIterator<Uint8Array> {
  yield bytes
}
