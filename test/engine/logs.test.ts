// Logs on a real engine: both streams, times, long lines, terminals, following, drivers that keep none.

import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest'
import type { LogLine } from '../../src/apply/engine.ts'
import { connectEngine, type EngineConnection } from '../../src/engine/connect.ts'
import { lastLines, readLogs } from '../../src/engine/logs.ts'
import { removeThrowaways, runThrowaway } from './throwaway-containers.ts'

let connection: EngineConnection
const run = (script: string, more: object = {}, host: object = {}) => runThrowaway(connection, script, more, host)
const ended = (id: string) => connection.docker.getContainer(id).wait()

beforeAll(async () => {
  connection = await connectEngine(inject('engineUrl'))
})
afterEach(() => removeThrowaways(connection))
afterAll(() => connection.close())

async function collect(id: string, options = {}): Promise<LogLine[]> {
  const lines: LogLine[] = []
  for await (const line of readLogs(connection, id, options)) lines.push(line)
  return lines
}

test('both streams, times, tail, a container that has exited', async () => {
  const begun = Date.now()
  const id = await run('echo one; sleep 0.05; echo two >&2; sleep 0.05; printf three')
  await ended(id)
  const lines = await collect(id)
  expect(lines.map(({ stream, text }) => [stream, text])).toEqual([
    ['stdout', 'one'],
    ['stderr', 'two'],
    ['stdout', 'three'],
  ])
  for (const line of lines) expect(Math.abs(line.time - begun)).toBeLessThan(20_000)
  expect(await lastLines(connection, id, 2)).toEqual(['two', 'three'])
  await expect(lastLines(connection, 'f'.repeat(64), 2)).rejects.toMatchObject({ kind: 'not-found' })
})

for (const tty of [false, true]) {
  test(`lines longer than the engine's pieces are whole again (tty ${tty})`, async () => {
    const line = (letter: string, count: number) => `yes ${letter} | head -n ${count} | tr -d '\\n'; echo`
    const id = await run(`${line('a', 40_000)}; echo short; ${line('b', 16_384)}; ${line('c', 32_768)}; echo ü`, {
      Tty: tty,
    })
    await ended(id)
    const texts = (await collect(id)).map(({ text }) => text)
    expect(texts.map((text) => text.length)).toEqual([40_000, 5, 16_384, 32_768, 1])
    expect(texts).toEqual(['a'.repeat(40_000), 'short', 'b'.repeat(16_384), 'c'.repeat(32_768), 'ü'])
  })
}

test('followed until the container stops, or until the reader does', async () => {
  const id = await run('i=0; while [ $i -lt 5 ]; do echo $i; i=$((i+1)); sleep 0.1; done')
  expect((await collect(id, { follow: true })).map(({ text }) => text)).toEqual(['0', '1', '2', '3', '4'])

  const endless = await run('echo go; sleep 300')
  const controller = new AbortController()
  const seen: string[] = []
  for await (const { text } of readLogs(connection, endless, { follow: true, signal: controller.signal })) {
    seen.push(text)
    controller.abort()
  }
  expect(seen).toEqual(['go'])
})

test('a driver that keeps none says so', async () => {
  const id = await run('echo one', {}, { LogConfig: { Type: 'none', Config: {} } })
  await ended(id)
  await expect(lastLines(connection, id, 5)).rejects.toMatchObject({
    kind: 'engine',
    message: expect.stringContaining('does not support reading'),
  })
})
