// Resolves what a person types for a commit: a name or an id, then any of `~2`, `^`, `^2`, `^{commit}`.
// Git documentation, gitrevisions, "Specifying revisions", without dates, messages and reflogs.

import { peelToCommit, readCommit } from './commit.ts'
import { isOid } from './git-object.ts'
import type { ObjectStore } from './object-store.ts'
import { RepositoryFault } from './repository.ts'

/** The id behind a name without suffixes (a branch, a tag, `HEAD`), or null. */
export type Names = (name: string) => string | null

/** The places a short name is looked for, in this order. Branches come first, as `git checkout` has it. */
export function placesOf(name: string): readonly string[] {
  if (name === 'HEAD' || name === '@') return ['HEAD']
  if (name.startsWith('refs/')) return [name]
  return [
    `refs/heads/${name}`,
    `refs/tags/${name}`,
    `refs/remotes/${name}`,
    `refs/${name}`,
    `refs/remotes/${name}/HEAD`,
  ]
}

/** The commit's id. Throws RepositoryFault `missing-ref` with the reason. */
export function resolveRevision(store: ObjectStore, names: Names, revision: string): string {
  const [, base = '', suffix = ''] = /^(.*?)((?:~\d*|\^\d*|\^\{(?:commit)?\})*)$/s.exec(revision.trim()) ?? []
  let commit = resolveName(store, names, base)
  for (const step of suffix.matchAll(/([~^])(\{\w*\}|\d*)/g)) {
    const [, sign = '', value = ''] = step
    if (value.startsWith('{')) continue
    const number = value === '' ? 1 : Number(value)
    if (sign === '~') for (let back = 0; back < number; back++) commit = parentOf(store, commit, 1, revision)
    else if (number > 0) commit = parentOf(store, commit, number, revision)
  }
  return commit
}

function resolveName(store: ObjectStore, names: Names, name: string): string {
  const named = names(name)
  const oid = named ?? (isOid(name) ? name : /^[0-9a-f]{4,39}$/i.test(name) ? expand(store, name.toLowerCase()) : null)
  const commit = oid === null ? null : peelToCommit(store, oid)
  if (commit !== null) return commit
  if (oid !== null && store.has(oid)) {
    throw new RepositoryFault('missing-ref', `“${name}” is not a commit`, 'Name a branch, a tag or a commit')
  }
  throw new RepositoryFault(
    'missing-ref',
    `there is no branch, tag or commit “${name}” in the repository`,
    'Correct the name, or push the commit first',
  )
}

function expand(store: ObjectStore, prefix: string): string | null {
  const candidates = store.expand(prefix)
  if (candidates.length < 2) return candidates[0] ?? null
  throw new RepositoryFault(
    'missing-ref',
    `“${prefix}” is the beginning of more than one object's id`,
    'Write more digits of the commit id',
  )
}

function parentOf(store: ObjectStore, commit: string, number: number, revision: string): string {
  const parent = readCommit(store, commit).parents[number - 1]
  if (parent !== undefined && store.has(parent)) return parent
  throw new RepositoryFault(
    'missing-ref',
    `“${revision}” goes back further than the history does`,
    'Name a later commit, or fetch the whole history',
  )
}
