// What a commit changes against an earlier one, without an engine: what a host that runs the earlier one would be asked
// to do. Pure. Nothing is known of what really runs, so there are no repairs, no holds and no tables.

import type { Problem } from '../desired/problem.ts'
import { privilegesOf } from '../desired/privileges.ts'
import type { Leaf, Tree } from '../desired/tree.ts'
import { withoutSecrets } from './compare.ts'
import { secretsBetween } from './secret-digests.ts'
import { effectiveSpec } from './effective.ts'
import { gainsOf } from './gains.ts'
import { gapOf } from './gap.ts'
import { switchTogether } from './offline-together.ts'
import { verdictOf } from './proposal.ts'
import { guardRemovals, heldWords, type RemovalHeld } from './removal-guard.ts'
import { describeChange } from './repair.ts'
import { specFields, type SpecFields } from './spec-fields.ts'
import { swapOrder, type SwapOrder } from './swap-order.ts'
import type { FieldChange, Plan, Verdict } from './verdict.ts'

export interface OfflineInput {
  /** Null: there is nothing to compare with, so everything is new. */
  readonly before: Tree | null
  readonly after: Tree
  readonly refused: ReadonlyMap<string, Problem>
  /** The most leaves that may go without confirmation. */
  readonly removalLimit: number
}

export function planOffline(input: OfflineInput): Plan {
  const { before, after, removalLimit } = input
  const taken = new Set<string>()
  const verdicts = [...after.leaves.values()].map((leaf) => {
    const old = predecessor(leaf, input)
    if (old !== null) taken.add(old.name)
    return verdictOn(leaf, old, input)
  })
  const gone = [...(before?.leaves.values() ?? [])].filter(({ name }) => !taken.has(name) && !after.leaves.has(name))
  const going = gone.filter(({ prune }) => prune)
  const held = guardRemovals({
    tree: after,
    going: going.map(({ name }) => ({ leaf: name, id: null })),
    limit: removalLimit,
  })
  return {
    deployment: after.name,
    commit: after.commit?.id ?? null,
    verdicts: [...switchTogether(verdicts, before, after), ...gone.map((leaf) => verdictOnGone(leaf, held))],
    tables: [],
    removalHeld: held,
    notes: [],
  }
}

/** Whether a host would have anything to do. */
export function changesOffline({ verdicts }: Plan): boolean {
  return verdicts.some(({ kind }) => kind !== 'keep' && kind !== 'move' && kind !== 'refuse')
}

function predecessor(leaf: Leaf, { before, after }: OfflineInput): Leaf | null {
  const same = before?.leaves.get(leaf.name)
  if (same !== undefined) return same
  if (leaf.renamed_from === null || after.leaves.has(leaf.renamed_from)) return null
  return before?.leaves.get(leaf.renamed_from) ?? null
}

function verdictOn(leaf: Leaf, old: Leaf | null, input: OfflineInput): Verdict {
  const { before, after } = input
  const refusal = input.refused.get(leaf.name)
  if (refusal !== undefined) return verdict(leaf, old, 'refuse', refusal.message)
  if (leaf.suspend) return verdict(leaf, old, 'hold', 'its set is suspended; graft looks and does not touch')
  if (leaf.state === 'stopped') {
    const stops = old !== null && old.state === 'running' && leaf.kind === 'container'
    return verdict(leaf, old, stops ? 'stop' : 'keep', 'its set is stopped')
  }
  if (leaf.kind === 'job') return jobVerdict(leaf, old, after)
  if (old === null || before === null) {
    const gains = privilegesOf(leaf, after).map(({ text }) => text)
    return verdict(leaf, null, 'create', 'it is new', { gains, notes: notesOn(leaf) })
  }
  const changes = changesBetween({ leaf: old, tree: before }, { leaf, tree: after })
  if (old.generation !== leaf.generation || changes.length > 0) {
    const because = changes.map(describeChange).join(', ') || `generation ${old.generation} → ${leaf.generation}`
    const order = orderOf({ leaf: old, tree: before }, { leaf, tree: after })
    const gap = gapOf(order.kind, null)
    return verdict(leaf, old, 'replace', because, {
      changes,
      gains: gainsOf(changes),
      order,
      gap,
      notes: notesOn(leaf),
    })
  }
  if (old.state === 'stopped') return verdict(leaf, old, 'restore', 'its set is no longer stopped')
  if (old.name !== leaf.name) return verdict(leaf, old, 'restore', `renamed from ${old.name}`)
  if (old.set !== leaf.set)
    return verdict(leaf, old, 'move', `from ${old.set || 'the root'}; nothing that runs changes`)
  return verdict(leaf, old, 'keep', 'as declared')
}

/** A job runs once per generation, going up only. */
function jobVerdict(leaf: Leaf, old: Leaf | null, after: Tree): Verdict {
  const gains = old === null ? privilegesOf(leaf, after).map(({ text }) => text) : []
  if (old === null) return verdict(leaf, null, 'run', 'it is new', { gains })
  if (old.generation < leaf.generation)
    return verdict(leaf, old, 'run', `generation ${old.generation} → ${leaf.generation}`)
  const rolledBack = old.generation > leaf.generation
  return verdict(leaf, old, 'keep', rolledBack ? 'a rollback does not run a job again' : 'as declared')
}

export interface LeafIn {
  readonly leaf: Leaf
  readonly tree: Tree
}

/** What differs between two readings of a leaf, as fields with values ready to show; what is from secrets is not. */
export function changesBetween(before: LeafIn, after: LeafIn): FieldChange[] {
  const from = fieldsOf(before)
  const to = fieldsOf(after)
  const changes: FieldChange[] = []
  for (const field of new Set([...from.keys(), ...to.keys()])) {
    const change = { field, from: from.get(field) ?? null, to: to.get(field) ?? null }
    if (change.from !== change.to) changes.push(withoutSecrets(change))
  }
  changes.push(...secretsBetween(before.leaf, after.leaf))
  return changes.toSorted((a, b) => (a.field < b.field ? -1 : 1))
}

/** What the image brings is not known, and so is not compared. */
function fieldsOf({ leaf, tree }: LeafIn): SpecFields {
  const fields = specFields(effectiveSpec(leaf, tree, null, new Map()))
  fields.set('image', leaf.spec.image)
  fields.set('restart', leaf.spec.restart)
  for (const [path, { sha256, mode, uid, gid }] of Object.entries(leaf.spec.files)) {
    fields.set(
      `files.${path}`,
      `${sha256.slice(0, 12)} (mode ${mode.toString(8).padStart(4, '0')}, owner ${uid}:${gid})`,
    )
  }
  return fields
}

/** The old container and the new one both count. */
function orderOf(before: LeafIn, after: LeafIn): SwapOrder {
  const wanted = swapOrder(after.leaf, after.tree, null, null)
  if (wanted.kind === 'stop-first' || after.leaf.update.order !== null) return wanted
  const undecided = { ...before.leaf, update: { ...before.leaf.update, order: null } }
  const held = swapOrder(undecided, before.tree, null, null)
  return held.kind === 'stop-first' ? { kind: 'stop-first', because: `${held.because}, until now` } : wanted
}

function notesOn(leaf: Leaf): string[] {
  const check = leaf.spec.healthcheck
  if (leaf.probe !== null || (check !== undefined && !('disable' in check))) return []
  return [
    check === undefined
      ? "it declares no health check: only its image's own, if any, is asked"
      : 'its health check is switched off',
  ]
}

function verdictOnGone(leaf: Leaf, held: RemovalHeld | null): Verdict {
  const base = { ...verdict(leaf, leaf, 'remove', 'its file is gone'), set: null, toGeneration: null }
  if (!leaf.prune) return { ...base, kind: 'keep', because: 'its file is gone, but it said prune: false' }
  return held === null ? base : { ...base, kind: 'hold', because: heldWords(held) }
}

function verdict(
  leaf: Leaf,
  old: Leaf | null,
  kind: Verdict['kind'],
  because: string,
  more: Partial<Verdict> = {},
): Verdict {
  return verdictOf(leaf, null, kind, because, { fromGeneration: old?.generation ?? null, ...more })
}
