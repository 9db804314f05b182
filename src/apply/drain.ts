// The old container keeps its open connections for a while; it goes when the last has ended or the time is over.

import type { Clock } from './clock.ts'
import { EngineFault, type Engine } from './engine.ts'
import type { Drain } from './outcome.ts'

export interface DrainOptions {
  readonly engine: Engine
  readonly clock: Clock
  /** Of the old container. */
  readonly id: string
  /** The longest it takes. */
  readonly milliseconds: number
  /** Ends it at once. */
  readonly signal: AbortSignal
}

/** Clients that looked the name up just before it moved still get this long to arrive. */
const AT_LEAST = 500
const LOOK_EVERY = 250

/** What the engine cannot tell now is no reason to cut a connection: then the time decides. */
export async function drain({ engine, clock, id, milliseconds, signal }: DrainOptions): Promise<Drain> {
  const begun = clock.steady()
  const until = begun + milliseconds
  await clock.sleep(Math.min(AT_LEAST, milliseconds), signal)
  for (;;) {
    const open = await openConnections(engine, id)
    const now = clock.steady()
    const how = signal.aborted ? 'closing' : open === 0 ? 'idle' : now >= until ? 'time' : null
    if (how !== null) return { how, milliseconds: now - begun, open }
    await clock.sleep(Math.min(LOOK_EVERY, Math.max(1, until - now)), signal)
  }
}

async function openConnections(engine: Engine, id: string): Promise<number | null> {
  try {
    return await engine.openConnections(id)
  } catch (error) {
    if (!(error instanceof EngineFault)) throw error
    return error.kind === 'not-found' ? 0 : null
  }
}
