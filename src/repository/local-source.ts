// A person's own repository, read where it lies; written to only where a person has a commit made.

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { configuredAuthor } from './author.ts'
import { factsOf, peelToCommit, readCommit } from './commit.ts'
import { codeOf, isOid } from './git-object.ts'
import { emptyRepository, missingCommit, missingRef } from './missing-ref.ts'
import { openObjectStore } from './object-store.ts'
import type { Reach } from './push-branch.ts'
import { openRefs } from './refs.ts'
import { RepositoryFault } from './repository.ts'
import { placesOf, resolveRevision } from './revision.ts'
import type { Objects, Source } from './source.ts'
import { openTreeReader } from './tree.ts'

/**
 * `ref` null means the branch that HEAD is on when it is first asked for: a later checkout does not change what is
 * deployed. `reach` null: nothing can be pushed.
 */
export function openLocalSource(
  gitdir: string,
  worktree: string | null,
  ref: string | null,
  reach: Reach | null = null,
): Source {
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
  const place = { gitdir, worktree, refs }
  const objects = async (): Promise<Objects> => ({ store, trees, shallow: readShallow(gitdir) })

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
    const folder = gitdir.endsWith('/.git') ? dirname(gitdir) : gitdir
    throw branches.length === 0
      ? emptyRepository(folder, 'Commit something to it')
      : missingRef(short, branches, gitdir)
  }

  return {
    async refresh() {
      const { commit, ref } = tip()
      return { commit: factsOf(readCommit(store, commit)), ref }
    },
    async resolve(revision) {
      return factsOf(readCommit(store, resolveRevision(store, names, revision)))
    },
    objects,
    deepen: async () => readShallow(gitdir).size === 0,
    replace: async () => false,
    author: () => configuredAuthor(join(gitdir, 'config')),
    branchTip: async (name) => refs.read(name),
    async admit(landing) {
      const { admitLocally } = await import('./land-locally.ts')
      await admitLocally(place, landing)
      if (landing.push) (await import('./push-branch.ts')).remoteOf(place)
    },
    async land(landing, signal) {
      const { landLocally } = await import('./land-locally.ts')
      await landLocally(place, landing)
      if (!landing.push || reach === null) return
      const { pushBranch } = await import('./push-branch.ts')
      await pushBranch(place, await objects(), landing, reach, signal)
    },
  }
}

/** Git documentation, shallow: one commit id a line. */
export function readShallow(gitdir: string): Set<string> {
  try {
    return new Set(readFileSync(join(gitdir, 'shallow'), 'utf8').split('\n').filter(isOid))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return new Set()
    throw error
  }
}
