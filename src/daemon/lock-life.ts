// Whether somebody who holds a lock on an engine still works: by its process where that can be seen from here, else by
// its beat, which has to stand still for as long as the holder itself allows.

import { createHash } from 'node:crypto'
import { readFile, readlink } from 'node:fs/promises'

import type { Clock } from '../apply/clock.ts'
import type { FoundLock, HolderLife, LockHolder } from '../engine/lock-container.ts'
import { isAlive, startOf } from './lock-file.ts'

/** How many times a holder beats in the time after which it counts as silent. */
export const BEATS = 6
/** Milliseconds between two looks at somebody's beat. */
const LOOK_EVERY = 1_000

/** `host`: name of this host, for people. `staleAfter`: milliseconds. `hostKey`: what the state folder holds. */
export async function describeHolder(host: string, staleAfter: number, hostKey: Uint8Array): Promise<LockHolder> {
  return {
    host,
    pid: process.pid,
    startedAt: Date.now() - Math.round(process.uptime() * 1000),
    started: await startOf(process.pid),
    place: await placeOfProcesses(),
    home: createHash('sha256').update('graft state folder\n').update(hostKey).digest('hex').slice(0, 16),
    staleAfter,
  }
}

/**
 * The lock file of a state folder is ours by now, so whoever took the lock from the same one has ended. A process that
 * is gone in our own place is dead. All others live as long as they beat; one that has never beaten cannot be judged.
 */
export function lifeOfHolder(
  own: LockHolder,
  clock: Clock,
  signal?: AbortSignal,
): (lock: FoundLock) => Promise<HolderLife> {
  return async (lock) => {
    const { holder } = lock
    if (holder.host === own.host && holder.home !== undefined && holder.home === own.home) return 'dead'
    const isNear = holder.place ? holder.place === own.place : holder.host === own.host
    if (isNear && !(await isAlive({ pid: holder.pid, started: holder.started ?? '' }))) return 'dead'
    return (await isSilent(lock, clock, signal)) ? 'silent' : 'lives'
  }
}

/**
 * Counts only what it has seen: of two looks that are far apart (a machine that slept, an engine that did not answer)
 * the time between them says nothing of the holder.
 */
async function isSilent(lock: FoundLock, clock: Clock, signal?: AbortSignal): Promise<boolean> {
  const { staleAfter } = lock.holder
  if (staleAfter === undefined || lock.beat === 0) return false
  const every = Math.min(LOOK_EVERY, staleAfter / BEATS)
  let silent = 0
  let before = clock.steady()
  while (silent < staleAfter) {
    await clock.sleep(every, signal)
    if (signal?.aborted === true) return false
    const beat = await lock.look()
    if (beat === null) return true
    if (beat !== lock.beat) return false
    const now = clock.steady()
    silent += Math.min(now - before, 3 * every)
    before = now
  }
  return true
}

/** '' where this system does not say; then its name decides. */
async function placeOfProcesses(): Promise<string> {
  try {
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
    return `${boot} ${await readlink('/proc/self/ns/pid')}`
  } catch {
    return ''
  }
}
