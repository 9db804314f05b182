// What is held or refused is still kept running as it is, at a pace of its own.

import type { Leaf } from '../desired/tree.ts'
import { ailmentOf } from './ailment.ts'
import type { LeafContext } from './leaf-context.ts'
import type { ObservedContainer } from './observed.ts'
import { isWanted } from './planning.ts'
import { inPlace, verdictOf, type Proposal } from './proposal.ts'
import { repairMeanwhile } from './repair.ts'
import type { Verdict } from './verdict.ts'

/** Under which name faults of keeping a held leaf as it is are counted, apart from those of its swap. */
export function meanwhileOf(leaf: string): string {
  return `${leaf}, meanwhile`
}

/** A spec that failed its gate is not tried again; a fault is, when its time has come. */
export function failedBefore(leaf: Leaf, live: ObservedContainer | null, context: LeafContext): Proposal | null {
  const { failed } = context.situation
  if (failed !== null && isWanted(failed, leaf, context.input.runDigest(leaf))) {
    const how = failed.oomKilled ? 'it ran out of memory' : `it ended with exit code ${failed.exitCode}`
    const why = `generation ${leaf.generation} failed before (${how}; see ${failed.name})`
    return mendStateOf(leaf, live, 'hold', why, context)
  }
  const waiting = waitOf(leaf, context)
  return waiting === null ? null : mendStateOf(leaf, live, 'hold', waiting.because, context, { retryAt: waiting.until })
}

export function waitOf(leaf: Leaf, context: LeafContext, name = leaf.name): { until: number; because: string } | null {
  const wait = context.input.waits.get(name)
  if (wait === undefined || wait.until <= context.input.now) return null
  if (wait.state !== undefined && wait.state !== leaf.state) return null
  if (wait.generation !== leaf.generation || wait.digest !== context.input.runDigest(leaf)) return null
  return wait
}

/**
 * What runs stays as it is, but it keeps running: its state is mended even where its spec may not change, and it is
 * started again where nothing else helps.
 */
export function mendStateOf(
  leaf: Leaf,
  live: ObservedContainer | null,
  kind: 'hold' | 'refuse' | 'restore',
  because: string,
  context: LeafContext,
  more: Partial<Verdict> = {},
): Proposal {
  const repair =
    live === null ? null : (repairMeanwhile(leaf, context.input.tree, live) ?? ailmentOf(leaf, live, context))
  if (repair === null) return { verdict: verdictOf(leaf, live, kind, because, more), work: null }
  const words = `${because}; meanwhile: ${repair.because}`
  const waiting = waitOf(leaf, context, kind === 'restore' ? leaf.name : meanwhileOf(leaf.name))
  if (waiting !== null) {
    const retryAt = Math.min(waiting.until, more.retryAt ?? waiting.until)
    const held = kind === 'restore' ? 'hold' : kind
    return { verdict: verdictOf(leaf, live, held, `${words}; ${waiting.because}`, { ...more, retryAt }), work: null }
  }
  return { verdict: verdictOf(leaf, live, kind, words, more), work: inPlace(leaf.name, repair.steps) }
}
