// Members of a swap that passed their gates wait for the others. Before the names are switched each is looked at again.

import type { Leaf } from '../desired/tree.ts'
import type { Clock } from './clock.ts'
import type { Engine } from './engine.ts'
import {
  EXIT_GRACE,
  fromOutside,
  inspectSuspect,
  Interference,
  pausedFault,
  specFailure,
  type Suspect,
} from './exit-blame.ts'

export interface StillUpOptions {
  readonly engine: Engine
  readonly clock: Clock
  readonly leaf: Leaf
  readonly id: string
}

/**
 * Resolves where it runs. Throws SpecFailure where it ended by itself, EngineFault where somebody stopped, paused or
 * removed it, or where it may have gone down with its engine.
 */
export async function stillUp(options: StillUpOptions): Promise<void> {
  const { engine, clock, leaf } = options
  const suspect: Suspect = { ...options, who: `the candidate of ${leaf.name}`, when: '' }
  const seen = await inspectSuspect(suspect)
  if (seen.state === 'running') return
  if (seen.state === 'paused') throw pausedFault(suspect)
  // The engine may be going down itself.
  await clock.sleep(EXIT_GRACE)
  const container = await inspectSuspect(suspect)
  if (await fromOutside(engine, container)) {
    throw new Interference('engine', `${suspect.who} was stopped after its gate`, 'It is tried again')
  }
  const { oomKilled, exitCode } = container
  throw await specFailure(suspect, oomKilled ? 'ran out of memory' : `exited with code ${exitCode} after its gate`)
}
