// The plan: what differs between a tree and what runs, and the tables that make them agree. Pure and deterministic:
// the same input gives the same plan, byte for byte.

import type { Leaf } from '../desired/tree.ts'
import { containerVerdict, waitOf, type LeafContext } from './container-verdict.ts'
import { waitsFor, type DependencyHold } from './dependency-hold.ts'
import { jobVerdict } from './job-verdict.ts'
import { launchOrder } from './order.ts'
import type { PlanInput } from './planning.ts'
import { hold, inPlace, verdictOf, type Proposal } from './proposal.ts'
import { hasLeftovers, recover } from './recover.ts'
import { planRemovals } from './removals.ts'
import { stateRepair } from './repair.ts'
import { holdRemovals, unsettledLeaf } from './removal-wait.ts'
import { leftoverNetworks, planResources, resourceKeys } from './resources.ts'
import { situations, type Situation } from './situation.ts'
import { swapOrder } from './swap-order.ts'
import { buildTables } from './tables.ts'
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

  const proposals = new Map<string, Proposal>()
  const isSwapped = (leaf: string) => proposals.get(leaf)?.work?.kind === 'swap'
  for (const name of launchOrder(tree)) {
    const leaf = tree.leaves.get(name)
    if (leaf === undefined) continue
    const situation = situationOf(name)
    const context: LeafContext = { input, situation, image: findImage(leaf), liveIds, live, isSwapped }
    const proposal = propose(leaf, context)
    const why =
      proposal.work?.kind === 'swap'
        ? (blockedResource(leaf, resources.blocked) ?? waitsFor(leaf, { input, proposals, situations: found }))
        : null
    proposals.set(name, why === null ? proposal : heldBack(leaf, context, why))
  }
  const removals = planRemovals(input, found)
  const unsettled = unsettledLeaf(tree, found, proposals)
  const ordered = [...proposals.values(), ...removals.proposals]
  const { tables, waiting } = buildTables(ordered, tree, resources.tables, unsettled !== null)
  const departed = holdRemovals(removals.proposals, waiting, unsettled)
  const inTreeOrder: Verdict[] = []
  for (const name of tree.leaves.keys()) {
    const proposal = proposals.get(name)
    if (proposal !== undefined) inTreeOrder.push(proposal.verdict)
  }
  return {
    deployment: tree.name,
    commit: tree.commit?.id ?? null,
    verdicts: [...inTreeOrder, ...departed.map(({ verdict }) => verdict)],
    tables: [...tables, ...leftoverNetworks(input)],
    removalHeld: removals.held,
    notes: [...new Set(resources.blocked.values())],
  }
}

/** One leaf: what an earlier turn left over comes first, then the rules of its kind. */
function propose(leaf: Leaf, context: LeafContext): Proposal {
  const { input, situation } = context
  if (input.busy.has(leaf.name)) return hold(leaf, situation.live, 'it is being worked on')
  if (!leaf.suspend && hasLeftovers(situation)) {
    const untouchable = input.refused.has(leaf.name) || leaf.state === 'stopped'
    const recovery = recover(situation, {
      deployment: input.tree.name,
      prefix: input.tree.prefix,
      wanted: untouchable ? null : { leaf, digest: input.runDigest(leaf) },
      order: swapOrder(leaf, input.tree, context.image.facts, situation.live).kind,
      drain: leaf.update.drain,
      liveRuns: leaf.state === 'running',
    })
    const waiting = recovery === null ? null : waitOf(leaf, context)
    if (waiting !== null) return hold(leaf, situation.live, waiting.because, { retryAt: waiting.until })
    if (recovery !== null) {
      const { because, prepare, commit, cleanup } = recovery
      return {
        verdict: verdictOf(leaf, situation.live, 'recover', because),
        work: { kind: 'steps', leaf: leaf.name, prepare, commit, cleanup, preemptible: leaf.kind === 'container' },
      }
    }
  }
  return leaf.kind === 'job' ? jobVerdict(leaf, context) : containerVerdict(leaf, context)
}

/** A launch that has to wait; what runs meanwhile is still kept running. */
function heldBack(leaf: Leaf, context: LeafContext, { because, awaits }: DependencyHold): Proposal {
  const { live } = context.situation
  const repair = live === null || leaf.kind === 'job' ? null : stateRepair(leaf.name, live)
  if (repair === null) return hold(leaf, live, because, { awaits })
  return {
    verdict: verdictOf(leaf, live, 'hold', `${because}; meanwhile: ${repair.because}`, { awaits }),
    work: inPlace(leaf.name, repair.steps),
  }
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
