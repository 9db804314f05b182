// Whether the ledger admits what a leaf claims now: the three rules of generations, each refusal with the commit that
// stands against it and the number that would be right. Pure.

import { highest, ledgerEntries } from './ledger.ts'
import type { Ledger, LedgerEntry } from './ledger.ts'
import type { Problem } from './problem.ts'
import type { Leaf } from './tree.ts'

/**
 * Whether (leaf, generation) legally meant this digest in an ancestor that the first-parent ledger does not cover: a
 * commit behind a merge's second parent (`ledgerKnows` of a ledger folded along that line answers it). Claims that were
 * themselves refused must not count. `unknown`: the clone is shallow and ends before the history does.
 */
export type InAncestors = (leaf: string, generation: number, digest: string) => boolean | 'unknown'

/**
 * Null where the claim stands. `ledger` may or may not already hold the commit that is judged: the answer is the same.
 * Rule 1: one number, one digest. Rule 2: a spec never seen takes a number above all. Rule 3: a lower number is a
 * rollback and must have had this digest in an ancestor. A digest comment must be the start of the digest.
 */
export function judgeLeaf(leaf: Leaf, ledger: Ledger, inAncestors: InAncestors): Problem | null {
  return judgeNumber(leaf, ledger, inAncestors) ?? judgeComment(leaf, ledger)
}

function judgeNumber(leaf: Leaf, ledger: Ledger, inAncestors: InAncestors): Problem | null {
  const entries = ledgerEntries(ledger, leaf.name, leaf.renamed_from)
  const next = highest(entries) + 1
  const meant = entries.find((entry) => entry.generation === leaf.generation)
  if (meant !== undefined) {
    if (meant.digest === leaf.ledgerDigest) return null
    return refusal(
      leaf,
      `generation ${leaf.generation} of ${leaf.name} already means another spec since ${named(meant)}`,
      `write generation: ${next}${sameSpec(entries, leaf)}`,
    )
  }
  if (leaf.generation >= next) return null
  const known = inAncestors(leaf.name, leaf.generation, leaf.ledgerDigest)
  if (known === true) return null
  if (known === 'unknown') {
    return refusal(
      leaf,
      `whether generation ${leaf.generation} of ${leaf.name} ever meant this spec cannot be told: the clone is shallow and ends before the history does`,
      `let graft fetch the whole history, or write generation: ${next}`,
    )
  }
  const latest = entries.find((entry) => entry.generation === next - 1)
  return refusal(
    leaf,
    `generation ${leaf.generation} of ${leaf.name} is below ${next - 1}${latest ? `, which ${named(latest)} used,` : ''} and never meant this spec`,
    `write generation: ${next}${sameSpec(entries, leaf)}; a lower number is for going back to exactly what it meant`,
  )
}

function judgeComment(leaf: Leaf, ledger: Ledger): Problem | null {
  if (leaf.digestComment === null || leaf.ledgerDigest.startsWith(leaf.digestComment)) return null
  const entries = ledgerEntries(ledger, leaf.name, leaf.renamed_from)
  const start = leaf.ledgerDigest.slice(0, Math.max(6, leaf.digestComment.length))
  const recorded = entries.some((entry) => entry.generation === leaf.generation && entry.digest === leaf.ledgerDigest)
  return refusal(
    leaf,
    `the comment # ${leaf.digestComment} is not the digest of this spec, which starts with ${start}: what was reviewed is not what is here`,
    recorded
      ? `write # ${start}, or take the comment away`
      : `look at what a merge made of this file, then write # ${start}, or take the comment away`,
  )
}

function refusal(leaf: Leaf, message: string, remedy: string): Problem {
  return {
    file: leaf.file,
    line: leaf.generationLine,
    column: 1,
    text: `generation: ${leaf.generation}${leaf.digestComment === null ? '' : ` # ${leaf.digestComment}`}`,
    message,
    remedy,
    leaf: leaf.name,
    severity: 'held',
  }
}

function named(entry: LedgerEntry): string {
  const subject = entry.subject.length > 60 ? `${entry.subject.slice(0, 59)}…` : entry.subject
  return `commit ${entry.commit.slice(0, 7)} “${subject}”`
}

/** Says where this very spec already has a number, because going back may be what was meant. */
function sameSpec(entries: readonly LedgerEntry[], leaf: Leaf): string {
  const same = entries.find((entry) => entry.digest === leaf.ledgerDigest)
  return same === undefined ? '' : `, or ${same.generation}, which is this very spec (${named(same)})`
}
