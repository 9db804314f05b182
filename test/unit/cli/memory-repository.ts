// A repository in memory, for tests that need thousands of commits: commits are snapshots with parents, and what was
// asked of a branch goes along with them.

import { editedSnapshot } from '../../../src/desired/edited-snapshot.ts'
import { isSame } from '../../../src/desired/revert-files.ts'
import { RepositoryFault, type FileChange, type Repository } from '../../../src/repository/repository.ts'
import type { CommitFacts, Snapshot } from '../../../src/repository/snapshot.ts'

export interface MemoryRepository extends Repository {
  /** Commits onto the tip, or onto another commit, which does not move the tip; the snapshot with its commit. */
  commit(changes: readonly FileChange[], subject: string, onto?: string): Snapshot
  /** File by file: what only one side changed is taken, of the rest what the tip has. */
  merge(other: string): Snapshot
  tip(): Snapshot
  at(commit: string): Snapshot
}

export function memoryRepository(files: Readonly<Record<string, string>>): MemoryRepository {
  const commits = new Map<string, Snapshot & { readonly commit: CommitFacts }>()
  let newest = ''

  function add(snapshot: Snapshot, subject: string, parents: readonly string[]): Snapshot {
    const id = (commits.size + 1).toString(16).padStart(7, '0').padEnd(40, '0')
    const commit = { id, parents, subject, author: 'Ada', time: commits.size * 1000 }
    const made = { ...snapshot, commit }
    commits.set(id, made)
    return made
  }

  function at(id: string): Snapshot & { readonly commit: CommitFacts } {
    const found = commits.get(id)
    if (found === undefined) throw new RepositoryFault('missing-ref', `no ${id}`, '')
    return found
  }

  function ancestors(id: string): CommitFacts[] {
    const found = new Map<string, CommitFacts>()
    const open = [id]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (found.has(next)) continue
      const { commit } = at(next)
      found.set(next, commit)
      open.push(...commit.parents)
    }
    return [...found.values()].toSorted((a, b) => b.time - a.time)
  }

  const begin = Object.entries(files).map(([path, text]) => ({ path, content: Buffer.from(text) }))
  newest = add(editedSnapshot({ commit: null, entries: new Map() }, begin), 'Begin', []).commit?.id ?? ''
  const cannot = (): Promise<never> => Promise.reject(new RepositoryFault('unsupported', 'not in memory', ''))

  return {
    description: 'memory',
    at,
    tip: () => at(newest),
    commit(changes, subject, onto) {
      const made = add(editedSnapshot(at(onto ?? newest), changes), subject, [onto ?? newest])
      if (onto === undefined) newest = made.commit?.id ?? ''
      return made
    },
    merge(other) {
      const theirs = at(other)
      const ours = at(newest)
      const mine = new Set(ancestors(newest).map(({ id }) => id))
      const base = ancestors(other).find(({ id }) => mine.has(id))
      const before = base === undefined ? new Map<string, never>() : at(base.id).entries
      const paths = new Set([...before.keys(), ...ours.entries.keys(), ...theirs.entries.keys()])
      const changes: FileChange[] = []
      for (const path of paths) {
        const [was, our, their] = [before.get(path), ours.entries.get(path), theirs.entries.get(path)]
        if (isSame(was, our) && !isSame(was, their)) changes.push({ path, content: their?.content ?? null })
      }
      const made = add(editedSnapshot(ours, changes), `Merge ${other.slice(0, 7)}`, [newest, other])
      newest = made.commit?.id ?? ''
      return made
    },
    refresh: () => Promise.resolve({ commit: at(newest).commit, ref: 'refs/heads/main' }),
    resolve: async (revision) => at(revision).commit,
    snapshot: async (commit) => at(commit),
    async firstParents(commit, known) {
      const line: CommitFacts[] = []
      for (let id: string | undefined = commit; id !== undefined && !known.has(id); id = line.at(-1)?.parents[0]) {
        line.push(at(id).commit)
      }
      return { commits: line, complete: true }
    },
    ancestors: async (commit) => ({ commits: ancestors(commit), complete: true }),
    deepen: () => Promise.resolve(false),
    filesOutside: () => Promise.resolve(0),
    worktree: cannot,
    commitFiles: cannot,
    commitText: cannot,
    verify: cannot,
    onHint: () => undefined,
    close: () => Promise.resolve(),
  }
}
