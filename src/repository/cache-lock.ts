// One process at a time changes a clone. The lock names its holder, so that a dead one's is taken over.

import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { codeOf } from './git-object.ts'
import { RepositoryFault } from './repository.ts'

const WAIT_MS = 60_000

/** Runs `task` while holding the lock. Throws RepositoryFault `timeout` where another process keeps it for a minute. */
export async function withLock<Result>(
  cache: string,
  signal: AbortSignal,
  task: () => Promise<Result>,
): Promise<Result> {
  mkdirSync(cache, { recursive: true, mode: 0o700 })
  const path = join(cache, 'lock')
  const mine = `${process.pid} ${startOf(process.pid)}\n`
  const end = performance.now() + WAIT_MS
  while (!take(path, mine)) {
    if (performance.now() > end) {
      throw new RepositoryFault(
        'timeout',
        `another process has been fetching into ${cache} for a minute`,
        'End it, or use another state folder',
      )
    }
    await pause(50, undefined, { signal })
  }
  try {
    return await task()
  } finally {
    rmSync(path, { force: true })
  }
}

/** The lock appears with its content in one step, by a link. */
function take(path: string, mine: string): boolean {
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, mine)
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
  removeStale(path)
  return false
}

function removeStale(path: string): void {
  const holder = textOf(path)
  if (holder === null || isAlive(holder)) return
  // Another process may take the lock between these calls: what is moved away is looked at again.
  const aside = `${path}.${process.pid}.stale`
  try {
    renameSync(path, aside)
    if (textOf(aside) !== holder) linkSync(aside, path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EEXIST') throw error
  } finally {
    rmSync(aside, { force: true })
  }
}

function isAlive(holder: string): boolean {
  const [pid = '', start = ''] = holder.trim().split(' ')
  try {
    process.kill(Number(pid), 0)
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
  return startOf(Number(pid)) === start
}

/** When a process started, in the kernel's ticks: a number given out again is another process. */
function startOf(pid: number): string {
  const facts = textOf(`/proc/${pid}/stat`)
  return facts?.slice(facts.lastIndexOf(')') + 2).split(' ')[19] ?? 'unknown'
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
