// What an earlier turn left half done, and how it ends. graft keeps no journal: the names on the engine say how far a
// swap had come. One row below is one line of the table in docs/crash-safety.md; each is run on a real engine.

import type { Leaf, Tree } from '../desired/tree.ts'
import { isWanted, runs } from './planning.ts'
import type { ObservedContainer } from './observed.ts'
import { candidateName, liveName } from './names.ts'
import { backToWhatServes, servesAlone } from './recover-back.ts'
import { renameForward, switchAlong } from './recover-forward.ts'
import { followed } from './recover-ingress.ts'
import type { Situation } from './situation.ts'
import type { Action, Step } from './step.ts'
import { discard, keepFailed, markJobDone, putBack, refOf, retire, staysDown, step, switchNames } from './steps.ts'
import { switchOver } from './switch-over.ts'

export interface Recovery {
  readonly because: string
  readonly prepare: readonly Step[]
  readonly commit: readonly Step[]
  readonly cleanup: readonly Step[]
}

export interface RecoveryContext {
  readonly deployment: string
  readonly prefix: string
  readonly ingress: Tree['ingress']
  /** Null where the leaf is gone, refused, or must not be started: then nothing is wanted of a candidate. */
  readonly wanted: { readonly leaf: Leaf; readonly digest: string } | null
  readonly order: 'start-first' | 'stop-first'
  readonly drain: number
  /** Whether later turns put back a live container that is down. They do so only for a leaf of the tree. */
  readonly isMended: boolean
  /** False where the leaf is to be stopped: then a live container that is down is left down. */
  readonly liveRuns: boolean
  /** False where another leaf's candidate has what the live container would need for itself. */
  readonly liveMayStart: boolean
  /** Whether other leaves live in its namespace: then only the way forward keeps them together. */
  readonly isJoined: boolean
  /** Whether the container whose namespace the candidate joined has its name already: then the candidate takes its own. */
  readonly mustSwitch: boolean
}

/** Exit codes of a container that was stopped from outside (an engine that went down): no verdict on its spec. */
export const STOPPED_FROM_OUTSIDE: ReadonlySet<number> = new Set([0, 137, 143, 255])

/** Most leaves have none, and what `recover` needs to know of them is then not worked out. */
export function hasLeftovers({ candidate, retired, failed }: Situation): boolean {
  return candidate !== null || retired.length > 0 || (failed !== null && mayCome(failed))
}

/** Null where nothing is left over. Only one thing is finished at a time; the next turn sees the rest. */
export function recover(situation: Situation, context: RecoveryContext): Recovery | null {
  const { live, candidate, failed } = situation
  const old = situation.retired[0] ?? null
  if (failed !== null && context.order === 'stop-first' && mayCome(failed)) {
    const container = refOf(situation.leaf, failed)
    const policy = failed.restartPolicy === 'no' ? [] : [step({ do: 'restart-policy', container, policy: 'no' })]
    const stop = isUp(failed) ? [step({ do: 'stop', container })] : []
    const because = isUp(failed)
      ? 'somebody started the candidate that had failed, and there may only be one'
      : `somebody gave the candidate that had failed the restart policy ${failed.restartPolicy}, and there may only be one`
    return { because, prepare: [], commit: [...policy, ...stop], cleanup: [] }
  }
  if (live === null && old !== null) {
    return candidate !== null && candidate.state !== 'created'
      ? renameForward(situation, candidate, context)
      : goBack(situation, old, context)
  }
  if (live !== null && old !== null) return finishRetiring(situation, live, old, context)
  if (candidate !== null && live !== null && context.mustSwitch) return switchAlong(situation, candidate, live, context)
  if (candidate !== null) return settleCandidate(situation, candidate, context)
  return null
}

/** It runs, or the engine may start it. */
function mayCome(container: ObservedContainer): boolean {
  return isUp(container) || container.restartPolicy !== 'no'
}

/** A paused container holds what a running one holds. */
function isUp(container: ObservedContainer): boolean {
  return runs(container) || container.state === 'paused'
}

/** No NAME, only `.prev` (or a candidate that never ran beside it): the old container takes its name back. */
function goBack(situation: Situation, old: ObservedContainer, context: RecoveryContext): Recovery {
  const container = refOf(situation.leaf, old)
  return {
    because: 'an interrupted swap lost its new container; the old one takes its name back',
    prepare: [],
    commit: [
      ...alone(situation, old, context),
      step({ do: 'rename', container, to: liveName(context.prefix, situation.leaf) }),
      ...(context.liveRuns && old.labels.kind !== 'job' ? putBack(situation.leaf, old) : []),
      ...followed(situation, context),
    ],
    cleanup:
      situation.candidate === null
        ? []
        : [step({ do: 'remove', container: refOf(situation.leaf, situation.candidate) })],
  }
}

/** NAME and `.prev`: the old one goes, once the new one runs. */
function finishRetiring(
  situation: Situation,
  live: ObservedContainer,
  old: ObservedContainer,
  context: RecoveryContext,
): Recovery {
  // A check that came with a newer generation says nothing of this one.
  const wanted = context.wanted !== null && isWanted(live, context.wanted.leaf, context.wanted.digest)
  // Neither of the two can be started where another leaf has what they need by now: the way is forward.
  const standsAlone = !context.isJoined && context.order === 'start-first'
  if (!wanted && context.liveRuns && standsAlone && servesAlone(old, live)) {
    return backToWhatServes(situation, live, old, context)
  }
  const areDone = !isUp(old) && (old.startedAt === null || (!context.liveMayStart && !wanted))
  if (live.state === 'running' || live.labels.kind === 'job' || !context.liveRuns || areDone) {
    const provable = live.state === 'running' && live.labels.kind === 'container' && wanted
    if (provable && context.order === 'start-first' && old.state === 'running') {
      return proveOn(situation, live, old, context)
    }
    return {
      because: 'the old container of an earlier swap is still there',
      prepare: followed(situation, context),
      commit: [],
      cleanup: [
        ...tagged(situation.leaf, live, context),
        ...situation.retired.flatMap((retired) => retire(situation.leaf, retired, context.drain)),
      ],
    }
  }
  const name = live.name
  const oldRef = refOf(situation.leaf, old)
  const back: Action[] = [
    discard(refOf(situation.leaf, live), situation.failed),
    { do: 'rename', container: oldRef, to: name },
    { do: 'start', container: oldRef },
    { do: 'restart-policy', container: oldRef, policy: old.labels.restart },
    ...followed(situation, context).map(({ action }) => action),
  ]
  const container = refOf(situation.leaf, live)
  const start: Action = live.state === 'paused' ? { do: 'unpause', container } : { do: 'start', container }
  const gate: Step[] = wanted ? [step({ do: 'gate', leaf: situation.leaf, container })] : []
  return {
    because: 'the new container of an earlier swap is down; it is started, or the old one comes back',
    prepare: [
      ...alone(situation, live, context),
      step(start, ...back),
      ...gate,
      ...putBack(situation.leaf, { ...live, state: 'running' }),
    ],
    commit: [],
    cleanup: [],
  }
}

/**
 * NAME and `.prev`, both running: the names were switched, and graft ended before the new one had been watched for its
 * drain. That is done now; the old one comes back where the new one fails.
 */
function proveOn(
  situation: Situation,
  live: ObservedContainer,
  old: ObservedContainer,
  context: RecoveryContext,
): Recovery {
  const { leaf } = situation
  const container = refOf(leaf, live)
  const oldRef = refOf(leaf, old)
  const back: Action[] = [
    { do: 'restart-policy', container, policy: 'no' },
    { do: 'rename', container, to: candidateName(context.prefix, leaf) },
    { do: 'rename', container: oldRef, to: live.name },
    { do: 'restart-policy', container: oldRef, policy: old.labels.restart },
    ...followed(situation, context).map(({ action }) => action),
    { do: 'stop', container },
    discard(container, situation.failed),
  ]
  const policy = { do: 'restart-policy', container: oldRef, policy: 'no' } as const
  const prove = { do: 'prove', leaf, container, old: oldRef, milliseconds: context.drain } as const
  // The way back belongs to the first step that may fail for what the leaf says: ports that HAProxy does not take, too.
  const [follows = null] = followed(situation, context, [leaf])
  return {
    because: 'the old container of an earlier swap is still there',
    prepare: [],
    commit: [
      ...(follows === null ? [] : [step(follows.action, ...back)]),
      ...(old.restartPolicy === 'no' ? [] : [step(policy)]),
      follows === null ? step(prove, ...back) : step(prove),
    ],
    cleanup: [
      ...tagged(leaf, live, context),
      step({ do: 'still-up', leaf, container }),
      ...situation.retired.flatMap((retired) => retire(leaf, { ...retired, restartPolicy: 'no' }, 0)),
      ...followed(situation, context),
    ],
  }
}

function settleCandidate(situation: Situation, candidate: ObservedContainer, context: RecoveryContext): Recovery {
  const { live, leaf } = situation
  const container = refOf(leaf, candidate)
  const mayStart = context.liveRuns && context.liveMayStart
  const liveBack = live === null || live.labels.kind === 'job' || !mayStart ? [] : putBack(leaf, live)
  const remove = step({ do: 'remove', container })
  const stop = step({ do: 'stop', container })

  if (candidate.state === 'created') {
    return leftover('its files may be half written', context, [], liveBack, remove)
  }
  const wanted = context.wanted !== null && isWanted(candidate, context.wanted.leaf, context.wanted.digest)
  if (candidate.labels.kind === 'job') {
    return settleJob(situation, candidate, wanted ? context : { ...context, wanted: null })
  }
  if (!runs(candidate) && candidate.state !== 'paused') {
    const blamed = wanted && (candidate.oomKilled || !STOPPED_FROM_OUTSIDE.has(candidate.exitCode))
    if (!blamed) return leftover('it had been stopped', context, [], liveBack, remove)
    const keep = step(keepFailed(container, situation.failed))
    return leftover(`it had failed with exit code ${candidate.exitCode}`, context, [], liveBack, keep)
  }
  if (context.wanted === null || !wanted) {
    return leftover('it is no longer wanted', context, [stop], liveBack, remove)
  }
  if (live !== null && runs(live) && context.order === 'stop-first') {
    return leftover('it may not run beside the live one', context, [stop], [], remove)
  }
  // The candidate goes through its gate again; what the table would have undone before the crash is undone here.
  const undo: Action[] = [
    { do: 'stop', container },
    ...liveBack.map(({ action }) => action),
    discard(container, situation.failed),
  ]
  const gate = step({ do: 'gate', leaf, container }, ...undo)
  const resume = candidate.state === 'paused' ? [step({ do: 'unpause', container }, ...undo), gate] : [gate]
  const over = switchOver([{ leaf: context.wanted.leaf, candidate: container, live, order: context.order }], context)
  return {
    because: 'an interrupted swap goes on at its gate',
    prepare: [...(live === null || runs(live) ? [] : staysDown(leaf, live)), ...resume],
    commit: over.commit,
    cleanup: over.cleanup,
  }
}

function settleJob(situation: Situation, candidate: ObservedContainer, context: RecoveryContext): Recovery {
  const container = refOf(situation.leaf, candidate)
  const ended = !runs(candidate) && candidate.state !== 'paused'
  if (ended && candidate.exitCode !== 0) {
    const fromOutside = STOPPED_FROM_OUTSIDE.has(candidate.exitCode) && !candidate.oomKilled
    if (fromOutside || context.wanted === null)
      return leftover('it had been stopped half way', context, [], [], step({ do: 'remove', container }))
    const keep = step(keepFailed(container, situation.failed))
    return leftover(`it had failed with exit code ${candidate.exitCode}`, context, [], [], keep)
  }
  if (context.wanted === null) {
    const [stop, remove] = [step({ do: 'stop', container }), step({ do: 'remove', container })]
    return leftover('it is no longer wanted', context, [stop], [], remove)
  }
  const { leaf } = context.wanted
  return {
    because: ended ? 'the job had finished; that is written down' : 'the job is still running; graft waits for it',
    prepare: [step({ do: 'wait-job', leaf: leaf.name, container }, discard(container, situation.failed))],
    commit: [markJobDone(context.deployment, leaf), ...switchNames(leaf, context.prefix, container, situation.live)],
    cleanup: situation.live === null ? [] : retire(leaf.name, situation.live, 0),
  }
}

/** What somebody started by hand stops before a container that must be the only one is started. */
function alone({ leaf, candidate, retired }: Situation, kept: ObservedContainer, context: RecoveryContext): Step[] {
  if (context.order === 'start-first') return []
  return [candidate, ...retired].flatMap((other) => {
    if (other === null || other === kept || !isUp(other)) return []
    return [step({ do: 'stop', container: refOf(leaf, other) })]
  })
}

/** What the swap would have done behind its gate: a rollback finds the image of what passed. */
function tagged(leaf: string, container: ObservedContainer, context: RecoveryContext): Step[] {
  if (context.wanted === null || container.labels.kind === 'job') return []
  return [step({ do: 'tag-image', leaf })]
}

/**
 * First the candidate is down, then the live container is put back: never two at once. Of a leaf that nobody would mend
 * the candidate itself goes last: as long as it is there, the next turn sees that this is not done.
 */
function leftover(why: string, { isMended }: RecoveryContext, down: Step[], liveBack: Step[], end: Step): Recovery {
  const commit = isMended ? [...down, end, ...liveBack] : [...down, ...liveBack, end]
  return { because: `a candidate was left over: ${why}`, prepare: [], commit, cleanup: [] }
}
