// What came of one leaf of a commit, from the table that worked on it and from what the next plan says of it.

import type { TableResult } from '../apply/outcome.ts'
import type { Problem } from '../desired/problem.ts'
import { WORKED_ON } from '../plan/proposal.ts'
import type { Verdict } from '../plan/verdict.ts'
import type { LeafOutcome, OutcomeResult } from '../report/outcome-record.ts'

/** `closed`: it is what the commit says, or is left alone on purpose. `retried`: it waits, and is tried again by itself. */
export interface LeafState {
  readonly kind: 'closed' | 'settled' | 'retried' | 'pending'
  readonly outcome: LeafOutcome | null
}

interface Seen {
  readonly isBusy: boolean
  readonly isSuspended: boolean
  /** Nothing more will be done, so that what is pending is held. */
  readonly isLast: boolean
}

/** Characters of one message or problem. */
const LONGEST = 500

/** Of a leaf that a table has worked on; null where the table says nothing of it: a fault, an image that was fetched. */
export function swappedLeaf(leaf: string, result: TableResult, verdict: Verdict | undefined): LeafOutcome | null {
  const { outcome, table, gates, gaps, availability } = result
  if (verdict === undefined) return null
  const of = (how: LeafOutcome['result'], message: string | null): LeafOutcome => ({
    leaf,
    result: how,
    from: verdict.fromGeneration,
    to: verdict.toGeneration,
    order: verdict.order?.kind ?? null,
    gate: gates.get(leaf) ?? null,
    gap: gaps.get(leaf) ?? (how === 'replaced' && verdict.order?.kind === 'start-first' ? 0 : null),
    availability: availability.get(leaf) ?? null,
    message,
  })
  if (outcome.kind === 'failed') {
    return outcome.leaf === leaf && verdict.kind !== 'restore' ? of('failed', short(outcome.message)) : null
  }
  const onlyImage = [...table.prepare, ...table.commit].every(({ action }) => action.do === 'image')
  const how = DONE[verdict.kind]
  if (outcome.kind !== 'done' || how === undefined || (onlyImage && how !== 'removed')) return null
  return of(how, null)
}

const DONE: Partial<Record<Verdict['kind'], LeafOutcome['result']>> = {
  create: 'created',
  replace: 'replaced',
  restore: 'restored',
  recover: 'restored',
  move: 'moved',
  run: 'ran',
  remove: 'removed',
  stop: 'stopped',
}

/** `known`: what is known of the leaf so far. */
export function fromVerdict(verdict: Verdict, known: LeafOutcome | null, seen: Seen): LeafState {
  const of = (result: LeafOutcome['result'], message: string | null): LeafOutcome => ({
    leaf: verdict.leaf,
    result,
    from: verdict.fromGeneration,
    to: verdict.toGeneration,
    order: null,
    gate: null,
    gap: null,
    availability: null,
    message,
  })
  const isBad = known !== null && ['failed', 'held', 'refused'].includes(known.result)
  switch (verdict.kind) {
    case 'keep':
      return { kind: 'closed', outcome: isBad ? null : known }
    case 'move':
      return { kind: 'closed', outcome: isBad || known === null ? of('moved', null) : known }
    case 'refuse':
      return { kind: 'settled', outcome: of('refused', short(verdict.because)) }
    case 'hold': {
      if (seen.isSuspended) return { kind: 'closed', outcome: null }
      const isWaiting = seen.isBusy || verdict.because === WORKED_ON || verdict.awaits !== null
      if (isWaiting && !seen.isLast) return { kind: 'pending', outcome: known }
      const outcome = known?.result === 'failed' ? known : of('held', short(verdict.because))
      return { kind: verdict.retryAt === null || known?.result === 'failed' ? 'settled' : 'retried', outcome }
    }
    default:
      if (!seen.isLast) return { kind: 'pending', outcome: known }
      return { kind: 'settled', outcome: isBad ? known : of('held', short(`not done: ${verdict.because}`)) }
  }
}

/** `free`: leaves whose removal waits for a person, which takes nothing from the commit. */
export function resultOf(leaves: Iterable<LeafOutcome>, free: ReadonlySet<string>): OutcomeResult {
  const results = new Set([...leaves].filter(({ leaf }) => !free.has(leaf)).map(({ result }) => result))
  if (results.has('failed')) return 'failed'
  if (results.has('refused')) return 'refused'
  return results.has('held') ? 'failed' : 'deployed'
}

/** `web/hello.yaml:6: generation 1 of hello already means …`. */
export function problemText({ file, line, message }: Problem): string {
  const place = file === null ? '' : line === null ? `${file}: ` : `${file}:${line}: `
  return short(`${place}${message}`)
}

function short(text: string): string {
  const line = text.replace(/\s*\n\s*/g, '; ')
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST - 1)}…`
}
