// The plan: what differs between a tree and what runs, and the tables that make them agree. Pure and deterministic:
// the same input gives the same plan, byte for byte.

import type { Leaf } from '../desired/tree.ts'
import { containerVerdict } from './container-verdict.ts'
import type { LeafContext } from './leaf-context.ts'
import { mendStateOf, waitOf } from './meanwhile.ts'
import { waitsFor, type DependencyHold } from './dependency-hold.ts'
import { jobVerdict } from './job-verdict.ts'
import { companionsAnew, leftBehind, ownerHasSwitched, switchesFirst } from './left-behind.ts'
import { launchOrder } from './order.ts'
import type { PlanInput } from './planning.ts'
import { tellGroups } from './gap.ts'
import { notGivenUp, takenElsewhere } from './not-given-up.ts'
import { hold, verdictOf, WORKED_ON, type Proposal } from './proposal.ts'
import { hasLeftovers, recover } from './recover.ts'
import { planRemovals } from './removals.ts'
import { holdRemovals, unsettledLeaf } from './removal-wait.ts'
import { leftoverNetworks, planResources, resourceKeys } from './resources.ts'
import { situations, type Situation } from './situation.ts'
import { joinedLeaves, swapOrder } from './swap-order.ts'
import { buildTables } from './tables.ts'
import { blockedSets, isChange, stagedAnew, togetherSets } from './together.ts'
import type { Plan, Verdict } from './verdict.ts'
import { imageFinder } from './wanted-image.ts'

export function plan(input: PlanInput): Plan {
  const { tree, observed } = input
  const found = situations(tree, observed)
  const situationOf = (leaf: string): Situation => found.get(leaf) ?? emptySituation(leaf)
  const findImage = imageFinder(tree.name, observed, input.mirror)
  const resources = planResources(input)
  const live = (leaf: string) => found.get(leaf)?.live ?? null
  const liveIds = new Map<string, string>()
  for (const [leaf, { live: running }] of found) if (running !== null) liveIds.set(leaf, running.id)

  const sets = togetherSets(tree)
  const order = launchOrder(tree)
  const taken = takenElsewhere(tree, found)
  const anew = sets.size === 0 ? new Set<string>() : stagedAnew({ input, sets, situations: found, findImage })
  const companions = companionsAnew({ tree, situations: found })
  const startsOver = (name: string): string | null => {
    if (companions.has(name)) return 'an interrupted swap starts over, with what lives in the same namespace'
    return anew.has(name) ? 'an interrupted swap of its set, which switches together, starts over' : null
  }

  /** `blocked`: sets that switch together, of which a member cannot. `stuck`: leaves that others hold something of. */
  const proposeAll = (
    blocked: ReadonlyMap<string, DependencyHold>,
    stuck: ReadonlyMap<string, DependencyHold>,
  ): Map<string, Proposal> => {
    const proposals = new Map<string, Proposal>()
    const isSwapped = (leaf: string) => proposals.get(leaf)?.work?.kind === 'swap'
    for (const name of order) {
      const leaf = tree.leaves.get(name)
      if (leaf === undefined) continue
      const context: LeafContext = {
        input,
        situation: situationOf(name),
        image: findImage(leaf),
        liveIds,
        live,
        isSwapped,
      }
      const proposal = leftDown(
        leaf,
        context,
        taken,
        propose(leaf, context, { anew: startsOver(name), taken, situations: found }),
      )
      let why: DependencyHold | null = null
      if (isLaunch(proposal)) {
        why =
          blockedResource(leaf, resources.blocked) ??
          stuck.get(name) ??
          waitsFor(leaf, { input, proposals, situations: found, comesBack: proposal.work?.kind === 'steps' })
      }
      if (proposal.work?.kind === 'swap') {
        const set = sets.get(name)
        const together = set === undefined ? undefined : blocked.get(set)
        if (together !== undefined && isChange(leaf, { input, situations: found, findImage })) why ??= together
      }
      proposals.set(name, why === null ? proposal : heldBack(leaf, context, proposal, why))
    }
    return proposals
  }

  let blocked: ReadonlyMap<string, DependencyHold> = new Map()
  let stuck: ReadonlyMap<string, DependencyHold> = new Map()
  let proposals = proposeAll(blocked, stuck)
  const removals = planRemovals(input, found)
  const leaving = removals.proposals.map((proposal) => [proposal.verdict.leaf, proposal] as const)
  const factsOf = (leaf: Leaf) => findImage(leaf).facts
  // What is held holds what depends on it, which may be a member of another set, or have to give something up.
  for (let grown = true; grown;) {
    const both = new Map([...proposals, ...leaving])
    const moreStuck = [
      ...notGivenUp({ tree, situations: found, proposals: both, factsOf }),
      ...leftBehind({ tree, situations: found, proposals, busy: input.busy }),
    ]
    const more = sets.size > 0 ? blockedSets({ input, sets, proposals, situations: found, findImage }) : []
    const before = blocked.size + stuck.size
    blocked = new Map([...more, ...blocked])
    stuck = new Map([...moreStuck, ...stuck])
    grown = blocked.size + stuck.size > before
    if (grown) proposals = proposeAll(blocked, stuck)
  }

  const isRolling = (name: string): boolean => {
    const leaf = tree.leaves.get(name)
    if (!input.restarts.has(name) || leaf === undefined || proposals.get(name)?.work?.kind !== 'swap') return false
    return !isChange(leaf, { input, situations: found, findImage })
  }
  const unsettled = unsettledLeaf(tree, found, proposals)
  const wishes = {
    resources: resources.tables,
    removalsWait: unsettled !== null,
    live,
    together: new Map([...sets].filter(([name, set]) => !blocked.has(set) && !isRolling(name))),
    rolling: new Set(order.filter(isRolling)),
  }
  let built = buildTables([...proposals.values(), ...removals.proposals], tree, wishes)
  const departed = holdRemovals(removals.proposals, built.waiting, unsettled, input)
  if (built.waiting.size > 0) built = buildTables([...proposals.values(), ...departed], tree, wishes)
  const { tables, groups } = built
  const told = tellGroups(groups, sets, input.gaps)
  const inTreeOrder: Verdict[] = []
  for (const name of tree.leaves.keys()) {
    const proposal = proposals.get(name)
    if (proposal === undefined) continue
    const { order: really, gap, notes } = told.get(name) ?? proposal.verdict
    const all = [...new Set([...proposal.verdict.notes, ...notes])]
    inTreeOrder.push({ ...proposal.verdict, order: really, gap, notes: all })
  }
  return {
    deployment: tree.name,
    commit: tree.commit?.id ?? null,
    // Of leaves that are not meant nothing is said: that they are left alone is what was asked for.
    verdicts: [...inTreeOrder, ...departed.map(({ verdict }) => verdict)].filter(
      ({ leaf }) => input.only?.has(leaf) !== false,
    ),
    tables: [...tables, ...leftoverNetworks(input)],
    removalHeld: removals.held,
    notes: [...new Set(resources.blocked.values())],
  }
}

interface Remains {
  /** Why a candidate is discarded that could go on at its gate. */
  readonly anew: string | null
  readonly taken: ReadonlyMap<string, string>
  readonly situations: ReadonlyMap<string, Situation>
}

/** One leaf: what an earlier turn left over comes first, then the rules of its kind. */
function propose(leaf: Leaf, context: LeafContext, { anew, taken, situations: all }: Remains): Proposal {
  const { input, situation } = context
  if (input.busy.has(leaf.name)) return hold(leaf, situation.live, WORKED_ON)
  if (!leaf.suspend && hasLeftovers(situation)) {
    const untouchable = input.refused.has(leaf.name) || leaf.state === 'stopped' || anew !== null
    const recovery = recover(situation, {
      deployment: input.tree.name,
      prefix: input.tree.prefix,
      ingress: input.tree.ingress,
      wanted: untouchable ? null : { leaf, digest: input.runDigest(leaf) },
      order: swapOrder(leaf, input.tree, context.image.facts, situation.live).kind,
      drain: leaf.update.drain,
      isMended: true,
      liveRuns: leaf.state === 'running',
      liveMayStart: !taken.has(leaf.name),
      isJoined: [...input.tree.leaves.values()].some((other) => joinedLeaves(other).includes(leaf.name)),
      mustSwitch: ownerHasSwitched(leaf, all),
    })
    const waiting = recovery === null ? null : waitOf(leaf, context)
    if (waiting !== null) return hold(leaf, situation.live, waiting.because, { retryAt: waiting.until })
    const first = switchesFirst(leaf.name, { tree: input.tree, situations: all })
    if (first !== null) {
      const because = `its old container stays until ${first}, which lives in its namespace, has switched along`
      return hold(leaf, situation.live, because, { awaits: first })
    }
    if (recovery !== null) {
      const { because, prepare, commit, cleanup } = recovery
      return {
        verdict: verdictOf(leaf, situation.live, 'recover', anew ?? because),
        work: { kind: 'steps', leaf: leaf.name, prepare, commit, cleanup, preemptible: leaf.kind === 'container' },
      }
    }
  }
  return leaf.kind === 'job' ? jobVerdict(leaf, context) : containerVerdict(leaf, context)
}

/** A live container is not started while another leaf runs with something of its own. */
function leftDown(
  leaf: Leaf,
  { situation: { live } }: LeafContext,
  taken: ReadonlyMap<string, string>,
  proposal: Proposal,
): Proposal {
  const why = taken.get(leaf.name)
  const { work } = proposal
  if (why === undefined || live === null || work?.kind !== 'steps') return proposal
  const starts = [...work.prepare, ...work.commit, ...work.cleanup].some(
    ({ action }) => action.do === 'start' && action.container.id === live.id,
  )
  return starts ? hold(leaf, live, `${proposal.verdict.because}; ${why}`) : proposal
}

/** What brings a container up that did not run. */
function isLaunch({ work }: Proposal): boolean {
  return work?.kind === 'swap' || (work?.kind === 'steps' && work.launches === true)
}

/** A launch that has to wait; what runs meanwhile is still kept running. */
function heldBack(leaf: Leaf, context: LeafContext, proposal: Proposal, why: DependencyHold): Proposal {
  const { because, awaits, retryAt = null } = why
  const { live } = context.situation
  const mayRun = live !== null && leaf.kind !== 'job' && proposal.work?.kind === 'swap'
  if (!mayRun) return hold(leaf, live, because, { awaits, retryAt })
  return mendStateOf(leaf, live, 'hold', because, context, { awaits, retryAt })
}

function blockedResource(leaf: Leaf, blocked: ReadonlyMap<string, string>): DependencyHold | null {
  for (const key of resourceKeys(leaf)) {
    const why = blocked.get(key)
    if (why !== undefined) return { because: why, awaits: null }
  }
  return null
}

function emptySituation(leaf: string): Situation {
  return { leaf, live: null, candidate: null, retired: [], failed: null }
}
