// What an earlier turn left between its renames: every gate had passed, so that the only way is forward.

import { liveName, retiredName } from './names.ts'
import type { ObservedContainer } from './observed.ts'
import { runs } from './planning.ts'
import type { Recovery, RecoveryContext } from './recover.ts'
import type { Situation } from './situation.ts'
import { refOf, step, takeDown } from './steps.ts'

/** No NAME, `.next` and `.prev`: the gate had passed, only the last rename is missing. */
export function renameForward(situation: Situation, candidate: ObservedContainer, context: RecoveryContext): Recovery {
  const container = refOf(situation.leaf, candidate)
  return {
    because: 'an interrupted swap had passed its gate; it is finished',
    prepare: [],
    commit: [step({ do: 'rename', container, to: liveName(context.prefix, situation.leaf) })],
    cleanup: [],
  }
}

/**
 * The old container could never be started again, so that there is no way back from here. What the leaf has become
 * meanwhile is for the next turn.
 */
export function switchAlong(
  { leaf }: Situation,
  candidate: ObservedContainer,
  live: ObservedContainer,
  { prefix }: RecoveryContext,
): Recovery {
  const old = refOf(leaf, live)
  const down = runs(live) || live.state === 'paused' ? takeDown(leaf, live, null).map(({ action }) => step(action)) : []
  return {
    because: 'an interrupted swap had passed its gate, and the container it joins has switched; it is finished',
    prepare: [],
    commit: [
      ...down,
      step({ do: 'rename', container: old, to: retiredName(prefix, leaf, live.id) }),
      step({ do: 'rename', container: refOf(leaf, candidate), to: liveName(prefix, leaf) }),
    ],
    cleanup: [],
  }
}
