// What each commit of the branch claims of each leaf, kept as an index that grows with each commit. It is a cache: it
// can be deleted at any time, and is then read from the repository again.

import { appendFile, mkdir, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setImmediate } from 'node:timers/promises'

import {
  changedClaims,
  EMPTY_LEDGER,
  extendLedger,
  ledgerKnows,
  type LeafClaim,
  type Ledger,
} from '../desired/ledger.ts'
import type { InAncestors } from '../desired/ledger-judge.ts'
import { LEDGER_DIGEST_VERSION } from '../desired/ledger-digest.ts'
import type { Reader } from '../desired/read.ts'
import type { Tree } from '../desired/tree.ts'
import type { DepartedLeaf } from '../plan/planning.ts'
import type { Repository } from '../repository/repository.ts'
import type { CommitFacts, Snapshot } from '../repository/snapshot.ts'

/** One line of the index. `reads`: whether the commit could be read at all; one that could not claims nothing. */
interface IndexedCommit {
  readonly id: string
  readonly subject: string
  readonly parents: readonly string[]
  readonly reads: boolean
  readonly claims: readonly LeafClaim[]
  readonly leaves: readonly (DepartedLeaf & { readonly leaf: string })[]
}

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

export interface HistoryIndex {
  /**
   * The ledger along the first parents of a commit, itself included. `known`: what that commit was read to already; it is
   * not read again where the host's own values had no part in it.
   */
  at(commit: string, known?: ReadCommit): Promise<HistoryAt>
  /** Answers rule 3 for the side lines of merges below a commit; reads them on the first call. */
  sideLines(commit: string): Promise<InAncestors>
  /** Forgets that the history was cut short, after it was fetched whole. */
  reread(): Promise<void>
  /** The newest of a commit's first parents that reads; null for none. */
  lastReadable(commit: string): Promise<string | null>
}

/** First line of the file; an index with another one is read from the repository again. */
const HEADER = JSON.stringify({ version: 1, digest: LEDGER_DIGEST_VERSION })

/** `file`: where the index is kept; null: only in memory. */
export function createHistoryIndex(repository: Repository, reader: Reader, file: string | null): HistoryIndex {
  const commits = new Map<string, IndexedCommit>()
  const folded = new Map<string, { ledger: Ledger; departed: ReadonlyMap<string, DepartedLeaf> }>()
  let loaded: Promise<void> | null = null
  let recent: { id: string; snapshot: Snapshot; tree: Tree | null } | null = null
  let incomplete = false

  async function load(): Promise<void> {
    if (file === null) return
    let text: string
    try {
      text = await readFile(file, 'utf8')
    } catch {
      return
    }
    const [head = '', ...lines] = text.split('\n')
    if (head !== HEADER) return rm(file, { force: true })
    for (const line of lines) {
      try {
        const entry = JSON.parse(line) as IndexedCommit
        // Parents stand before their children. What lies above a gap is read again, or the ledger would end there.
        const [parent] = entry.parents
        if (parent === undefined || commits.has(parent)) commits.set(entry.id, entry)
      } catch {
        // A line that was cut by a crash; its commit is read again.
      }
    }
  }

  async function save(entries: readonly IndexedCommit[]): Promise<void> {
    if (file === null || entries.length === 0) return
    await mkdir(dirname(file), { recursive: true })
    // The newline before keeps what a crash may have cut from swallowing the first line.
    const text = `\n${entries.map((entry) => `${JSON.stringify(entry)}\n`).join('')}`
    try {
      await appendFile(file, `${HEADER}\n`, { flag: 'ax' })
    } catch {
      // It is there already.
    }
    await appendFile(file, text)
  }

  /** Reads what of the first-parent line is not in the index yet, oldest first. */
  async function grow(commit: string, known: ReadCommit | null): Promise<void> {
    loaded ??= load()
    await loaded
    if (commits.has(commit)) {
      // The next commit is compared with this one.
      if (known !== null) recent = { id: commit, ...known }
      return
    }
    const line = await repository.firstParents(commit, new Set(commits.keys()))
    if (!line.complete) incomplete = true
    const added: IndexedCommit[] = []
    try {
      for (const facts of line.commits.toReversed()) {
        added.push(await indexCommit(facts, facts.id === commit ? known : null))
        if (added.length % 20 === 0) await setImmediate()
      }
    } finally {
      // What was read from a history that is cut short means something else once the rest is there: it is not kept.
      if (!incomplete) await save(added)
    }
  }

  async function indexCommit(facts: CommitFacts, known: ReadCommit | null): Promise<IndexedCommit> {
    const [parent] = facts.parents
    const before = await treeBefore(parent)
    const { snapshot, tree } = known ?? (await readCommit(facts.id))
    recent = { id: facts.id, snapshot, tree: tree ?? before }
    const entry: IndexedCommit = {
      id: facts.id,
      subject: facts.subject,
      parents: facts.parents,
      reads: tree !== null,
      claims: tree === null ? [] : changedClaims(tree, before),
      leaves: tree === null ? [] : changedLeaves(tree, before),
    }
    commits.set(entry.id, entry)
    return entry
  }

  /** The tree of the last commit at or before `id` that reads. */
  async function treeBefore(id: string | undefined): Promise<Tree | null> {
    for (let at = id; at !== undefined; at = commits.get(at)?.parents[0]) {
      if (recent?.id === at) return recent.tree
      if (commits.get(at)?.reads !== true) continue
      recent = { id: at, ...(await readCommit(at)) }
      return recent.tree
    }
    return null
  }

  async function readCommit(id: string): Promise<{ snapshot: Snapshot; tree: Tree | null }> {
    const snapshot = await repository.snapshot(id, recent?.snapshot)
    return { snapshot, tree: reader.read(snapshot, { host: null }).tree }
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
      commits.clear()
      folded.clear()
      incomplete = false
      if (file !== null) await rm(file, { force: true })
    },
    async lastReadable(commit) {
      await grow(commit, null)
      for (let id: string | undefined = commit; id !== undefined; id = commits.get(id)?.parents[0]) {
        if (commits.get(id)?.reads === true) return id
      }
      return null
    },
  }
}

/** What a commit claims must not depend on the host that reads it. */
function asksTheHost({ entries }: Snapshot): boolean {
  const text = entries.get('deployment.yaml')?.content ?? null
  return text === null || new TextDecoder().decode(text).includes('host_variables')
}

function changedLeaves(tree: Tree, before: Tree | null): IndexedCommit['leaves'] {
  const changed: (DepartedLeaf & { leaf: string })[] = []
  for (const [leaf, now] of tree.leaves) {
    const old = before?.leaves.get(leaf)
    if (old === now) continue
    const dependencies = [...now.dependencies.keys()]
    const same =
      old !== undefined && old.prune === now.prune && dependencies.join() === [...old.dependencies.keys()].join()
    if (!same) changed.push({ leaf, prune: now.prune, dependencies })
  }
  return changed
}
