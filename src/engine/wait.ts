// Waits for the end of a container's run.

import { setTimeout as sleep } from 'node:timers/promises'

import { rawCall } from './call.ts'
import type { EngineConnection } from './connect.ts'
import { toEngineFault } from './faults.ts'
import type { WireContainer } from './wire.ts'

/** One wait on the engine lasts at most this long; then the container is looked at and waited for again. */
const ONE_WAIT = 60_000

/**
 * Resolves when the container no longer runs (a restarting one still does). Rejects with the signal's reason when it
 * is aborted, and with an EngineFault where there is no such container or no engine.
 */
export async function waitForExit(
  connection: EngineConnection,
  id: string,
  signal: AbortSignal,
): Promise<{ readonly exitCode: number }> {
  const path = `/containers/${encodeURIComponent(id)}`
  for (;;) {
    signal.throwIfAborted()
    try {
      const { State: state } = await rawCall<WireContainer>(connection, { path: `${path}/json`, signal })
      if (!['running', 'paused', 'restarting'].includes(state.Status)) return { exitCode: state.ExitCode ?? 0 }
      // Podman and Docker alike hold the answer back until it ends.
      await waitOnce(connection, path, signal)
    } catch (error) {
      signal.throwIfAborted()
      throw toEngineFault(error, connection.url, `wait for container ${id.slice(0, 12)}`)
    }
  }
}

async function waitOnce(connection: EngineConnection, path: string, signal: AbortSignal): Promise<void> {
  const begun = performance.now()
  try {
    await rawCall(connection, {
      method: 'POST',
      path: `${path}/wait`,
      query: { condition: 'not-running' },
      timeout: ONE_WAIT,
      signal,
    })
    // One that the engine restarts does not run for a moment.
    await sleep(20, undefined, { signal })
  } catch (error) {
    // Nothing was heard because nothing has happened: whoever waits looks at the container now.
    if (signal.aborted || performance.now() - begun < ONE_WAIT) throw error
  }
}
