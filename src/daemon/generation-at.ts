// When a leaf had a generation, found in the history index alone. Pure.

import { ledgerEntries, type Ledger } from '../desired/ledger.ts'
import type { HistoryLine } from './history-index.ts'

/**
 * Id of the newest commit along the line in which the leaf had this generation, with the spec that the ledger gives it;
 * null for none.
 */
export function lastWithGeneration(
  { commits }: HistoryLine,
  ledger: Ledger,
  leaf: string,
  generation: number,
): string | null {
  const meant = ledgerEntries(ledger, leaf, null).find((entry) => entry.generation === generation)
  if (meant === undefined) return null
  let holds = false
  let last: string | null = null
  for (const { id, reads, claims, touched } of commits.toReversed()) {
    const claim = claims.find((one) => one.leaf === leaf)
    if (claim !== undefined) holds = claim.generation === generation && claim.digest === meant.digest
    else if (touched.some((touch) => touch.formerly === leaf || (touch.leaf === leaf && touch.to === null)))
      holds = false
    if (holds && reads) last = id
  }
  return last
}

/** The generations that a leaf has had under its own name, rising. */
export function knownGenerations(ledger: Ledger, leaf: string): number[] {
  return (ledger.get(leaf) ?? []).map(({ generation }) => generation).toSorted((a, b) => a - b)
}
