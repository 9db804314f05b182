// A set that is stopped, and one that comes back: its containers are kept and started again, none is made anew.

import type { Leaf } from '../desired/tree.ts'
import type { ObservedContainer } from './observed.ts'
import { runs, type Wait } from './planning.ts'
import { hold, inPlace, keep, verdictOf, type Proposal } from './proposal.ts'
import type { Step } from './step.ts'
import { refOf, step } from './steps.ts'
import type { FieldChange } from './verdict.ts'

/** Its set says `state: stopped`. */
export function stopped(
  leaf: Leaf,
  live: ObservedContainer | null,
  waiting: Pick<Wait, 'until' | 'because'> | null,
): Proposal {
  if (live === null) return keep(leaf, null, 'its set is stopped, and it was never started')
  const isDown = !runs(live) && live.state !== 'paused' && live.restartPolicy === 'no'
  if (waiting !== null && !isDown)
    return hold(leaf, live, `its set is stopped; ${waiting.because}`, { retryAt: waiting.until })
  const container = refOf(leaf.name, live)
  const policy = { do: 'restart-policy', container, policy: 'no' } as const
  if (runs(live) || live.state === 'paused') {
    const steps = [
      step(policy, { ...policy, policy: live.labels.restart }),
      step({ do: 'stop', container }, { do: 'start', container }),
    ]
    return { verdict: verdictOf(leaf, live, 'stop', 'its set is stopped'), work: inPlace(leaf.name, steps) }
  }
  if (live.restartPolicy !== 'no') {
    const verdict = verdictOf(leaf, live, 'stop', 'an engine restart would start it')
    return { verdict, work: inPlace(leaf.name, [step(policy)]) }
  }
  return keep(leaf, live, 'its set is stopped')
}

/** graft took it down and left its policy at `no`: its set was stopped, or graft was while it swapped it. */
export function wasStopped(live: ObservedContainer): boolean {
  return live.state === 'exited' && live.restartPolicy === 'no' && live.labels.restart !== 'no'
}

/**
 * `repairs` starts it. It is checked before what depends on it follows, and the engine may restart it only from then on.
 */
export function bringBack(
  leaf: Leaf,
  live: ObservedContainer,
  changes: readonly FieldChange[],
  repairs: readonly Step[],
): Proposal {
  const gate = step({ do: 'gate', leaf: leaf.name, container: refOf(leaf.name, live) })
  const prepare = repairs.flatMap((one) => (one.action.do === 'start' ? [one, gate] : [one]))
  return {
    verdict: verdictOf(leaf, live, 'restore', 'it had been stopped, and is to run', { changes }),
    work: { kind: 'steps', leaf: leaf.name, prepare, commit: [], cleanup: [], preemptible: true, launches: true },
  }
}
