// Who is to blame for a container that is no longer as it was: its spec, somebody who paused, stopped or removed it, or the
// engine, which may be going down itself.

import type { Leaf } from '../desired/tree.ts'
import type { ObservedContainer } from '../plan/observed.ts'
import { STOPPED_FROM_OUTSIDE } from '../plan/recover.ts'
import type { Clock } from './clock.ts'
import { EngineFault, type Engine } from './engine.ts'
import { lastLines } from './log-tail.ts'
import { SpecFailure } from './outcome.ts'

/** An exit is only believed when the engine still answers this much later: it may be going down itself. */
export const EXIT_GRACE = 1_500

export interface Suspect {
  readonly engine: Engine
  readonly clock: Clock
  readonly leaf: Leaf
  readonly id: string
  /** Who it is and where, for a message: `the candidate of web at its gate`. */
  readonly who: string
  /** Put behind what it did: ` after the switch`; empty at the gate. */
  readonly when: '' | ' after the switch'
}

/** Throws EngineFault (not-found) where it is gone. */
export async function inspectSuspect({ engine, id, who }: Suspect): Promise<ObservedContainer> {
  const container = await engine.inspect(id)
  if (container !== null) return container
  throw new EngineFault('not-found', `somebody removed ${who}`, 'It is planned anew')
}

/**
 * Waits EXIT_GRACE, then throws SpecFailure; an EngineFault where somebody paused, stopped or removed it, or the engine
 * does not answer. `exitCode`: where it was seen, because one that its policy has brought back no longer has it.
 */
export async function blameExit(suspect: Suspect, exitCode: number | null = null): Promise<never> {
  await suspect.clock.sleep(EXIT_GRACE)
  const container = await inspectSuspect(suspect)
  if (container.state === 'paused') throw pausedFault(suspect)
  if (await fromOutside(suspect.engine, container, exitCode)) throw stoppedFault(suspect.who)
  const how = exitWords(container, exitCode) + suspect.when
  throw await specFailure(suspect, container.error === '' ? how : `${how}: ${container.error}`)
}

/**
 * Whether somebody or something outside of it ended the container: the engine's events say it, or, where it was started
 * again meanwhile and remembers nothing, an exit code that fits. `exitCode`: as it was seen; null: the one it has now.
 */
export async function fromOutside(
  engine: Pick<Engine, 'endedBy'>,
  container: ObservedContainer,
  exitCode: number | null = null,
): Promise<boolean> {
  if (container.oomKilled) return false
  const by = await engine.endedBy(container)
  return by === 'signal' || (by === 'unknown' && STOPPED_FROM_OUTSIDE.has(exitCode ?? container.exitCode))
}

/** Somebody did something to the container: no fault of its spec, and none of the engine's either. */
export class Interference extends EngineFault {}

export function pausedFault({ who }: Pick<Suspect, 'who'>): Interference {
  return new Interference('engine', `somebody paused ${who}`, 'Leave it running; it is tried again')
}

export function stoppedFault(who: string): Interference {
  return new Interference('engine', `somebody stopped ${who}`, 'Leave it running; it is tried again')
}

export async function specFailure({ engine, leaf, id }: Suspect, message: string): Promise<SpecFailure> {
  return new SpecFailure(leaf.name, message, await lastLines(engine, id))
}

function exitWords(container: ObservedContainer, seen: number | null): string {
  if (container.oomKilled) return 'ran out of memory'
  if (seen !== null) return `exited with code ${seen}`
  return container.state === 'running' ? 'exited and was started again' : `exited with code ${container.exitCode}`
}
