// The ledger: which spec each generation of each leaf has meant, folded from the branch's first-parent history, and
// the three rules that follow from it. Pure: whoever reads the history hands in what each commit claims.

import type { CommitFacts } from '../repository/snapshot.ts'
import type { Leaf, Tree } from './tree.ts'

/** The first commit that gave (leaf, generation) its meaning. */
export interface LedgerEntry {
  readonly generation: number
  /** Ledger digest, hex. */
  readonly digest: string
  /** Full id and subject of that commit. */
  readonly commit: string
  readonly subject: string
  /** The leaf's file in that commit, and the line of `generation:`, 1-based. */
  readonly file: string
  readonly line: number
}

/** Leaf → its entries, oldest first. A leaf that was deleted keeps its entries. Plain data, fit for JSON. */
export type Ledger = ReadonlyMap<string, readonly LedgerEntry[]>

/** What one commit says of one leaf. */
export interface LeafClaim {
  readonly leaf: string
  readonly generation: number
  readonly digest: string
  readonly file: string
  readonly line: number
  readonly renamedFrom: string | null
}

/** A commit and what it claims that its first parent did not. */
export interface LedgerStep {
  readonly commit: Pick<CommitFacts, 'id' | 'subject'>
  readonly claims: readonly LeafClaim[]
}

export const EMPTY_LEDGER: Ledger = new Map()

/** Everything a commit claims. */
export function leafClaims(tree: Tree): LeafClaim[] {
  return [...tree.leaves.values()].map(claimOf)
}

/**
 * What `tree` claims that `parent` (the last commit before it that reads; null at the root) did not.
 * Leaves that are the same object in both trees cost one comparison.
 */
export function changedClaims(tree: Tree, parent: Tree | null): LeafClaim[] {
  const changed: LeafClaim[] = []
  for (const [name, leaf] of tree.leaves) {
    const before = parent?.leaves.get(name)
    if (before === leaf) continue
    const same =
      before !== undefined &&
      before.generation === leaf.generation &&
      before.ledgerDigest === leaf.ledgerDigest &&
      before.renamed_from === leaf.renamed_from
    if (!same) changed.push(claimOf(leaf))
  }
  return changed
}

function claimOf(leaf: Leaf): LeafClaim {
  return {
    leaf: leaf.name,
    generation: leaf.generation,
    digest: leaf.ledgerDigest,
    file: leaf.file,
    line: leaf.generationLine,
    renamedFrom: leaf.renamed_from,
  }
}

/**
 * The ledger after `steps`, oldest first along the first parents. Only claims that rules 1 and 2 allow become entries,
 * so a commit that was refused never gives a number its meaning. The ledger passed in is not changed; it is the result
 * itself where nothing new was claimed. Cost: one copy of the map per call, then the claims.
 */
export function extendLedger(ledger: Ledger, steps: Iterable<LedgerStep>): Ledger {
  let next: Map<string, readonly LedgerEntry[]> | null = null
  for (const { commit, claims } of steps) {
    for (const claim of claims) {
      const current: Ledger = next ?? ledger
      const own = current.get(claim.leaf)
      const entries = ledgerEntries(current, claim.leaf, claim.renamedFrom)
      const legal = !entries.some((entry) => entry.generation >= claim.generation)
      if (!legal && entries === own) continue
      next ??= new Map(ledger)
      const { generation, digest, file, line } = claim
      const entry = { generation, digest, commit: commit.id, subject: commit.subject, file, line }
      next.set(claim.leaf, legal ? [...entries, entry] : entries)
    }
  }
  return next ?? ledger
}

/** Own entries, and those of the name that this leaf took over, where the own ones do not already mean something. */
export function ledgerEntries(ledger: Ledger, leaf: string, renamedFrom: string | null): readonly LedgerEntry[] {
  const own = ledger.get(leaf) ?? []
  const inherited = renamedFrom === null ? [] : (ledger.get(renamedFrom) ?? [])
  if (inherited.length === 0) return own
  const missing = inherited.filter((old) => !own.some((entry) => entry.generation === old.generation))
  if (missing.length === 0) return own
  return [...missing, ...own].sort((a, b) => a.generation - b.generation)
}

/** The number after every number the leaf has had; 1 for a leaf nobody has seen. */
export function nextFreeGeneration(ledger: Ledger, leaf: string, renamedFrom: string | null = null): number {
  return highest(ledgerEntries(ledger, leaf, renamedFrom)) + 1
}

/** Whether the ledger knows that (leaf, generation) meant this digest: the question rule 3 asks of other lines of history. */
export function ledgerKnows(ledger: Ledger, leaf: string, generation: number, digest: string): boolean {
  return (ledger.get(leaf) ?? []).some((entry) => entry.generation === generation && entry.digest === digest)
}

/** The highest number among entries; 0 for none. */
export function highest(entries: readonly LedgerEntry[]): number {
  return entries.reduce((most, entry) => Math.max(most, entry.generation), 0)
}
