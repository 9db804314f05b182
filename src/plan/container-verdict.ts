// The verdict on one container leaf: keep, create, replace, restore, stop, hold or refuse, with its reason.

import { privilegesOf } from '../desired/privileges.ts'
import type { Leaf, Tree } from '../desired/tree.ts'
import { ailmentOf, restartSteps, startedBefore } from './ailment.ts'
import { compareContainer } from './compare.ts'
import { gainsOf } from './gains.ts'
import { gapInPlace, gapOf } from './gap.ts'
import { ingressBehind } from './ingress-behind.ts'
import { secretInVolume } from './image-volumes.ts'
import { follow, FOLLOWING, isIngress } from './ingress-steps.ts'
import { liveName } from './names.ts'
import { takenPort } from './taken-port.ts'
import { unmetApiNeeds } from './api-needs.ts'
import { withHostname } from './default-hostname.ts'
import type { ImageFacts, ObservedContainer } from './observed.ts'
import { isUnhealthy } from './planning.ts'
import type { LeafContext } from './leaf-context.ts'
import { failedBefore, meanwhileOf, mendStateOf, waitOf } from './meanwhile.ts'
import { hold, inPlace, keep, verdictOf, type Proposal } from './proposal.ts'
import { describeChange, repairInPlace } from './repair.ts'
import { bringBack, stopped, wasStopped } from './set-life.ts'
import { joinedLeaves, swapOrder } from './swap-order.ts'
import type { FieldChange } from './verdict.ts'

export function containerVerdict(leaf: Leaf, context: LeafContext): Proposal {
  const { input, situation } = context
  const { live } = situation
  const refusal = input.refused.get(leaf.name)
  if (refusal !== undefined) {
    const refused = { verdict: verdictOf(leaf, live, 'refuse', refusal.message), work: null }
    if (leaf.suspend) return refused
    // Whether a leaf runs at all is no part of the spec that is refused.
    if (leaf.state === 'stopped')
      return { ...refused, work: stopped(leaf, live, waitOf(leaf, context, meanwhileOf(leaf.name))).work }
    return mendStateOf(leaf, live, 'refuse', refusal.message, context)
  }
  if (leaf.suspend) return hold(leaf, live, 'its set is suspended; graft looks and does not touch')
  if (leaf.state === 'stopped') return stopped(leaf, live, waitOf(leaf, context))
  if (live === null) return launch(leaf, context)

  if (live.state === 'dead' || live.state === 'removing')
    return mendStateOf(leaf, live, 'restore', 'it is made anew', context)
  const changes = differences(leaf, live, context)
  if (live.labels.generation !== leaf.generation) return replace(leaf, live, changes, context)
  const joined = joinedLeaves(leaf).find((name) => context.isSwapped(name))
  if (joined !== undefined) {
    const waiting = waitOf(leaf, context)
    if (waiting !== null) return mendStateOf(leaf, live, 'hold', waiting.because, context, { retryAt: waiting.until })
    const because = `it lives in the namespace of ${joined}, which is replaced`
    const { verdict, work } = swap(leaf, live, 'replace', because, changes, [], context)
    const follows = live.labels.digest === input.runDigest(leaf)
    return { verdict, work: work?.kind === 'swap' && follows ? { ...work, follows: true } : work }
  }
  const repair = repairInPlace(leaf, input.tree, live, changes)
  if (repair === null) return replace(leaf, live, changes, context)
  if (input.restarts.has(leaf.name)) return restart(leaf, live, changes, context)
  if (repair.steps.length > 0) {
    const waiting = waitOf(leaf, context)
    if (waiting !== null) return hold(leaf, live, waiting.because, { retryAt: waiting.until })
    if (wasStopped(live)) return bringBack(leaf, live, changes, repair.steps)
    const verdict = verdictOf(leaf, live, 'restore', repair.because, { changes })
    return { verdict, work: inPlace(leaf.name, repair.steps) }
  }
  return settled(leaf, live, context)
}

/** Right spec, right state: what is left is its health, and what it hangs on. */
function settled(leaf: Leaf, live: ObservedContainer, context: LeafContext): Proposal {
  const ailment = ailmentOf(leaf, live, context)
  const reason = ailment?.because ?? replacedDependency(leaf, live, context)
  const behind = reason === null && isIngress(leaf) ? ingressBehind(live, context) : null
  if (behind !== null) {
    const waiting = waitOf(leaf, context, FOLLOWING)
    if (waiting !== null) return hold(leaf, live, `${behind}; ${waiting.because}`, { retryAt: waiting.until })
    return { verdict: verdictOf(leaf, live, 'restore', behind), work: inPlace(leaf.name, [follow([])]) }
  }
  if (reason === null) return keep(leaf, live, 'as declared', { notes: notesOn(leaf, live, context) })
  const waiting = waitOf(leaf, context)
  if (waiting !== null) return hold(leaf, live, `${reason}; ${waiting.because}`, { retryAt: waiting.until })
  return {
    verdict: verdictOf(leaf, live, 'restore', reason, { gap: gapInPlace(context.input.gaps.get(leaf.name) ?? null) }),
    work: inPlace(leaf.name, ailment?.steps ?? restartSteps(leaf.name, live)),
  }
}

function replacedDependency(leaf: Leaf, live: ObservedContainer, context: LeafContext): string | null {
  for (const [name, dependency] of leaf.dependencies) {
    const other = context.live(name)
    // It may still go back to what it was.
    if (context.input.busy.has(name)) continue
    if (dependency.restart && other !== null && startedBefore(live, other.createdAt, context.input.now)) {
      return `${name}, which it asks to be restarted with, was replaced`
    }
  }
  return null
}

function launch(leaf: Leaf, context: LeafContext): Proposal {
  const name = liveName(context.input.tree.prefix, leaf.name)
  const holder = context.input.observed.foreignNames.get(name)
  if (holder !== undefined) {
    return hold(leaf, null, `the name ${name} is taken by a container that is not this deployment's: ${holder}`)
  }
  const blocked = failedBefore(leaf, null, context)
  if (blocked !== null) return blocked
  const gains = privilegesOf(leaf, context.input.tree).map((privilege) => privilege.text)
  return swap(leaf, null, 'create', 'it does not exist yet', [], gains, context)
}

function replace(leaf: Leaf, live: ObservedContainer, changes: readonly FieldChange[], context: LeafContext): Proposal {
  const blocked = failedBefore(leaf, live, context)
  if (blocked !== null) return blocked
  const { generation } = live.labels
  const fields = changes.map(describeChange).join(', ')
  const why =
    generation === leaf.generation
      ? valuesChanged(leaf, live, context) + fields
      : fields === ''
        ? `generation ${generation} → ${leaf.generation}`
        : fields
  return swap(leaf, live, 'replace', why, changes, gainsOf(changes), context)
}

/** A new container of the same generation. That an earlier one failed does not count: the request ends where this one does. */
function restart(leaf: Leaf, live: ObservedContainer, changes: readonly FieldChange[], context: LeafContext): Proposal {
  const waiting = waitOf(leaf, context)
  if (waiting !== null) return mendStateOf(leaf, live, 'hold', waiting.because, context, { retryAt: waiting.until })
  return swap(leaf, live, 'replace', 'somebody asked for a restart', changes, [], context)
}

/** Same generation, other container: either the host's own values changed, or somebody changed the container. */
function valuesChanged(leaf: Leaf, live: ObservedContainer, context: LeafContext): string {
  return live.labels.digest === context.input.runDigest(leaf) ? 'changed by hand: ' : 'a value of this host changed: '
}

function swap(
  leaf: Leaf,
  live: ObservedContainer | null,
  kind: 'create' | 'replace',
  because: string,
  changes: readonly FieldChange[],
  gains: readonly string[],
  context: LeafContext,
): Proposal {
  const { image, input } = context
  const { apiVersion, version } = input.observed.engine
  const [need] = unmetApiNeeds(leaf.spec, apiVersion)
  if (need !== undefined) {
    const why = `${need.field} needs Docker ${need.docker} (API ${need.api}); this engine is ${version} (API ${apiVersion})`
    return mendStateOf(leaf, live, 'refuse', why, context)
  }
  const taken = takenPort(leaf, live, input.observed.foreignPorts)
  if (taken !== null) return mendStateOf(leaf, live, 'hold', taken, context)
  const order = swapOrder(leaf, input.tree, image.facts, live)
  const gap = live === null ? null : gapOf(order.kind, input.gaps.get(leaf.name) ?? null)
  const more = { changes, gains, gap, notes: notesOn(leaf, live, context), order: live === null ? null : order }
  if (image.facts === null) {
    if (leaf.pull_policy === 'never') {
      return hold(leaf, live, `the image ${image.reference} is not on this host, and pull_policy is never`)
    }
    return {
      verdict: verdictOf(leaf, live, kind, because, {
        ...more,
        notes: [...more.notes, `the image ${image.reference} is fetched first`],
      }),
      work: { kind: 'pull', leaf, image: image.reference },
    }
  }
  const misplaced = secretInVolume(input.tree.name, leaf, image.facts)
  if (misplaced !== null) return mendStateOf(leaf, live, 'refuse', misplaced, context)
  return {
    verdict: verdictOf(leaf, live, kind, because, more),
    work: { kind: 'swap', leaf, image, live, failed: context.situation.failed, order },
  }
}

function notesOn(leaf: Leaf, live: ObservedContainer | null, context: LeafContext): string[] {
  const notes: string[] = []
  const check = leaf.spec.healthcheck
  const imageCheck = context.image.facts?.healthcheck ?? null
  const none =
    leaf.probe === null &&
    (check === undefined ? imageCheck === null && context.image.facts !== null : 'disable' in check)
  if (none) notes.push('it has no health check: staying up is all it must prove')
  if (isUnhealthy(leaf, live, context.input.probed)) notes.push('its health check fails')
  const strange = context.image.facts?.graftLabels ?? []
  if (strange.length > 0)
    notes.push(`its image claims labels of graft's own, which count for nothing: ${strange.join(', ')}`)
  if (live !== null && live.state === 'restarting') notes.push('the engine keeps restarting it')
  return notes
}

/** Field by field; remembered for a leaf, a container and an image that are the very same objects. */
function differences(leaf: Leaf, live: ObservedContainer, context: LeafContext): readonly FieldChange[] {
  const image = context.image.facts ?? (sameImage(leaf, live) ? live.image : null)
  const { tree } = context.input
  const { networks, volumes } = tree
  const joins = joinedLeaves(leaf)
    .map((joined) => context.liveIds.get(joined))
    .join(' ')
  const known = remembered.get(live)
  const same = known?.leaf === leaf && known.image === image && known.joins === joins
  if (same && known.networks === networks && known.volumes === volumes) return known.changes
  const wiring = wiringOf(leaf, tree)
  if (same && known.wiring === wiring) {
    remembered.set(live, { ...known, networks, volumes })
    return known.changes
  }
  // Without the image it cannot be known whether the leaf's name was its host name by default; it is taken for granted.
  const named =
    image === null && live.running.hostname === leaf.name && leaf.spec.hostname === undefined
      ? { ...leaf, spec: { ...leaf.spec, hostname: leaf.name } }
      : withHostname(leaf, tree, image)
  const changes = compareContainer({ leaf: named, tree, image }, live, {
    joins: context.liveIds,
    restartPolicyWanted: leaf.spec.restart,
  })
  remembered.set(live, { leaf, image, joins, networks, volumes, wiring, changes })
  return changes
}

interface Comparison {
  readonly leaf: Leaf
  readonly image: ImageFacts | null
  /** Ids of the containers whose namespaces it joins. */
  readonly joins: string
  readonly networks: Tree['networks']
  readonly volumes: Tree['volumes']
  /** What the names of networks and volumes in the spec stand for on the engine. */
  readonly wiring: string
  readonly changes: readonly FieldChange[]
}

const remembered = new WeakMap<ObservedContainer, Comparison>()

function wiringOf(leaf: Leaf, { networks, volumes }: Tree): string {
  const joined = Object.keys(leaf.spec.networks).map((key) => networks.get(key)?.name)
  const mounted = leaf.spec.mounts.map((mount) => (mount.type === 'volume' ? volumes.get(mount.source)?.name : ''))
  return [...joined, ...mounted].join(' ')
}

function sameImage(leaf: Leaf, live: ObservedContainer): boolean {
  return live.labels.image === leaf.spec.image
}
