// What a restart of a live container cures, whether or not it is the one that its leaf declares: a check that fails, and
// a namespace that went when the container which owns it was started again.

import type { Leaf } from '../desired/tree.ts'
import type { LeafContext } from './leaf-context.ts'
import type { ObservedContainer } from './observed.ts'
import { isUnhealthy } from './planning.ts'
import type { Repair } from './repair.ts'
import { refOf, step } from './steps.ts'
import { joinedLeaves } from './swap-order.ts'

export function ailmentOf(leaf: Leaf, live: ObservedContainer, context: LeafContext): Repair | null {
  if (live.state !== 'running') return null
  const sick = isUnhealthy(leaf, live, context.input.probed) && leaf.on_unhealthy === 'restart'
  const because = sick ? 'its health check fails' : lostNamespace(leaf, live, context)
  if (because === null) return null
  const container = refOf(leaf.name, live)
  const confirm = sick ? [step({ do: 'confirm-unhealthy', leaf: leaf.name, container })] : []
  return { because, steps: [...confirm, ...restartSteps(leaf.name, live)] }
}

export function restartSteps(leaf: string, live: ObservedContainer): Repair['steps'] {
  const container = refOf(leaf, live)
  return [step({ do: 'stop', container }), step({ do: 'start', container })]
}

/**
 * Whether what looks older than `time` is. A time that is still to come was noted before the engine's clock was set back;
 * it would ask for restarts until then.
 */
export function startedBefore(live: ObservedContainer, time: number, now: number): boolean {
  return (live.startedAt ?? 0) < time && time <= now
}

/** One that joined a container which is gone is no better for a restart. */
function lostNamespace(leaf: Leaf, live: ObservedContainer, context: LeafContext): string | null {
  const { network_mode, pid, ipc } = live.running
  for (const joined of joinedLeaves(leaf)) {
    const owner = context.live(joined)
    if (owner === null || ![network_mode, pid, ipc].includes(`container:${owner.id}`)) continue
    if (startedBefore(live, owner.startedAt ?? 0, context.input.now))
      return `${joined}, whose namespace it joins, was restarted`
  }
  return null
}
