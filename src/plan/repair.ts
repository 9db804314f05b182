// Drift of a live container that has the right spec: the least step that restores the wish.

import type { Leaf, Tree } from '../desired/tree.ts'
import { classifyChange } from './compare.ts'
import { liveName } from './names.ts'
import type { ObservedContainer } from './observed.ts'
import type { Step } from './step.ts'
import { putBack, refOf, step } from './steps.ts'
import type { FieldChange } from './verdict.ts'

export interface Repair {
  readonly because: string
  readonly steps: readonly Step[]
}

/** What can be mended in place; null where a field differs that only a new container can have. */
export function repairInPlace(
  leaf: Leaf,
  tree: Tree,
  live: ObservedContainer,
  changes: readonly FieldChange[],
): Repair | null {
  const container = refOf(leaf.name, live)
  const steps: Step[] = []
  const reasons: string[] = []
  const named = nameRepair(leaf, tree, live)
  steps.push(...named.steps)
  reasons.push(...named.reasons)
  // The authored policy is a label, and labels cannot change.
  if (live.labels.restart !== leaf.spec.restart) return null
  const limits = changes.filter((change) => classifyChange(change.field, change.to) === 'limits')
  const networks = changes.filter((change) => classifyChange(change.field, change.to) === 'network')
  if (
    limits.length + networks.length <
    changes.filter((c) => classifyChange(c.field, c.to) !== 'restart-policy').length
  )
    return null
  if (limits.length > 0) {
    steps.push(step({ do: 'update-limits', leaf: leaf.name, container, fields: limits.map((change) => change.field) }))
    reasons.push(...limits.map(describeChange))
  }
  for (const key of networkKeys(leaf, tree, networks)) {
    const network = tree.networks.get(key)?.name ?? key
    const joined = live.running.networks[network] !== undefined
    if (joined) steps.push(step({ do: 'disconnect', container, network }))
    if (leaf.spec.networks[key] !== undefined) {
      steps.push(step({ do: 'connect', leaf: leaf.name, container, network: key }))
    }
  }
  reasons.push(...networks.map(describeChange))
  const state = stateRepair(leaf.name, live)
  if (state !== null) {
    steps.push(...state.steps)
    reasons.push(state.because)
  }
  return { because: reasons.join(', '), steps }
}

function nameRepair(leaf: Leaf, tree: Tree, live: ObservedContainer): { steps: Step[]; reasons: string[] } {
  const name = liveName(tree.prefix, leaf.name)
  if (live.name === name) return { steps: [], reasons: [] }
  const reason =
    live.labels.leaf !== leaf.name
      ? `renamed from ${live.labels.leaf}`
      : live.labels.adopted === undefined
        ? `someone renamed it to ${live.name}`
        : `it was taken over as ${live.name}`
  return { steps: [step({ do: 'rename', container: refOf(leaf.name, live), to: name })], reasons: [reason] }
}

/** Network names in the deployment's own words, once each; a network graft does not know keeps its engine name. */
function networkKeys(leaf: Leaf, tree: Tree, changes: readonly FieldChange[]): string[] {
  const byEngineName = new Map([...tree.networks.values()].map((network) => [network.name, network.key]))
  const names = changes.map((change) => change.field.split('.')[1] ?? '')
  return [
    ...new Set(names.map((name) => (leaf.spec.networks[name] === undefined ? (byEngineName.get(name) ?? name) : name))),
  ]
}

/** Its name, state and restart policy: what graft mends even on a leaf whose spec it may not touch now. */
export function repairMeanwhile(leaf: Leaf, tree: Tree, live: ObservedContainer): Repair | null {
  const state = stateRepair(leaf.name, live)
  const isOther = live.labels.leaf !== leaf.name || live.labels.adopted !== undefined
  if (isOther || live.state === 'dead' || live.state === 'removing') return state
  const { steps, reasons } = nameRepair(leaf, tree, live)
  if (steps.length === 0) return state
  return {
    because: [...reasons, ...(state === null ? [] : [state.because])].join(', '),
    steps: [...steps, ...(state?.steps ?? [])],
  }
}

/**
 * Its state and restart policy. What the engine
 * could not remove cannot be started again either; it is removed, and the next turn makes a new one.
 */
function stateRepair(leaf: string, live: ObservedContainer): Repair | null {
  if (live.state === 'dead' || live.state === 'removing') {
    return { because: describeState(live), steps: [step({ do: 'remove', container: refOf(leaf, live) })] }
  }
  const steps = putBack(leaf, live)
  return steps.length === 0 ? null : { because: describeState(live), steps }
}

export function describeState(live: ObservedContainer): string {
  switch (live.state) {
    case 'paused':
      return 'someone paused it'
    case 'created':
      return live.error === '' ? 'it was never started' : `it did not start: ${live.error}`
    case 'exited':
      return live.oomKilled ? 'it ran out of memory' : `it exited with code ${live.exitCode}`
    case 'dead':
    case 'removing':
      return 'the engine could not remove it'
    default:
      return `its restart policy is ${live.restartPolicy}, not ${live.labels.restart}`
  }
}

export function describeChange(change: FieldChange): string {
  if (change.from === null) return `${change.field}: ${change.to ?? ''} added`
  if (change.to === null) return `${change.field} removed`
  return `${change.field} ${change.from} → ${change.to}`
}
