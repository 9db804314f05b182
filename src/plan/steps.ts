// The steps of tables, each with its undo. The order of a swap is in swap-table.ts and recover.ts.

import type { Leaf } from '../desired/tree.ts'
import { isIngress } from './ingress-steps.ts'
import { candidateName, jobMarkName, liveName, retiredName } from './names.ts'
import type { ObservedContainer } from './observed.ts'
import type { Action, ContainerRef, Step } from './step.ts'
import type { WantedImage } from './wanted-image.ts'

export function refOf(leaf: string, container: ObservedContainer): ContainerRef {
  return { leaf, name: container.name, id: container.id }
}

/** The candidate that a table is going to create. */
export function newCandidate(prefix: string, leaf: string): ContainerRef {
  return { leaf, name: candidateName(prefix, leaf), id: null }
}

export function step(action: Action, ...undo: Action[]): Step {
  return { action, undo }
}

/** Image, create, files: everything slow or likely to fail, while the live container still runs. */
export function stage(
  leaf: Leaf,
  image: WantedImage,
  candidate: ContainerRef,
  failed: ObservedContainer | null,
  followers: readonly string[] = [],
): Step[] {
  const steps = [
    step({
      do: 'image',
      leaf: leaf.name,
      image: image.reference,
      always: leaf.pull_policy === 'always' && !image.proven,
    }),
    step({ do: 'create', leaf: leaf.name, container: candidate }, discard(candidate, failed, followers)),
  ]
  if (isIngress(leaf)) steps.push(step({ do: 'ingress-config', leaf: leaf.name, container: candidate }))
  if (Object.keys({ ...leaf.spec.files, ...leaf.spec.secrets?.files }).length > 0) {
    steps.push(step({ do: 'put-files', leaf: leaf.name, container: candidate }))
  }
  return steps
}

export function discard(
  candidate: ContainerRef,
  failed: ObservedContainer | null,
  followers: readonly string[] = [],
): Action {
  const previous = failed?.id ?? null
  const blamed = followers.length === 0 ? {} : { followers }
  return { do: 'discard', leaf: candidate.leaf, container: candidate, previous, ...blamed }
}

export function keepFailed(container: ContainerRef, failed: ObservedContainer | null): Action {
  return { do: 'keep-failed', leaf: container.leaf, container, previous: failed?.id ?? null }
}

/**
 * Takes the live container down so that an engine restart does not bring it back beside its successor. `candidate` is
 * stopped before it comes back, also where its turn had not come: somebody else may have started it.
 */
export function takeDown(leaf: string, live: ObservedContainer, candidate: ContainerRef | null): Step[] {
  const container = refOf(leaf, live)
  const alone: Action[] = candidate === null ? [] : [{ do: 'stop', container: candidate }]
  return [
    step(
      { do: 'restart-policy', container, policy: 'no' },
      { do: 'restart-policy', container, policy: live.labels.restart },
    ),
    step({ do: 'stop', container }, ...alone, { do: 'start', container }),
  ]
}

/**
 * One that is down already must not come back with an engine restart either. It is stopped all the same: a start that
 * was given up may still be under way on a busy engine, and a stop comes after it.
 */
export function staysDown(leaf: string, live: ObservedContainer): Step[] {
  const container = refOf(leaf, live)
  const policy = { do: 'restart-policy', container, policy: 'no' } as const
  const kept = live.restartPolicy === 'no' ? [] : [step(policy, { ...policy, policy: live.restartPolicy })]
  return [...kept, step({ do: 'stop', container })]
}

/** Starts the candidate and lets it prove itself. Its undo stops it, before the old one is started again. */
export function bringUp(leaf: Leaf, candidate: ContainerRef): Step[] {
  return [
    step({ do: 'start', container: candidate }, { do: 'stop', container: candidate }),
    step({ do: leaf.kind === 'job' ? 'wait-job' : 'gate', leaf: leaf.name, container: candidate }),
  ]
}

/** The commit point: the candidate takes the leaf's name, the old container gives it up. */
export function switchNames(
  leaf: Leaf,
  prefix: string,
  candidate: ContainerRef,
  live: ObservedContainer | null,
): Step[] {
  const name = liveName(prefix, leaf.name)
  const steps: Step[] = []
  if (leaf.kind === 'container' && leaf.spec.restart !== 'no') {
    steps.push(
      step(
        { do: 'restart-policy', container: candidate, policy: leaf.spec.restart },
        { do: 'restart-policy', container: candidate, policy: 'no' },
      ),
    )
  }
  if (live !== null) {
    const container = refOf(leaf.name, live)
    steps.push(
      step(
        { do: 'rename', container, to: retiredName(prefix, leaf.name, live.id) },
        { do: 'rename', container, to: live.name },
      ),
    )
  }
  steps.push(
    step(
      { do: 'rename', container: candidate, to: name },
      { do: 'rename', container: candidate, to: candidateName(prefix, leaf.name) },
    ),
  )
  return steps
}

/**
 * Lets go of the old container: its open connections first, then the container. It is not live any more, so that an
 * engine that restarts meanwhile must not bring it back.
 */
export function retire(leaf: string, old: ObservedContainer, drain: number): Step[] {
  const container = refOf(leaf, old)
  const steps: Step[] = []
  if (old.state === 'running' || old.state === 'restarting' || old.state === 'paused') {
    if (old.restartPolicy !== 'no') steps.push(step({ do: 'restart-policy', container, policy: 'no' }))
    if (drain > 0) steps.push(step({ do: 'drain', leaf, container, milliseconds: drain }))
    steps.push(step({ do: 'stop', container }))
  }
  steps.push(step({ do: 'remove', container }))
  return steps
}

/** Puts a live container that is down back to work: policy first would let the engine race us, so the start comes first. */
export function putBack(leaf: string, live: ObservedContainer): Step[] {
  const container = refOf(leaf, live)
  const steps: Step[] = []
  if (live.state === 'paused') steps.push(step({ do: 'unpause', container }))
  else if (!(live.state === 'running' || live.state === 'restarting')) steps.push(step({ do: 'start', container }))
  if (live.restartPolicy !== live.labels.restart && live.labels.kind === 'container') {
    steps.push(step({ do: 'restart-policy', container, policy: live.labels.restart }))
  }
  return steps
}

export function markJobDone(deployment: string, leaf: Pick<Leaf, 'name' | 'generation'>): Step {
  return step({
    do: 'mark-job-done',
    leaf: leaf.name,
    volume: jobMarkName(deployment, leaf.name, leaf.generation),
    generation: leaf.generation,
  })
}
