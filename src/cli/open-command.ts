// Opens what most commands start from: the settings, the repository they name or the one around the current folder, and
// how a person in that folder would write the path of one of its files.

import { stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'

import { openDeployment, type Accepted, type Deployment, type Judgement } from '../daemon/open-deployment.ts'
import type { HostFiles } from '../daemon/host-files.ts'
import { isRemoteAddress } from '../repository/address.ts'
import { findLocalFolder } from '../repository/local-folder.ts'
import type { CommitFacts } from '../repository/snapshot.ts'
import type { Invocation } from './command.ts'
import { loadSettings, type LoadedSettings } from './load-settings.ts'
import { Problems } from './mistakes.ts'
import { leaveToItsOwner } from './state-owner.ts'

export interface Opened {
  readonly settings: Deployment['settings']
  readonly deployment: Deployment
  /** A file below the deployment's folder, as seen from the current folder. */
  readonly place: (file: string) => string
  /** Folder of the repository's files on this host; null for a remote or bare one. */
  readonly worktree: string | null
}

/** `change`: what a command sets whatever the person says. Close `deployment` at the end. */
export async function openForCommand(
  { shared, surroundings }: Invocation,
  change: (settings: LoadedSettings) => LoadedSettings | Promise<LoadedSettings> = (settings) => settings,
): Promise<Opened> {
  const loaded = await change(await loadSettings(shared, surroundings))
  const { cwd, env } = surroundings
  const isFolder = !isRemoteAddress(loaded.repo ?? '') && !/^file:/i.test(loaded.repo ?? '')
  const local = isFolder ? await findLocalFolder(loaded.repo ?? cwd) : null
  const repo = local === null ? (loaded.repo ?? cwd) : (local.worktree ?? local.gitdir)
  const worktree = local?.worktree ?? null
  const around = loaded.repo === undefined && loaded.path === undefined && worktree !== null
  const path = around ? await deploymentAround(cwd, worktree) : loaded.path
  const settings = { ...loaded, repo, ...(path === undefined ? {} : { path }) }
  if (surroundings.root) await leaveToItsOwner(settings.state)
  const folder = worktree === null ? (path ?? '') : shownFrom(cwd, join(worktree, path ?? ''))
  return {
    settings,
    deployment: await openDeployment(settings, env),
    place: (file) => (file.startsWith('/') ? file : join(folder, file)),
    worktree,
  }
}

/** The nearest folder at or above `cwd`, inside the work tree, that has a deployment.yaml; absent: the whole repository. */
async function deploymentAround(cwd: string, worktree: string): Promise<string | undefined> {
  for (let folder = cwd; folder === worktree || folder.startsWith(worktree + sep); folder = dirname(folder)) {
    const found = await stat(join(folder, 'deployment.yaml')).catch(() => null)
    if (found !== null) return relative(worktree, folder) || undefined
    if (folder === worktree) break
  }
  return undefined
}

/** Relative where that is shorter to read. */
function shownFrom(cwd: string, folder: string): string {
  const near = relative(cwd, folder)
  return near.startsWith('../..') ? folder : near
}

/** The commit to look at, and what is to be said of it. Throws RepositoryFault. */
export async function judgeTip(
  deployment: Deployment,
  host: HostFiles | null,
  signal?: AbortSignal,
): Promise<Judgement & { tip: CommitFacts }> {
  const { commit } = await deployment.repository.refresh(signal)
  return { ...(await deployment.judgeTip(commit, host)), tip: commit }
}

/** The host's own files; throws Problems where they do not read. */
export async function hostFilesOf(deployment: Deployment): Promise<HostFiles> {
  const host = await deployment.hostFiles()
  if (host.problems.length > 0) throw new Problems(host.problems)
  return host
}

export function reads(judgement: Judgement): judgement is Accepted {
  return judgement.tree !== null
}

/** The commit as it is, or where it does not count, what does before it; null for none. */
export async function newestReadable(deployment: Deployment, host: HostFiles | null): Promise<Accepted | null> {
  const { tip, ...judgement } = await judgeTip(deployment, host)
  return reads(judgement) ? judgement : deployment.lastGood(tip, host)
}
