// One graft per deployment and engine on this host: a file that names the process which holds it.

import { createHash, randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
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
  const holder = await acquire(file, own)
  return holder === null ? { taken: true, release: () => release(file, own) } : { taken: false, holder }
}

/**
 * Null once it is ours. A stale lock is replaced by whoever holds the lock over that very text of it: nobody else may
 * touch a file with that text, so between the second look and the rename nothing can change. Should that one die half
 * way, its own lock is stale, and is taken over in the same manner.
 */
async function acquire(file: string, own: LockHolder): Promise<LockHolder | null> {
  for (;;) {
    if (await place(file, own)) return null
    const text = await readFile(file, 'utf8').catch(() => null)
    if (text === null) continue
    const holder = parse(text)
    if (holder !== null && (await isAlive(holder))) return holder
    const over = `${file}.${createHash('sha256').update(text).digest('hex').slice(0, 12)}`
    if ((await acquire(over, own)) !== null) {
      await sleep(10)
      continue
    }
    try {
      if ((await readFile(file, 'utf8').catch(() => null)) !== text) continue
      await rename(await writeBeside(file, own), file)
      return null
    } finally {
      await rm(over, { force: true })
    }
  }
}

/** Whole or not at all: the file appears with its content, and only where there is none. */
async function place(file: string, own: LockHolder): Promise<boolean> {
  const beside = await writeBeside(file, own)
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

/** The nonce makes every lock's text its own. */
async function writeBeside(file: string, own: LockHolder): Promise<string> {
  const nonce = randomBytes(8).toString('hex')
  const beside = `${file}.${process.pid}.${nonce}`
  await writeFile(beside, JSON.stringify({ ...own, nonce }), { flag: 'wx', mode: 0o600 })
  return beside
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
