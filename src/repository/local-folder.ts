// Finds the repository around a folder and says whether it is of a kind that can be read directly.

import { lstat, readFile, realpath, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { readConfig } from './git-config.ts'
import { RepositoryFault } from './repository.ts'

export interface LocalFolder {
  /** The folder with HEAD, objects and refs. */
  readonly gitdir: string
  /** The folder with the files; null for a bare repository. */
  readonly worktree: string | null
}

/**
 * Walks up from `folder` as Git does. Throws RepositoryFault: `not-found` where there is no repository,
 * `unsupported` for linked work trees, alternates, partial clones, SHA-256 and reftable.
 */
export async function findLocalFolder(folder: string): Promise<LocalFolder> {
  const start = resolve(folder)
  if (!(await exists(start))) {
    throw new RepositoryFault('not-found', `${start} does not exist`, 'Correct the path of the repository')
  }
  for (let at = await realpath(start); ; at = dirname(at)) {
    const found = (await within(at)) ?? (await bare(at))
    if (found !== null) {
      await refuseUnreadable(found.gitdir)
      return found
    }
    if (dirname(at) === at) break
  }
  throw new RepositoryFault(
    'not-found',
    `${start} is not in a Git repository`,
    'Name the folder of a repository with --repo, or make this one a repository with git init',
  )
}

async function within(folder: string): Promise<LocalFolder | null> {
  const dotGit = join(folder, '.git')
  const facts = await lstat(dotGit).catch(() => null)
  if (facts === null) return null
  if (!facts.isFile()) {
    const gitdir = await realpath(dotGit).catch(() => dotGit)
    return (await looksLikeGitdir(gitdir)) ? { gitdir, worktree: folder } : null
  }
  const target = /^gitdir: (.+)$/m.exec(await readFile(dotGit, 'utf8'))
  if (target?.[1] === undefined) return null
  const gitdir = resolve(folder, target[1].trim())
  const common = await readFile(join(gitdir, 'commondir'), 'utf8').catch(() => null)
  if (common === null) return { gitdir, worktree: folder }
  const main = resolve(gitdir, common.trim())
  throw new RepositoryFault(
    'unsupported',
    `${folder} is a linked work tree of ${main}`,
    `Use the main repository instead: --repo ${main.replace(/\/\.git$/, '')}`,
  )
}

async function bare(folder: string): Promise<LocalFolder | null> {
  if (!(await looksLikeGitdir(folder))) return null
  const worktree = folder.endsWith('/.git') ? dirname(folder) : null
  return { gitdir: folder, worktree }
}

async function looksLikeGitdir(folder: string): Promise<boolean> {
  for (const name of ['HEAD', 'objects', 'refs']) if (!(await exists(join(folder, name)))) return false
  return true
}

async function refuseUnreadable(gitdir: string): Promise<void> {
  const config = readSettings(await readFile(join(gitdir, 'config'), 'utf8').catch(() => ''))
  const clone = (what: string): RepositoryFault =>
    new RepositoryFault('unsupported', `${gitdir} ${what}`, 'Make an ordinary clone of it and use that')
  const format = config.get('extensions.objectformat')
  if (format !== undefined && format !== 'sha1') throw clone(`names its objects by ${format}, graft reads sha1 only`)
  const storage = config.get('extensions.refstorage')
  if (storage !== undefined && storage !== 'files') throw clone(`keeps its refs as ${storage}, graft reads files only`)
  const partial = [...config].find(
    ([key, value]) =>
      key === 'extensions.partialclone' ||
      key.endsWith('.partialclonefilter') ||
      (key.endsWith('.promisor') && value !== 'false'),
  )
  if (partial !== undefined) throw clone('is a partial clone, whose files may be missing')
  const alternates = await readFile(join(gitdir, 'objects', 'info', 'alternates'), 'utf8').catch(() => '')
  if (alternates.trim() !== '') throw clone('borrows objects from another repository (objects/info/alternates)')
}

/** The settings of a Git configuration file, `section.name` and `section.subsection.name` in lower case; the last counts. */
export function readSettings(text: string): Map<string, string> {
  return new Map(
    readConfig(text).map(({ section, subsection, name, value }) => [
      [section, ...(subsection === null ? [] : [subsection.toLowerCase()]), name].join('.'),
      value,
    ]),
  )
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null
}
