// One graft per deployment and engine on this host: a file that names the process which holds it.

import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface LockHolder {
  readonly pid: number
  /** Start of the process in clock ticks since boot, so that a number that is used again is no holder; '' where unknown. */
  readonly started: string
  /** What it runs: `graft run`. */
  readonly command: string
}

export type LockResult =
  | { readonly taken: true; release(): Promise<void> }
  | { readonly taken: false; readonly holder: LockHolder }

/** Takes the lock, or says who has it. A holder that no longer runs is replaced. */
export async function takeLockFile(file: string, command: string): Promise<LockResult> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const own: LockHolder = { pid: process.pid, started: await startOf(process.pid), command }
  for (;;) {
    if (await place(file, own)) return { taken: true, release: () => release(file, own) }
    const holder = await livingHolder(file)
    if (holder !== null) return { taken: false, holder }
    await takeAway(file, own)
  }
}

/** Whole or not at all: the file appears with its content, and only where there is none. */
async function place(file: string, own: LockHolder): Promise<boolean> {
  const beside = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
  await writeFile(beside, JSON.stringify(own), { flag: 'wx', mode: 0o600 })
  try {
    await link(beside, file)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    await rm(beside, { force: true })
  }
}

async function livingHolder(file: string): Promise<LockHolder | null> {
  const holder = parse(await readFile(file, 'utf8').catch(() => ''))
  return holder !== null && (await isAlive(holder)) ? holder : null
}

/** Removes a stale lock. One at a time, or the lock that another graft has taken meanwhile would be removed. */
async function takeAway(file: string, own: LockHolder): Promise<void> {
  const guard = `${file}.stale`
  if (!(await place(guard, own))) {
    if ((await livingHolder(guard)) === null) await rm(guard, { force: true })
    else await sleep(10)
    return
  }
  try {
    if ((await livingHolder(file)) === null) await rm(file, { force: true })
  } finally {
    await rm(guard, { force: true })
  }
}

async function release(file: string, own: LockHolder): Promise<void> {
  const holder = parse(await readFile(file, 'utf8').catch(() => ''))
  if (holder?.pid === own.pid && holder.started === own.started) await rm(file, { force: true })
}

function parse(text: string): LockHolder | null {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return null
    const { pid, started, command } = value as Record<string, unknown>
    if (typeof pid !== 'number' || typeof started !== 'string' || typeof command !== 'string') return null
    return { pid, started, command }
  } catch {
    return null
  }
}

export async function isAlive(holder: Pick<LockHolder, 'pid' | 'started'>): Promise<boolean> {
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false
  }
  const started = await startOf(holder.pid)
  return started === '' || holder.started === '' || started === holder.started
}

/** Field 22 of /proc/PID/stat, behind the command's closing parenthesis; '' elsewhere than on Linux. */
export async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}
