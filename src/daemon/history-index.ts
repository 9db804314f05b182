// What each commit of the branch claims of each leaf and what it touched, kept as an index that grows with each commit.
// It is a cache: it can be deleted at any time, and is then read from the repository again.

import { rm } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'

import { EMPTY_LEDGER, extendLedger, ledgerKnows, type Ledger } from '../desired/ledger.ts'
import type { InAncestors } from '../desired/ledger-judge.ts'
import { DEFAULT_READ_LIMITS, type ReadLimits } from '../desired/read-limits.ts'
import type { Reader } from '../desired/read.ts'
import type { Tree } from '../desired/tree.ts'
import type { DepartedLeaf } from '../plan/planning.ts'
import type { Repository } from '../repository/repository.ts'
import type { CommitFacts, Snapshot } from '../repository/snapshot.ts'
import { loadHistory, saveHistory } from './history-file.ts'
import { createHistoryScan } from './history-scan.ts'
import type { IndexedCommit } from './indexed-commit.ts'
import { scanApart, ThreadLost } from './scan-apart.ts'

export interface HistoryAt {
  readonly ledger: Ledger
  /** What the last commit that had it said of each leaf. */
  readonly departed: ReadonlyMap<string, DepartedLeaf>
  /** False where a shallow clone ends before the history does. */
  readonly complete: boolean
}

export interface ReadCommit {
  readonly snapshot: Snapshot
  readonly tree: Tree
}

export interface HistoryLine {
  /** Along first parents, newest first. */
  readonly commits: readonly IndexedCommit[]
  /** False where a shallow clone ends before the history does. */
  readonly complete: boolean
}

export interface HistoryIndex {
  /**
   * The ledger along the first parents of a commit, itself included. `known`: what that commit was read to already; it is
   * not read again where the host's own values had no part in it.
   */
  at(commit: string, known?: ReadCommit): Promise<HistoryAt>
  /** What each commit along the first parents claimed and touched, itself included. */
  along(commit: string): Promise<HistoryLine>
  /** Answers rule 3 for the side lines of merges below a commit; reads them on the first call. */
  sideLines(commit: string): Promise<InAncestors>
  /** Forgets that the history was cut short, after it was fetched whole. */
  reread(): Promise<void>
  /** The newest of a commit's first parents that reads; null for none. */
  lastReadable(commit: string): Promise<string | null>
  /** Called before so many commits are read that a person would notice. */
  onLong(callback: (commits: number) => void): void
}

export interface HistoryOptions {
  /** From so many commits on they are read in a thread of their own. */
  readonly apartFrom?: number
  /** Those of the reader. */
  readonly limits?: ReadLimits
}

/** Below this, reading takes less than starting a thread and telling it the first commit. */
const APART_FROM = 40
/** Lines that a crash may cost. */
const SAVED_AT_ONCE = 200

/** `file`: where the index is kept; null: only in memory. */
export function createHistoryIndex(
  repository: Repository,
  reader: Reader,
  file: string | null,
  { apartFrom = APART_FROM, limits = DEFAULT_READ_LIMITS }: HistoryOptions = {},
): HistoryIndex {
  const commits = new Map<string, IndexedCommit>()
  const folded = new Map<string, { ledger: Ledger; departed: ReadonlyMap<string, DepartedLeaf> }>()
  const scan = createHistoryScan(reader)
  let loaded: Promise<void> | null = null
  let growing: Promise<unknown> = Promise.resolve()
  let incomplete = false
  let tellLong: (commits: number) => void = () => undefined

  /** Reads what of the first-parent line is not in the index yet, oldest first; one line at a time. */
  async function grow(commit: string, known: ReadCommit | null): Promise<void> {
    const turn = growing.then(() => growNow(commit, known))
    growing = turn.catch(() => undefined)
    await turn
  }

  async function growNow(commit: string, known: ReadCommit | null): Promise<void> {
    loaded ??= file === null ? Promise.resolve() : loadHistory(file, limits, commits)
    await loaded
    if (commits.has(commit)) {
      // The next commit is compared with this one.
      if (known !== null) scan.see(commit, known.snapshot, known.tree)
      return
    }
    const line = await repository.firstParents(commit, new Set(commits.keys()))
    if (!line.complete) incomplete = true
    const fresh = line.commits.toReversed()
    let unsaved: IndexedCommit[] = []
    // What was read from a history that is cut short means something else once the rest is there: it is not kept.
    const save = async (): Promise<void> => {
      const entries = unsaved
      unsaved = []
      if (!incomplete && file !== null) await saveHistory(file, limits, entries)
    }
    const keep = (entry: IndexedCommit): void => {
      commits.set(entry.id, entry)
      unsaved.push(entry)
    }
    try {
      if (fresh.length >= apartFrom) {
        tellLong(fresh.length)
        await readApart(fresh, keep, save)
      }
      await readHere(
        fresh.filter(({ id }) => !commits.has(id)),
        commit,
        known,
        keep,
      )
    } finally {
      await save()
    }
    if (known !== null && scan.last?.id !== commit) scan.see(commit, known.snapshot, known.tree)
  }

  async function readApart(
    fresh: readonly CommitFacts[],
    keep: (entry: IndexedCommit) => void,
    save: () => Promise<void>,
  ): Promise<void> {
    const base = readingsBefore(fresh[0])
    let count = 0
    try {
      await scanApart({
        limits,
        base,
        commits: fresh,
        onEntry: keep,
        async snapshot(id, before) {
          if (++count % SAVED_AT_ONCE === 0) await save()
          return repository.snapshot(id, before, 'optional')
        },
      })
    } catch (error) {
      // What the thread has not done is read here.
      if (!(error instanceof ThreadLost)) throw error
    }
    scan.forget()
  }

  async function readHere(
    fresh: readonly CommitFacts[],
    tip: string,
    known: ReadCommit | null,
    keep: (entry: IndexedCommit) => void,
  ): Promise<void> {
    const [first] = fresh
    if (first === undefined) return
    if (first.parents[0] !== scan.last?.id) {
      const before = scan.last?.snapshot
      scan.forget()
      for (const id of readingsBefore(first)) {
        scan.see(id, await repository.snapshot(id, scan.last?.snapshot ?? before, 'optional'))
      }
    }
    for (const [number, facts] of fresh.entries()) {
      if (facts.id === tip && known !== null) keep(scan.add(facts, known.snapshot, known.tree))
      else keep(scan.add(facts, await repository.snapshot(facts.id, scan.last?.snapshot, 'optional')))
      if (number % 20 === 19) await setImmediate()
    }
  }

  /** What a commit is compared with: the newest before it that reads, and its first parent; oldest first. */
  function readingsBefore(commit: CommitFacts | undefined): string[] {
    const parent = commit?.parents[0]
    if (parent === undefined || !commits.has(parent)) return []
    const readable = newestReadable(parent)
    return readable === null || readable === parent ? [parent] : [readable, parent]
  }

  function newestReadable(commit: string): string | null {
    for (let id: string | undefined = commit; id !== undefined; id = commits.get(id)?.parents[0]) {
      if (commits.get(id)?.reads === true) return id
    }
    return null
  }

  function fold(commit: string): { ledger: Ledger; departed: ReadonlyMap<string, DepartedLeaf> } {
    const steps: IndexedCommit[] = []
    let base: { ledger: Ledger; departed: ReadonlyMap<string, DepartedLeaf> } = {
      ledger: EMPTY_LEDGER,
      departed: new Map(),
    }
    for (let at: string | undefined = commit; at !== undefined;) {
      const known = folded.get(at)
      if (known !== undefined) {
        base = known
        break
      }
      const entry: IndexedCommit | undefined = commits.get(at)
      if (entry === undefined) break
      steps.push(entry)
      at = entry.parents[0]
    }
    const oldestFirst = steps.toReversed()
    const departed = new Map(base.departed)
    for (const { leaves } of oldestFirst) {
      for (const { leaf, prune, dependencies } of leaves) departed.set(leaf, { prune, dependencies })
    }
    const ledger = extendLedger(
      base.ledger,
      oldestFirst.map(({ id, subject, claims }) => ({ commit: { id, subject }, claims })),
    )
    const result = { ledger, departed }
    if (folded.size > 8) folded.clear()
    folded.set(commit, result)
    return result
  }

  async function at(commit: string, known?: ReadCommit): Promise<HistoryAt> {
    const usable = known?.snapshot.commit?.id === commit && !asksTheHost(known.snapshot)
    await grow(commit, usable ? known : null)
    return { ...fold(commit), complete: !incomplete }
  }

  return {
    at,
    async along(commit) {
      await grow(commit, null)
      const line: IndexedCommit[] = []
      let entry = commits.get(commit)
      while (entry !== undefined) {
        line.push(entry)
        entry = commits.get(entry.parents[0] ?? '')
      }
      return { commits: line, complete: !incomplete }
    },
    async sideLines(commit) {
      const { commits: all, complete } = await repository.ancestors(commit)
      const tips = all.flatMap(({ parents }) => parents.slice(1))
      const ledgers: Ledger[] = []
      for (const tip of tips) ledgers.push((await at(tip)).ledger)
      return (leaf, generation, digest) => {
        if (ledgers.some((ledger) => ledgerKnows(ledger, leaf, generation, digest))) return true
        return complete ? false : 'unknown'
      }
    },
    async reread() {
      await growing
      commits.clear()
      folded.clear()
      scan.forget()
      incomplete = false
      if (file !== null) await rm(file, { force: true })
    },
    async lastReadable(commit) {
      await grow(commit, null)
      return newestReadable(commit)
    },
    onLong: (callback) => (tellLong = callback),
  }
}

/** What a commit claims must not depend on the host that reads it. */
function asksTheHost({ entries }: Snapshot): boolean {
  const text = entries.get('deployment.yaml')?.content ?? null
  return text === null || new TextDecoder().decode(text).includes('host_variables')
}
