// Pushes a branch of a person's folder to the folder's remote, with everything that the server lacks, forward only.

import { join } from 'node:path'
import { folderRemote, type FolderRemote } from './folder-remote.ts'
import { walkAncestors } from './history.ts'
import { lackingObjects } from './lacking-objects.ts'
import { moveRef, type LocalPlace } from './land-locally.ts'
import type { RepositoryLimits } from './limits.ts'
import { openRemote } from './open-remote.ts'
import type { Access } from './protocol.ts'
import { pushAgainst } from './push.ts'
import { RepositoryFault } from './repository.ts'
import type { Objects } from './source.ts'

export interface Reach {
  readonly access: Access
  readonly limits: RepositoryLimits
}

/** Throws RepositoryFault `refused` where there is nothing to push to. */
export function remoteOf({ gitdir, worktree }: LocalPlace): FolderRemote {
  return folderRemote(join(gitdir, 'config'), worktree ?? gitdir)
}

/** `to` is the branch's commit. Throws RepositoryFault, never `moved`: the commit is in the folder already. */
export async function pushBranch(
  place: LocalPlace,
  objects: Objects,
  { ref, to }: { readonly ref: string; readonly to: string },
  { access, limits }: Reach,
  signal: AbortSignal,
): Promise<void> {
  const branch = ref.replace(/^refs\/heads\//, '')
  const found = remoteOf(place)
  const { name, url } = found
  const remote = openRemote(url, { ...access, auth: { ...found.auth, ...access.auth } }, limits)
  try {
    await pushAgainst(
      remote,
      (refs) => {
        const from = refs.get(ref) ?? null
        if (from !== null && from !== to && !isAncestor(objects, from, to)) throw behind(branch, name)
        return { ref, from, to, objects: lackingObjects(objects, to, refs.values()) }
      },
      signal,
    )
  } catch (error) {
    if (!(error instanceof RepositoryFault)) throw error
    const { kind, message, remedy } = error.kind === 'moved' ? behind(branch, name) : error
    throw new RepositoryFault(
      kind,
      `commit ${to.slice(0, 10)} is on ${branch} in this folder, and could not be pushed to ${name}: ${message}`,
      `${remedy}; then git push ${name} ${branch}`,
      { cause: error },
    )
  }
  follow(place, found, ref, to)
}

function isAncestor({ store, shallow }: Objects, commit: string, of: string): boolean {
  if (!store.has(commit)) return false
  for (const { id } of walkAncestors(store, shallow, of)) if (id === commit) return true
  return false
}

/** What the folder knows of the remote's branch, as `git push` keeps it. Another Git at work knows better. */
function follow(place: LocalPlace, remote: FolderRemote, ref: string, to: string): void {
  const tracking = remote.tracking(ref)
  if (tracking === null) return
  try {
    moveRef(place, { ref: tracking, from: place.refs.read(tracking), to, log: null })
  } catch (error) {
    if (!(error instanceof RepositoryFault)) throw error
  }
}

function behind(branch: string, remote: string): RepositoryFault {
  return new RepositoryFault(
    'refused',
    `${branch} of ${remote} has commits that this folder lacks`,
    `Take them in with git pull ${remote} ${branch}`,
  )
}
