// The old container keeps its open connections for a while; it goes when the last has ended or the time is over.

import type { Clock } from './clock.ts'
import type { Engine } from './engine.ts'

/** Clients that looked the name up just before it moved still get this long to arrive. */
const AT_LEAST = 500
const LOOK_EVERY = 250

export async function drain(
  engine: Engine,
  clock: Clock,
  id: string,
  milliseconds: number,
  signal: AbortSignal,
): Promise<void> {
  const begun = clock.now()
  const until = begun + milliseconds
  await clock.sleep(Math.min(AT_LEAST, milliseconds), signal)
  while (clock.now() < until && !signal.aborted) {
    const open = await engine.openConnections(id)
    if (open === 0) return
    await clock.sleep(Math.min(LOOK_EVERY, Math.max(1, until - clock.now())), signal)
  }
}
