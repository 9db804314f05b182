// Writes changed files into a work tree: each as a whole or not at all, none over what somebody wrote meanwhile, and
// nothing outside the deployment's folder.

import { randomBytes } from 'node:crypto'
import { lstat, mkdir, open, readFile, realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'

import type { FileChange } from '../repository/repository.ts'
import type { Snapshot } from '../repository/snapshot.ts'
import { Mistake } from './mistakes.ts'

interface Written {
  readonly beside: string
  readonly path: string
}

/**
 * `folder`: the deployment's, absolute. `snapshot`: what the changes were made from. Throws a Mistake before anything is
 * written. A file keeps its mode; one that goes is removed at the end.
 */
export async function writeWorktree(folder: string, snapshot: Snapshot, changes: readonly FileChange[]): Promise<void> {
  const root = await realpath(folder)
  for (const { path } of changes) await checkFile(root, path, snapshot)
  const written: Written[] = []
  try {
    for (const { path, content } of changes) {
      if (content !== null) written.push(await writeBeside(join(root, path), content))
    }
    for (const { beside, path } of written) await rename(beside, path)
  } catch (error) {
    for (const { beside } of written) await rm(beside, { force: true })
    throw error
  }
  for (const { path, content } of changes) if (content === null) await rm(join(root, path), { force: true })
}

/** It is what was read, and lies where its path says: no link leads elsewhere. */
async function checkFile(root: string, path: string, { entries }: Snapshot): Promise<void> {
  const full = join(root, path)
  const parent = await nearestFolder(dirname(full))
  if (parent !== root && !parent.startsWith(root + sep)) {
    throw new Mistake(`${path} lies behind a link that leads out of the deployment`, 'put the folder itself there')
  }
  const facts = await lstat(full).catch(() => null)
  const before = entries.get(path)
  if (facts === null && before === undefined) return
  if (facts?.isFile() !== true)
    throw new Mistake(`${path} is no ordinary file any more`, 'look at it, and do this again')
  const now = await readFile(full)
  if (before?.content == null || !now.equals(before.content)) {
    throw new Mistake(`${path} was changed meanwhile`, 'do this again')
  }
}

async function nearestFolder(folder: string): Promise<string> {
  const real = await realpath(folder).catch(() => null)
  return real ?? nearestFolder(dirname(folder))
}

async function writeBeside(path: string, content: Uint8Array): Promise<Written> {
  await mkdir(dirname(path), { recursive: true })
  const before = await lstat(path).catch(() => null)
  const beside = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.new`)
  const file = await open(beside, 'wx', 0o666)
  try {
    await file.writeFile(content)
    if (before !== null) await file.chmod(before.mode & 0o777)
    await file.sync()
  } finally {
    await file.close()
  }
  return { beside, path }
}
