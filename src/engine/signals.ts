// Whether a container ended by itself or was ended: the engine's own record of the last minutes says it, its state does
// not.

import type { Ended, EndedBy } from '../apply/engine.ts'
import { callForStream } from './call.ts'
import type { EngineConnection } from './connect.ts'
import { toEngineFault } from './faults.ts'
import { jsonLines } from './json-lines.ts'

/** One event, as far as it is read (Engine API 1.41, SystemEvents). */
interface Message {
  readonly Action?: string
  /** Seconds since 1970. */
  readonly time?: number
  /** The same in nanoseconds, to some hundreds of them. */
  readonly timeNano?: number
  readonly Actor?: { readonly Attributes?: Readonly<Record<string, string>> }
}

/** Signals that are sent to end something: INT, QUIT, ABRT, KILL, TERM. Others ask for a reload. */
const ENDS: ReadonlySet<string> = new Set(['2', '3', '6', '9', '15'])

function isEnd({ Action: action, Actor: actor }: Message): boolean {
  return action === 'stop' || (action === 'kill' && ENDS.has(actor?.Attributes?.['signal'] ?? '15'))
}

function isStartBefore({ Action: action, time = 0, timeNano = time * 1e9 }: Message, moment: number): boolean {
  return action === 'start' && timeNano / 1e6 < moment
}

/**
 * Docker keeps its last 256 events (moby, daemon/events) and writes `kill` for each signal that a call asks for, and
 * `stop` at the end of a `stop` or `restart`. It forgets them when it is started again: where not even the start
 * of what ended is among them, nothing is known. Throws an EngineFault where it does not answer.
 */
export async function endedBy(
  connection: EngineConnection,
  { id, createdAt, startedAt, finishedAt, state }: Ended,
): Promise<EndedBy> {
  const filters = JSON.stringify({ type: ['container'], container: [id], event: ['start', 'kill', 'stop'] })
  // Both by the engine's clock; for what is still to come the engine would hold its answer back. The start of a program
  // that ends at once is told after its end.
  const since = String(Math.floor(createdAt / 1000) - 1)
  const until = String(Math.ceil((finishedAt ?? createdAt) / 1000) + 1)
  // What runs again was started anew since; else the last start is that of what ended.
  const isUp = state === 'running' || state === 'paused'
  const end = isUp ? (startedAt ?? createdAt) : Number.POSITIVE_INFINITY
  try {
    const stream = await callForStream(connection, { path: '/events', query: { filters, since, until } })
    let remembered = false
    for await (const event of jsonLines(stream)) {
      if (isEnd(event as Message)) return 'signal'
      remembered ||= isStartBefore(event as Message, end)
    }
    return remembered ? 'itself' : 'unknown'
  } catch (error) {
    throw toEngineFault(error, connection.url, `ask what ended container ${id.slice(0, 12)}`)
  }
}
