// A container's log as lines with times, whole even where the engine had cut them.

import type { Readable } from 'node:stream'
import type { LogLine, LogOptions } from '../apply/engine.ts'
import { callForStream, rawCall } from './call.ts'
import type { EngineConnection } from './connect.ts'
import { toEngineFault } from './faults.ts'
import { logLineJoiner } from './log-lines.ts'
import { frames } from './stream-frames.ts'
import type { WireContainer } from './wire.ts'

/**
 * Lines in the order in which the engine has them, oldest first. With `follow` it goes on until the container has
 * stopped; an abort ends it quietly. Throws an EngineFault where the container is not there, its logging driver
 * cannot be read (kind `engine`), or the connection breaks.
 */
export async function* readLogs(
  connection: EngineConnection,
  id: string,
  options: LogOptions,
): AsyncGenerator<LogLine, void, undefined> {
  const signal = options.signal ?? new AbortController().signal
  if (signal.aborted) return
  let stream: Readable | null = null
  const onAbort = () => stream?.destroy()
  signal.addEventListener('abort', onAbort)
  try {
    const { Config: config } = await rawCall<WireContainer>(connection, {
      path: `/containers/${id}/json`,
      signal,
    })
    stream = await openLog(connection, id, options, signal)
    const silent = options.follow === true ? null : endWhereSilent(stream, connection.patience)
    const tty = config.Tty ?? false
    const joiner = logLineJoiner(tty)
    for await (const frame of frames(stream, tty)) {
      silent?.refresh()
      yield* joiner.add(frame)
    }
    yield* joiner.end()
  } catch (error) {
    if (!signal.aborted) throw toEngineFault(error, connection.url, `read the log of ${id.slice(0, 12)}`)
  } finally {
    signal.removeEventListener('abort', onAbort)
    stream?.destroy()
  }
}

/** What is there already comes at once; an engine that stops in the middle of it does not answer any more. */
function endWhereSilent(stream: Readable, milliseconds: number): NodeJS.Timeout {
  const timer = setTimeout(() => {
    stream.destroy(Object.assign(new Error('no answer in time'), { code: 'ABORT_ERR' }))
  }, milliseconds)
  stream.once('close', () => clearTimeout(timer))
  return timer
}

/** The last `count` lines, both streams, without times: what a report shows of a container that failed. */
export async function lastLines(connection: EngineConnection, id: string, count: number): Promise<string[]> {
  const lines: string[] = []
  for await (const line of readLogs(connection, id, { tail: count })) lines.push(line.text)
  return lines.slice(-count)
}

function openLog(
  connection: EngineConnection,
  id: string,
  options: LogOptions,
  signal: AbortSignal,
): Promise<Readable> {
  const query = {
    stdout: true,
    stderr: true,
    timestamps: true,
    follow: options.follow ?? false,
    tail: options.tail === undefined ? 'all' : String(options.tail),
  }
  return callForStream(connection, { path: `/containers/${id}/logs`, query, signal })
}
