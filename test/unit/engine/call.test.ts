// An engine that says nothing, breaks off in the middle or answers nonsense: every call ends in time, with words.

import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import Docker from 'dockerode'
import { afterEach, beforeEach, expect, it } from 'vitest'

import { EngineFault } from '../../../src/apply/engine.ts'
import { callEngine, callForBytes, callForStream, rawCall, TooLong } from '../../../src/engine/call.ts'
import { jsonLines } from '../../../src/engine/json-lines.ts'

const folder = mkdtempSync(join(tmpdir(), 'graft-call-'))
const socket = join(folder, 'engine.sock')
let server: Server
let answer: (request: IncomingMessage, response: ServerResponse) => void

beforeEach(async () => {
  server = createServer((request, response) => answer(request, response))
  await new Promise<void>((resolve) => server.listen(socket, resolve))
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await rm(socket, { force: true })
})

const connection = () => ({ docker: new Docker({ socketPath: socket }), url: `unix://${socket}`, patience: 200 })
const ask = () => callEngine<unknown>(connection(), 'ask', { path: '/anything' })
const json = { 'content-type': 'application/json' }

async function faultOf(work: Promise<unknown>): Promise<{ kind: string; message: string; took: number }> {
  const begun = performance.now()
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(EngineFault)
  const { kind, message } = error as EngineFault
  return { kind, message, took: performance.now() - begun }
}

const lies: Record<string, { answer: typeof answer; words: RegExp; waits: boolean }> = {
  'says nothing': { answer: () => undefined, words: /does not answer/, waits: true },
  'says nothing after its headers': {
    answer: (_request, response) => response.writeHead(200, json).flushHeaders(),
    words: /does not answer/,
    waits: true,
  },
  'says nothing after half an answer': {
    answer: (_request, response) => response.writeHead(200, json).write('{"Id":'),
    words: /does not answer/,
    waits: true,
  },
  'says nothing in the middle of an error': {
    answer: (_request, response) => response.writeHead(500, json).write('{"message":'),
    words: /does not answer/,
    waits: true,
  },
  'breaks off without an answer': {
    answer: (request) => request.socket.destroy(),
    words: /broke/,
    waits: false,
  },
  'breaks off in the middle': {
    answer: (request, response) =>
      response.writeHead(200, { ...json, 'content-length': '100' }).write('{"Id":', () => request.socket.destroy()),
    words: /broke/,
    waits: false,
  },
  'breaks off in the middle of chunks': {
    answer: (request, response) => response.writeHead(200, json).write('{"Id":', () => request.socket.destroy()),
    words: /broke/,
    waits: false,
  },
  'breaks off in the middle of an error': {
    answer: (request, response) => response.writeHead(500, json).write('{"mess', () => request.socket.destroy()),
    words: /broke/,
    waits: false,
  },
  'answers nonsense': {
    answer: (_request, response) => response.writeHead(200, json).end('<html>\n it works'),
    words: /nonsense .*<html> it works/,
    waits: false,
  },
  'answers no HTTP': {
    answer: (request) => request.socket.end('SSH-2.0-OpenSSH_9.2\r\n'),
    words: /broke/,
    waits: false,
  },
}

it.each(Object.keys(lies))('an engine that %s', async (name) => {
  const lie = lies[name]
  if (lie === undefined) throw new Error(name)
  answer = lie.answer
  const { kind, message, took } = await faultOf(ask())
  expect(kind).toBe('unreachable')
  expect(message).toMatch(lie.words)
  expect(took).toBeLessThan(2_000)
  if (lie.waits) expect(took).toBeGreaterThan(150)
})

it('has its answer, also an empty one, and its errors with their words', async () => {
  answer = (_request, response) => response.writeHead(200, json).end('{"Id":"x"}')
  expect(await ask()).toEqual({ Id: 'x' })
  answer = (_request, response) => response.writeHead(204).end()
  expect(await ask()).toBe('')
  answer = (_request, response) => response.writeHead(404, json).end('{"message":"No such container: x"}')
  expect(await faultOf(ask())).toMatchObject({ kind: 'not-found', message: 'cannot ask: No such container: x' })
  answer = (_request, response) => response.writeHead(502).end('Bad gateway')
  expect(await faultOf(ask())).toMatchObject({ kind: 'engine', message: 'cannot ask: Bad gateway' })
})

it('is given the time that the call needs', async () => {
  answer = (_request, response) => void setTimeout(() => response.writeHead(204).end(), 300)
  await expect(rawCall(connection(), { path: '/slow' })).rejects.toMatchObject({ code: 'ABORT_ERR' })
  await rawCall(connection(), { path: '/slow', times: 2 })
  await rawCall(connection(), { path: '/slow', waits: 300 })
  await rawCall(connection(), { path: '/slow', timeout: 1_000 })
})

it('is left alone by a caller that no longer wants to know', async () => {
  answer = () => undefined
  const controller = new AbortController()
  const work = rawCall(connection(), { path: '/x', timeout: 60_000, signal: controller.signal })
  setTimeout(() => controller.abort(), 20)
  await expect(work).rejects.toMatchObject({ code: 'ABORT_ERR' })
  await expect(rawCall(connection(), { path: '/x', signal: controller.signal })).rejects.toMatchObject({
    code: 'ABORT_ERR',
  })
})

it('does not take in more than it was asked for, and lets go of the connection', async () => {
  let sent = 0
  const closed = new Promise<void>((resolve) => {
    answer = (_request, response) => {
      response.on('close', resolve)
      const send = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024))) sent += 64 * 1024
        if (!response.destroyed) response.once('drain', send)
      }
      send()
    }
  })
  await expect(callForBytes(connection(), { path: '/archive' }, 1024 ** 2)).rejects.toBeInstanceOf(TooLong)
  await closed
  expect(sent).toBeLessThan(8 * 1024 ** 2)
})

it('a stream has patience until it begins, then none is needed; the signal ends it', async () => {
  answer = () => undefined
  await expect(callForStream(connection(), { path: '/events' })).rejects.toMatchObject({ code: 'ABORT_ERR' })
  answer = (_request, response) => {
    response.writeHead(200, json).flushHeaders()
    setTimeout(() => response.write('{"n":1}\n'), 400)
  }
  const controller = new AbortController()
  const stream = await callForStream(connection(), { path: '/events', signal: controller.signal })
  const seen: unknown[] = []
  await expect(
    (async () => {
      for await (const value of jsonLines(stream)) {
        seen.push(value)
        controller.abort()
      }
    })(),
  ).rejects.toMatchObject({ code: 'ECONNRESET' })
  expect(seen).toEqual([{ n: 1 }])
})

it('an archive that breaks off is none', async () => {
  answer = (request, response) => response.writeHead(200).write(Buffer.alloc(512), () => request.socket.destroy())
  await expect(callForBytes(connection(), { path: '/archive' }, 1024)).rejects.toMatchObject({ code: 'ECONNRESET' })
})
