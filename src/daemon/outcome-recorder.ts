// Follows what becomes of the commit in force, turn by turn, and says what came of it when it is known: all is as it says,
// something failed, was refused, or a newer commit came first. Pure but for the clock and the callbacks.

import type { TableResult } from '../apply/outcome.ts'
import type { Problem } from '../desired/problem.ts'
import { onlyFollows } from '../plan/ingress-steps.ts'
import type { Verdict } from '../plan/verdict.ts'
import type { LeafOutcome, OutcomeRecord } from '../report/outcome-record.ts'
import { fromVerdict, problemText, resultOf, swappedLeaf } from './leaf-outcomes.ts'
import type { Turn } from './reconcile.ts'

export interface OutcomeRecorder {
  /** A commit is in force now. Does nothing where it was before. */
  follow(commit: string, problems: readonly Problem[]): void
  /** A commit is not taken over at all; what was in force stays. */
  refuse(commit: string, problems: readonly Problem[]): void
  noteResult(result: TableResult, verdicts: ReadonlyMap<string, Verdict>): void
  noteTurn(turn: Turn, busy: ReadonlySet<string>): void
  /** Nothing more will be done for now: what still waits is told as held. */
  finish(turn: Turn): void
  /** Resolves when everything that was known has been told. */
  told(): Promise<void>
}

export interface RecorderOptions {
  readonly host: string
  /** The deployment's name; empty where it is not known. */
  readonly deployment: () => string
  readonly now: () => number
  /** What this host told of a commit before this process began; null for nothing. */
  readonly before: (commit: string) => Promise<OutcomeRecord | null>
  /** Work on a commit begins. */
  readonly onPending: (commit: string) => void
  /** Told again with the same commit where later changes make it better or worse. */
  readonly onOutcome: (record: OutcomeRecord) => void
}

/** Milliseconds for which what is tried again by itself (a registry that is away) is no outcome yet. */
const GRACE = 60_000
const MOST_PROBLEMS = 50

interface Following {
  readonly commit: string
  readonly begun: number
  readonly problems: readonly Problem[]
  /** What this host told of it before; resolved at once but for the first commit of a process. */
  readonly before: Promise<OutcomeRecord | null>
  readonly leaves: Map<string, LeafOutcome>
  /** Leaves that have become what the commit says; what happens to them later is no outcome of it. */
  readonly closed: Set<string>
  /** Since when a leaf waits for something that is tried again by itself. */
  readonly waiting: Map<string, number>
  told: string | null
}

export function createOutcomeRecorder(options: RecorderOptions): OutcomeRecorder {
  let current: Following | null = null
  let first = true
  let telling: Promise<void> = Promise.resolve()
  const refused = new Map<string, string>()

  function tell(following: Following, result: OutcomeRecord['result'], problems: readonly string[]): void {
    const leaves = [...following.leaves.values()].toSorted((a, b) => (a.leaf < b.leaf ? -1 : 1))
    const said = JSON.stringify([result, leaves, problems])
    if (following.told === said) return
    following.told = said
    const at = options.now()
    const record: OutcomeRecord = {
      format: 1,
      host: options.host,
      deployment: options.deployment(),
      commit: following.commit,
      result,
      at,
      milliseconds: Math.max(0, at - following.begun),
      leaves,
      problems,
    }
    const closed = new Set(following.closed)
    telling = telling.then(async () => {
      const before = await following.before.catch(() => null)
      const whole = before === null ? record : continued(before, record, closed)
      if (whole !== null) options.onOutcome(whole)
    })
  }

  function outcome(following: Following, { plan, wish }: Turn): void {
    const free = new Set(plan.removalHeld?.names)
    const result = resultOf(following.leaves.values(), free)
    const isBad = result === 'failed' || result === 'refused'
    const concerned = wish.refused.size > 0 || isBad ? following.problems : []
    tell(following, result, problemLines(concerned))
  }

  /** Takes in what a turn planned; true where there is nothing left to wait for. */
  function takeIn(following: Following, { plan, wish }: Turn, busy: ReadonlySet<string>, isLast: boolean): boolean {
    let pending = !isLast && (plan.tables.length > 0 || busy.size > 0)
    const { leaves, closed, waiting } = following
    for (const verdict of plan.verdicts) {
      const { leaf } = verdict
      if (closed.has(leaf)) continue
      const state = fromVerdict(verdict, leaves.get(leaf) ?? null, {
        isBusy: busy.has(leaf),
        isSuspended: wish.tree.leaves.get(leaf)?.suspend === true,
        isLast,
      })
      if (state.outcome === null) leaves.delete(leaf)
      else leaves.set(leaf, state.outcome)
      if (state.kind === 'closed') closed.add(leaf)
      if (state.kind === 'pending') pending = true
      if (state.kind !== 'retried') waiting.delete(leaf)
      else if (!isLast) {
        const since = waiting.get(leaf) ?? options.now()
        waiting.set(leaf, since)
        if (options.now() - since < GRACE) pending = true
      }
    }
    return !pending
  }

  return {
    follow(commit, problems) {
      if (current?.commit === commit) {
        current = { ...current, problems }
        return
      }
      // What was told stays as it was told.
      if (current !== null && current.told === null) tell(current, 'superseded', [])
      const before = first ? options.before(commit) : Promise.resolve(null)
      const leaves = new Map<string, LeafOutcome>()
      current = {
        commit,
        begun: options.now(),
        problems,
        before,
        leaves,
        closed: new Set(),
        waiting: new Map(),
        told: null,
      }
      first = false
      telling = telling.then(async () => {
        const known = await before.catch(() => null)
        if (known === null || known.result === 'superseded') options.onPending(commit)
      })
    },
    refuse(commit, problems) {
      const lines = problemLines(problems)
      if (refused.get(commit) === lines.join('\n')) return
      refused.set(commit, lines.join('\n'))
      const before = options.before(commit)
      const none = { leaves: new Map(), closed: new Set<string>(), waiting: new Map(), told: null }
      tell({ commit, begun: options.now(), problems, before, ...none }, 'refused', lines)
    },
    noteResult(result, verdicts) {
      if (current === null || onlyFollows(result.table)) return
      for (const leaf of result.table.leaves) {
        if (current.closed.has(leaf)) continue
        const made = swappedLeaf(leaf, result, verdicts.get(leaf))
        if (made !== null) current.leaves.set(leaf, made)
      }
    },
    noteTurn(turn, busy) {
      if (current === null || turn.wish.tree.commit?.id !== current.commit) return
      if (takeIn(current, turn, busy, false)) outcome(current, turn)
    },
    finish(turn) {
      if (current === null || turn.wish.tree.commit?.id !== current.commit) return
      takeIn(current, turn, new Set(), true)
      outcome(current, turn)
    },
    told: () => telling,
  }
}

/**
 * After a start the commit in force is mostly one whose outcome is known. What was mended since is no outcome of it; what
 * had gone wrong and is right now is, and so is a way back to it from another commit. Null: nothing new.
 */
function continued(before: OutcomeRecord, now: OutcomeRecord, closed: ReadonlySet<string>): OutcomeRecord | null {
  const moved = now.leaves.some(({ from, to, result }) => result === 'replaced' && from !== to)
  if (now.result === 'refused' && now.leaves.length === 0) {
    const isSame = before.result === 'refused' && before.problems.join('\n') === now.problems.join('\n')
    return isSame ? null : now
  }
  if (before.result === 'refused' || before.result === 'superseded' || (moved && before.result === 'deployed'))
    return now
  if (before.result === 'deployed' && now.result === 'deployed') return null
  const own = new Map(now.leaves.map((leaf) => [leaf.leaf, leaf]))
  const isBad = ({ result }: LeafOutcome): boolean => result === 'failed' || result === 'held' || result === 'refused'
  const kept = before.leaves.flatMap((leaf) => {
    const later = own.get(leaf.leaf)
    own.delete(leaf.leaf)
    if (!isBad(leaf)) return later !== undefined && isBad(later) ? [later] : [leaf]
    if (later !== undefined && (!isBad(later) || leaf.result !== 'failed')) return [later]
    return later === undefined && closed.has(leaf.leaf) ? [] : [leaf]
  })
  const more = [...own.values()].filter((leaf) => isBad(leaf) || before.result !== 'deployed')
  const leaves = [...kept, ...more].toSorted((a, b) => (a.leaf < b.leaf ? -1 : 1))
  const same = JSON.stringify([before.result, before.leaves, before.problems])
  const milliseconds = Math.max(now.milliseconds, now.at - before.at + before.milliseconds)
  const whole = { ...now, leaves, milliseconds }
  return JSON.stringify([whole.result, whole.leaves, whole.problems]) === same ? null : whole
}

function problemLines(problems: readonly Problem[]): string[] {
  const counted = problems.filter(({ severity }) => severity !== 'warning').map(problemText)
  if (counted.length <= MOST_PROBLEMS) return counted
  return [...counted.slice(0, MOST_PROBLEMS), `and ${counted.length - MOST_PROBLEMS} more`]
}
