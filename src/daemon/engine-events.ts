// What the engine tells of the deployment's containers wakes the daemon. Events are hints only: they come late, twice or
// never, and nothing tells of those that came while the engine was away.

import type { Clock } from '../apply/clock.ts'
import type { Engine } from '../apply/engine.ts'
import { FIRST_RETRY } from './pauses.ts'

export interface Listening {
  readonly engine: Engine
  readonly clock: Clock
  readonly signal: AbortSignal
  /** The deployment's name; undefined while no commit is in force. */
  readonly deployment: () => string | undefined
  /** The leaves being worked on: their events are our own doing, and the end of that work wakes anyway. */
  readonly busy: () => ReadonlySet<string>
  readonly wake: () => void
}

/** Resolves when the signal is aborted; where the engine goes away, the loop that looks at it says so. */
export async function listenToEngine({ engine, clock, signal, ...is }: Listening): Promise<void> {
  for (let wasAway = false; !signal.aborted;) {
    try {
      const name = is.deployment()
      if (name !== undefined) {
        // Of what happened unheard nothing tells; the loop that looks may wait for a minute by now.
        if (wasAway) void clock.sleep(FIRST_RETRY, signal).then(is.wake)
        wasAway = true
        for await (const event of engine.events(name, signal)) {
          if (event.leaf === null || !is.busy().has(event.leaf)) is.wake()
        }
        is.wake()
      }
    } catch {
      is.wake()
    }
    await clock.sleep(FIRST_RETRY, signal)
  }
}
