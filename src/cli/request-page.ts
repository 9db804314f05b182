// Where people look at a pull request of the repository.

import { forgeProject, pullRequestPage } from '../forge/forge-project.ts'
import type { PullRequest } from '../report/pull-request.ts'
import { folderRemote } from '../repository/folder-remote.ts'
import { findLocalFolder } from '../repository/local-folder.ts'
import { RepositoryFault } from '../repository/repository.ts'
import { join } from 'node:path'
import type { Opened } from './open-command.ts'

/** Null where it is not known on which forge the repository is. A `!` is GitLab's own sign. */
export async function requestPage(
  { number, kind }: PullRequest,
  { settings, worktree }: Pick<Opened, 'settings' | 'worktree'>,
): Promise<string | null> {
  const said = settings.forge ?? (kind === 'merge' ? ('gitlab' as const) : undefined)
  const options = { kind: said, api: settings.forge_api }
  const url = isFolder(settings.repo, worktree) ? await urlOfFolder(settings.repo) : settings.repo
  const project = url === null ? null : forgeProject(url, options)
  return project === null ? null : pullRequestPage(project, number)
}

function isFolder(repo: string, worktree: string | null): boolean {
  return worktree !== null || repo.startsWith('/') || repo.startsWith('.')
}

async function urlOfFolder(repo: string): Promise<string | null> {
  try {
    const { gitdir, worktree } = await findLocalFolder(repo)
    return folderRemote(join(gitdir, 'config'), worktree ?? gitdir).url
  } catch (error) {
    if (error instanceof RepositoryFault) return null
    throw error
  }
}
