// Two containers of an earlier swap that nobody wants any more, of which only the old one serves: it is the one that stays
// until the next generation comes.

import { liveName, retiredName } from './names.ts'
import type { ObservedContainer } from './observed.ts'
import { followed } from './recover-ingress.ts'
import type { Recovery, RecoveryContext } from './recover.ts'
import type { Situation } from './situation.ts'
import { refOf, retire, step } from './steps.ts'

/** Whether the old one does its work, and the new one does not, or not yet. */
export function servesAlone(old: ObservedContainer, live: ObservedContainer): boolean {
  if (live.labels.kind === 'job') return false
  return serves(old) && !serves(live)
}

function serves({ state, health }: ObservedContainer): boolean {
  return state === 'running' && health !== 'starting' && health !== 'unhealthy'
}

/** Killed between the renames it leaves two old containers and no new one, of which the next turn takes one back. */
export function backToWhatServes(
  situation: Situation,
  live: ObservedContainer,
  old: ObservedContainer,
  context: RecoveryContext,
): Recovery {
  const { leaf } = situation
  const [container, oldRef] = [refOf(leaf, live), refOf(leaf, old)]
  return {
    because: 'the old container of an earlier swap still serves, and the new one does not; the old one comes back',
    prepare: [],
    commit: [
      step({ do: 'rename', container, to: retiredName(context.prefix, leaf, live.id) }),
      step({ do: 'rename', container: oldRef, to: liveName(context.prefix, leaf) }),
      step({ do: 'restart-policy', container: oldRef, policy: old.labels.restart }),
      ...followed(situation, context),
    ],
    cleanup: retire(leaf, live, 0),
  }
}
