// Whether a container ended by itself or was ended: the engine's own record of the last minutes says it, its state does
// not.

import type { ObservedContainer } from '../plan/observed.ts'
import { callForStream } from './call.ts'
import type { EngineConnection } from './connect.ts'
import { toEngineFault } from './faults.ts'
import { jsonLines } from './json-lines.ts'

/**
 * Docker keeps its last 256 events (moby, daemon/events) and writes `kill` for each signal that a call asks for, also
 * within `stop` and `restart`; Podman writes `stop`. Throws an EngineFault where it does not answer.
 */
export async function wasSignalled(
  connection: EngineConnection,
  { id, createdAt, finishedAt }: Pick<ObservedContainer, 'id' | 'createdAt' | 'finishedAt'>,
): Promise<boolean> {
  const filters = JSON.stringify({ type: ['container'], container: [id], event: ['kill', 'stop'] })
  // Both by the engine's clock. Were the end still to come, the engine would hold its answer back until then.
  const since = String(Math.floor(createdAt / 1000) - 1)
  const until = String(Math.ceil((finishedAt ?? createdAt) / 1000))
  try {
    const stream = await callForStream(connection, { path: '/events', query: { filters, since, until } })
    for await (const _event of jsonLines(stream)) return true
    return false
  } catch (error) {
    throw toEngineFault(error, connection.url, `ask what ended container ${id.slice(0, 12)}`)
  }
}
