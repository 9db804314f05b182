// A container's log as lines with times, whole even where the engine had cut them.

import type { Readable } from 'node:stream'
import type { LogLine, LogOptions } from '../apply/engine.ts'
import { rawCall } from './call.ts'
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
    const { Config: config } = await rawCall<WireContainer>(connection.docker, {
      path: `/containers/${id}/json`,
      signal,
    })
    stream = await openLog(connection, id, options, signal)
    const tty = config.Tty ?? false
    const joiner = logLineJoiner(tty)
    for await (const frame of frames(stream, tty)) yield* joiner.add(frame)
    yield* joiner.end()
  } catch (error) {
    if (!signal.aborted) throw toEngineFault(error, connection.url, `read the log of ${id.slice(0, 12)}`)
  } finally {
    signal.removeEventListener('abort', onAbort)
    stream?.destroy()
  }
}

/** The last `count` lines, both streams, without times: what a report shows of a container that failed. */
export async function lastLines(connection: EngineConnection, id: string, count: number): Promise<string[]> {
  const lines: string[] = []
  for await (const line of readLogs(connection, id, { tail: count })) lines.push(line.text)
  return lines.slice(-count)
}

/** dockerode's own `logs` would hold a whole log in memory when it does not follow; as a stream it never does. */
function openLog(
  connection: EngineConnection,
  id: string,
  options: LogOptions,
  signal: AbortSignal,
): Promise<Readable> {
  const request = {
    path: `/containers/${id}/logs?`,
    method: 'GET',
    isStream: true,
    statusCodes: { 200: true, 404: 'no such container', 409: 'conflict', 500: 'server error', 501: 'not readable' },
    options: {
      stdout: true,
      stderr: true,
      timestamps: true,
      follow: options.follow ?? false,
      tail: options.tail === undefined ? 'all' : String(options.tail),
    },
    abortSignal: signal,
  }
  const modem: Modem = connection.docker.modem
  return new Promise((resolve, reject) => {
    modem.dial(request, (error, stream) => (error ? reject(error) : resolve(stream as Readable)))
  })
}

/** The part of docker-modem that dockerode itself calls with; its types leave it open. */
interface Modem {
  dial(options: object, callback: (error: Error | null, answer: unknown) => void): void
}
