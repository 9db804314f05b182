// The commit of a swap and what follows it: names, the ingress, the time in which the old container could still come
// back, and its end. The same for a swap that goes through and for one that is resumed after a crash.

import type { Leaf, Tree } from '../desired/tree.ts'
import { carriesIngress, follow } from './ingress-steps.ts'
import type { ObservedContainer } from './observed.ts'
import type { ContainerRef, Step } from './step.ts'
import { refOf, retire, step, switchNames } from './steps.ts'

export interface Member {
  readonly leaf: Leaf
  readonly candidate: ContainerRef
  /** As the candidate finds it when it takes its name: a stop-first one is down by then. */
  readonly live: ObservedContainer | null
  readonly order: 'start-first' | 'stop-first'
}

export interface SwitchOver {
  readonly commit: readonly Step[]
  readonly cleanup: readonly Step[]
}

/**
 * All names first, then one reload of the ingress for all of them. Then the old containers that still run keep their
 * open connections for a while, and are there to come back.
 */
export function switchOver(
  members: readonly Member[],
  { prefix, ingress }: Pick<Tree, 'prefix' | 'ingress'>,
): SwitchOver {
  const names = members.flatMap(({ leaf, candidate, live }) => switchNames(leaf, prefix, candidate, live))
  const [first, ...others] = names
  const carried = members.filter(({ leaf, live }) => carriesIngress(leaf, live)).map(({ leaf }) => leaf.name)
  const follows = ingress !== null && carried.length > 0
  // Undone last of the commit: the ingress follows the names when they are back.
  const undone = first === undefined ? [] : [{ ...first, undo: [...first.undo, follow([]).action] }]
  return {
    commit: [
      ...(follows ? [...undone, ...others, follow(carried)] : names),
      ...members.flatMap(staysForNow),
      ...members.flatMap(proveItself),
    ],
    cleanup: [...members.flatMap(letGo), ...(follows && members.some(overlaps) ? [follow([])] : [])],
  }
}

/** Whether the old container still runs when the new one takes its name. */
function overlaps({ order, live }: Member): boolean {
  return order === 'start-first' && live?.state === 'running' && live.labels.kind === 'container'
}

/** It is not live any more: an engine that restarts must not bring it back. */
function staysForNow(member: Member): Step[] {
  const { leaf, live } = member
  if (live === null || !overlaps(member) || live.restartPolicy === 'no') return []
  const policy = { do: 'restart-policy', container: refOf(leaf.name, live), policy: 'no' } as const
  return [step(policy, { ...policy, policy: live.restartPolicy })]
}

function proveItself(member: Member): Step[] {
  const { leaf, candidate, live } = member
  if (live === null || !overlaps(member)) return []
  const old = refOf(leaf.name, live)
  return [step({ do: 'prove', leaf: leaf.name, container: candidate, old, milliseconds: leaf.update.drain })]
}

function letGo(member: Member): Step[] {
  const { leaf, candidate, live, order } = member
  const tag = leaf.kind === 'container' ? [step({ do: 'tag-image', leaf: leaf.name })] : []
  if (live === null) return tag
  const left = overlaps(member)
    ? { ...live, restartPolicy: 'no' }
    : order === 'stop-first'
      ? { ...live, state: 'exited' as const }
      : live
  // It has proved itself; with many members, or a long end of another's old container, that was a while ago.
  const last = overlaps(member) ? [step({ do: 'still-up', leaf: leaf.name, container: candidate })] : []
  return [...tag, ...last, ...retire(leaf.name, left, 0)]
}
