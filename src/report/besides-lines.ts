// What a plan does besides removals that are let go, as lines for the question before it.

import type { Plan } from '../plan/verdict.ts'
import type { Palette } from './palette.ts'
import { planLines } from './plan-lines.ts'

const STAYS: ReadonlySet<string> = new Set(['keep', 'move', 'hold', 'refuse'])

/** None where nothing else is done. */
export function besidesLines(plan: Plan, palette: Palette): string[] {
  const verdicts = plan.verdicts.filter(({ set, kind }) => set !== null && !STAYS.has(kind))
  const isMore = verdicts.length > 0 || plan.tables.some(({ leaves }) => leaves.length === 0)
  if (!isMore) return []
  const rest = verdicts.length > 0 ? planLines({ ...plan, verdicts, removalHeld: null }, { palette, all: false }) : []
  return ['', 'The rest of the commit is brought about with it, as graft apply does:', ...rest]
}
