// The engine's streams: frames, log lines, JSON lines, pull progress; wherever the network cuts them.

import { Readable } from 'node:stream'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { LogLine } from '../../../src/apply/engine.ts'
import { jsonLines } from '../../../src/engine/json-lines.ts'
import { logLineJoiner } from '../../../src/engine/log-lines.ts'
import { pullProgressMeter } from '../../../src/engine/pull-progress.ts'
import { frames } from '../../../src/engine/stream-frames.ts'

const PIECE = 16 * 1024
const TIME = '2026-01-02T03:04:05.678901234Z'

function frame(stream: 'stdout' | 'stderr', text: string): Buffer {
  const bytes = Buffer.from(text)
  const header = Buffer.alloc(8)
  header[0] = stream === 'stderr' ? 2 : 1
  header.writeUInt32BE(bytes.length, 4)
  return Buffer.concat([header, bytes])
}

/** As the engine sends it: pieces of a line, each with a time, only the last with a line end. */
function logged(stream: 'stdout' | 'stderr', text: string, wrap: (text: string) => Buffer): Buffer {
  const pieces: Buffer[] = []
  for (let at = 0; at < Math.max(1, text.length); at += PIECE) {
    const last = at + PIECE >= text.length
    pieces.push(wrap(`${TIME} ${text.slice(at, at + PIECE)}${last ? '\n' : ''}`))
  }
  return Buffer.concat(pieces)
}

function cut(bytes: Buffer, places: readonly number[]): Readable {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].toSorted((a, b) => a - b)
  const ends = [...sorted, bytes.length]
  return Readable.from(
    ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end)).filter((part) => part.length > 0),
  )
}

async function linesOf(stream: Readable, tty: boolean): Promise<LogLine[]> {
  const joiner = logLineJoiner(tty)
  const lines: LogLine[] = []
  for await (const part of frames(stream, tty)) lines.push(...joiner.add(part))
  return [...lines, ...joiner.end()]
}

const anyText = fc.oneof(
  fc.string({ unit: 'binary-ascii', maxLength: 30 }).map((text) => text.replaceAll(/[\r\n]/g, '')),
  fc.constantFrom(PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 40_000).map((length) => 'x'.repeat(length)),
)
const anyCuts = fc.array(fc.nat(200_000), { maxLength: 12 })

test('log lines of both streams are whole, wherever the stream is cut', async () => {
  const anyLine = fc.record({ stream: fc.constantFrom('stdout', 'stderr'), text: anyText })
  await fc.assert(
    fc.asyncProperty(fc.array(anyLine, { maxLength: 6 }), anyCuts, async (lines, cuts) => {
      const bytes = Buffer.concat(
        lines.map(({ stream, text }) => logged(stream, text, (piece) => frame(stream, piece))),
      )
      const read = await linesOf(cut(bytes, cuts), false)
      expect(read.map(({ stream, text }) => ({ stream, text }))).toEqual(lines)
      for (const line of read) expect(line.time).toBe(Date.UTC(2026, 0, 2, 3, 4, 5, 678))
    }),
    { numRuns: 60 },
  )
})

test('log lines of a terminal are whole, wherever the stream is cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyText, { maxLength: 6 }), anyCuts, async (texts, cuts) => {
      const bytes = Buffer.concat(texts.map((text) => logged('stdout', text, Buffer.from)))
      expect((await linesOf(cut(bytes, cuts), true)).map(({ text }) => text)).toEqual(texts)
    }),
    { numRuns: 60 },
  )
})

test('a line that never ends is given in parts', async () => {
  const bytes = Buffer.concat(Array.from({ length: 100 }, () => frame('stdout', `${TIME} ${'x'.repeat(PIECE)}`)))
  const lines = await linesOf(Readable.from([bytes]), false)
  expect(lines.length).toBe(2)
  expect(lines.reduce((sum, { text }) => sum + text.length, 0)).toBe(100 * PIECE)
})

test('JSON values are read wherever the stream is cut; what is no JSON is left out', async () => {
  const bytes = Buffer.from('{"a":"ü"}\r\n\nnonsense\n{"b":[1,2]}\n{"c":3}')
  for (let place = 0; place < bytes.length; place++) {
    const values: unknown[] = []
    for await (const value of jsonLines(cut(bytes, [place]))) values.push(value)
    expect(values).toEqual([{ a: 'ü' }, { b: [1, 2] }, { c: 3 }])
  }
})

test('the progress of a pull is the sum of its layers, and grows', () => {
  const meter = pullProgressMeter()
  const say = (id: string, status: string, current?: number, total?: number) =>
    meter({
      id,
      status,
      progressDetail: { ...(current === undefined ? {} : { current }), ...(total === undefined ? {} : { total }) },
    })
  expect(say('1.0', 'Pulling from team/app')).toEqual({ current: 0, total: 0, status: 'Pulling from team/app' })
  say('aa', 'Pulling fs layer')
  expect(say('aa', 'Downloading', 10, 100)).toMatchObject({ current: 10, total: 100 })
  expect(say('bb', 'Downloading', 50, 200)).toMatchObject({ current: 60, total: 300 })
  expect(say('aa', 'Download complete')).toMatchObject({ current: 150, total: 300 })
  expect(say('aa', 'Extracting', 5, 100)).toMatchObject({ current: 150, total: 300 })
  expect(say('bb', 'Pull complete')).toMatchObject({ current: 300, total: 300 })
  expect(meter({ error: 'no' })).toBeNull()
})
