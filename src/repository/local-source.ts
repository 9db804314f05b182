// A person's own repository, read where it lies; written to only where a person has a commit made.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { configuredAuthor } from './author.ts'
import { factsOf, peelToCommit, readCommit } from './commit.ts'
import { codeOf, isOid } from './git-object.ts'
import { emptyRepository, missingCommit, missingRef } from './missing-ref.ts'
import { openObjectStore } from './object-store.ts'
import { openRefs } from './refs.ts'
import { RepositoryFault } from './repository.ts'
import { placesOf, resolveRevision } from './revision.ts'
import type { Source } from './source.ts'
import { openTreeReader } from './tree.ts'

/** `ref` null means the branch that HEAD is on when it is first asked for: a later checkout does not change what is deployed. */
export function openLocalSource(gitdir: string, worktree: string | null, ref: string | null): Source {
  const store = openObjectStore([join(gitdir, 'objects')])
  const trees = openTreeReader(store)
  const refs = openRefs(gitdir)
  const names = (name: string): string | null => {
    for (const place of placesOf(name)) {
      const oid = refs.read(place)
      if (oid !== null) return oid
    }
    return null
  }
  let wanted = ref

  /** Full name and commit of what is deployed. */
  function tip(): { commit: string; ref: string | null } {
    wanted ??= refs.headBranch() ?? 'HEAD'
    if (isOid(wanted)) {
      const commit = peelToCommit(store, wanted)
      if (commit === null) throw missingCommit(wanted, gitdir)
      return { commit, ref: null }
    }
    for (const place of placesOf(wanted)) {
      const oid = refs.read(place)
      const commit = oid === null ? null : peelToCommit(store, oid)
      if (commit !== null) return { commit, ref: place === 'HEAD' ? null : place }
    }
    // `main~2` or a short id: a commit like any other.
    if (/[~^]|^[0-9a-f]{4,39}$/.test(wanted)) return { commit: resolveRevision(store, names, wanted), ref: null }
    if (!existsSync(join(gitdir, 'HEAD'))) {
      throw new RepositoryFault('not-found', `${gitdir} is no longer a repository`, 'Put it back, or name another one')
    }
    const branches = refs.list('refs/heads/').map((name) => name.slice('refs/heads/'.length))
    const short = wanted.replace(/^refs\/heads\//, '')
    throw branches.length === 0 ? emptyRepository(gitdir) : missingRef(short, branches, gitdir)
  }

  return {
    async refresh() {
      const { commit, ref } = tip()
      return { commit: factsOf(readCommit(store, commit)), ref }
    },
    async resolve(revision) {
      return factsOf(readCommit(store, resolveRevision(store, names, revision)))
    },
    async objects() {
      return { store, trees, shallow: readShallow(gitdir) }
    },
    deepen: async () => readShallow(gitdir).size === 0,
    replace: async () => false,
    author: () => configuredAuthor(join(gitdir, 'config')),
    async admit(name, changes) {
      const { admitLocally } = await import('./land-locally.ts')
      await admitLocally({ gitdir, worktree, refs }, name, changes)
    },
    async land(landing) {
      const { landLocally } = await import('./land-locally.ts')
      await landLocally({ gitdir, worktree, refs }, landing)
    },
  }
}

/** Git documentation, shallow: one commit id a line. */
function readShallow(gitdir: string): Set<string> {
  try {
    return new Set(readFileSync(join(gitdir, 'shallow'), 'utf8').split('\n').filter(isOid))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return new Set()
    throw error
  }
}
