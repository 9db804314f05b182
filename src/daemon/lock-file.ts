// One graft per deployment and engine on this host: a file that names the process which holds it.

import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

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
    try {
      await writeFile(file, JSON.stringify(own), { flag: 'wx', mode: 0o600 })
      return { taken: true, release: () => release(file, own) }
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
    const text = await readFile(file, 'utf8').catch(() => null)
    if (text === null) continue
    const holder = parse(text)
    if (holder !== null && (await isAlive(holder))) return { taken: false, holder }
    await takeAway(file, text)
  }
}

/** Moves a stale lock aside; puts it back when another graft was faster and the lock is a living one. */
async function takeAway(file: string, stale: string): Promise<void> {
  const aside = `${file}.${process.pid}.stale`
  try {
    await rename(file, aside)
  } catch {
    return
  }
  const moved = await readFile(aside, 'utf8').catch(() => '')
  if (moved === stale) await rm(aside, { force: true })
  else await rename(aside, file).catch(() => undefined)
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

/** A file that was written a moment ago may be empty still; nobody alive is named in it, and it is replaced. */
async function isAlive(holder: LockHolder): Promise<boolean> {
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false
  }
  const started = await startOf(holder.pid)
  return started === '' || holder.started === '' || started === holder.started
}

/** Field 22 of /proc/PID/stat, behind the command's closing parenthesis; '' elsewhere than on Linux. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}
