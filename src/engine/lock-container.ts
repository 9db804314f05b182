// One graft per deployment and engine, across hosts: a container that never starts, whose name is the lock. The engine
// gives a name to one container only, so taking it is one step. Its holder beats: it changes a number of the container
// that means nothing, so that whoever looks on can tell a holder that works from one that is gone.

import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { EngineFault } from '../apply/engine.ts'
import { callForBytes, rawCall } from './call.ts'
import type { EngineConnection } from './connect.ts'
import { statusOf, toEngineFault } from './faults.ts'
import { jsonLines } from './json-lines.ts'
import { lockLabels, readLockHolder } from './labels.ts'
import type { WireContainer } from './wire.ts'

/** Who holds the lock, in words that help to find the process. */
export interface LockHolder {
  readonly host: string
  readonly pid: number
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** Start of the process in clock ticks since its host's boot, so that a number that is used again is no holder. */
  readonly started?: string
  /** What two processes have in common that see the same process numbers: one boot of one kernel, one PID namespace. */
  readonly place?: string
  /** Which state folder it uses; its lock file keeps two grafts of one state folder apart. */
  readonly home?: string
  /** Milliseconds without a beat after which others may take the lock; absent: it does not beat. */
  readonly staleAfter?: number
}

/** A lock that somebody else holds, as it is found on the engine. */
export interface FoundLock {
  readonly holder: LockHolder
  /** The number that its holder changes with each beat; 0 where it never has. */
  readonly beat: number
  /** Reads the beat again; null where this very lock is gone. Throws EngineFault. */
  look(): Promise<number | null>
}

/**
 * What whoever finds a lock makes of it: its holder lives; it is dead for sure; or it has not been heard of for so long
 * that it counts as dead.
 */
export type HolderLife = 'lives' | 'dead' | 'silent'

export type LockResult =
  | {
      readonly taken: true
      /** Whether it was taken from somebody who may not know of it yet. */
      readonly fromSilent: boolean
      /** Whether the lock is still there and ours: `docker container prune` takes never-started containers, too. */
      readonly stillHeld: () => Promise<boolean>
      /**
       * Shows that the holder lives. `gone`: the lock is not there any more. `unserved`: this engine cannot change a
       * container that exists (Podman 4.3), so nobody sees beats. Throws EngineFault.
       */
      readonly beat: () => Promise<'held' | 'gone' | 'unserved'>
      /** Removes this lock and no other; may be called twice. */
      readonly release: () => Promise<void>
    }
  | { readonly taken: false; readonly holder: LockHolder }

const IMAGE = 'graft.local/lock'
const IMAGE_TAG = '1'
/** A lock may come and go between two calls; more often than this it is no chance. */
const TRIES = 10
/** CPU shares that an engine takes (Engine API 1.41, Resources.CpuShares); 0 is what a container begins with. */
const LEAST = 2
const MOST = 262_144
/** Bytes that an engine says while it makes an empty image. */
const MOST_WORDS = 1024 ** 2
/** Milliseconds. */
const PATIENCE = 10_000

/**
 * Takes the lock `graft.DEPLOYMENT.lock`. Where somebody holds it, `lifeOf` decides: the lock of one who lives is left,
 * else exactly that container is removed, and it is tried again. Throws an EngineFault of kind `name-taken` where the name belongs to a
 * container that is no lock of this deployment.
 */
export async function takeLock(
  connection: EngineConnection,
  deployment: string,
  holder: LockHolder,
  lifeOf: (lock: FoundLock) => HolderLife | Promise<HolderLife>,
): Promise<LockResult> {
  const name = `graft.${deployment}.lock`
  let fromSilent = false
  try {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const id = await createLock(connection, name, deployment, holder)
      if (id !== null) return takenLock(connection, id, fromSilent)
      const other = await findLock(connection, name, deployment)
      const life = other === null ? 'silent' : await lifeOf(other)
      if (other !== null && life === 'lives') return { taken: false, holder: other.holder }
      // Of one that went away by itself it is not known whether somebody else took it from a silent holder.
      fromSilent ||= life === 'silent'
      if (other !== null) await removeContainer(connection, other.id)
    }
  } catch (error) {
    throw toEngineFault(error, connection.url, `take the lock ${name}`)
  }
  throw new EngineFault('engine', `the lock ${name} is taken and given back all the time`, 'See which grafts run here.')
}

function takenLock(connection: EngineConnection, id: string, fromSilent: boolean): LockResult {
  let last = 0
  const stillHeld = async () => (await readBeat(connection, id)) !== null
  return {
    taken: true,
    fromSilent,
    stillHeld,
    beat: async () => {
      const next = last >= MOST ? LEAST : Math.max(LEAST, last + 1)
      try {
        const body = { CpuShares: next }
        await rawCall(hasty(connection), { method: 'POST', path: `/containers/${id}/update`, body })
        last = next
        return 'held'
      } catch (error) {
        // A container that is gone and an engine without this call both say 404.
        const status = statusOf(error)
        if (status !== 404 && status !== 405 && status !== 501) {
          throw toEngineFault(error, connection.url, 'show that the lock is held')
        }
        return (await stillHeld()) ? 'unserved' : 'gone'
      }
    },
    release: async () => {
      try {
        await removeContainer(connection, id)
      } catch (error) {
        throw toEngineFault(error, connection.url, 'give the lock back')
      }
    },
  }
}

/** null where this very lock is gone. */
async function readBeat(connection: EngineConnection, id: string): Promise<number | null> {
  try {
    return beatOf(await inspect(connection, id))
  } catch (error) {
    if (statusOf(error) === 404) return null
    throw toEngineFault(error, connection.url, 'look at the lock')
  }
}

function beatOf({ HostConfig }: WireContainer): number {
  return HostConfig.CpuShares ?? 0
}

/** null where the name is taken. */
async function createLock(
  connection: EngineConnection,
  name: string,
  deployment: string,
  holder: LockHolder,
): Promise<string | null> {
  await ensureImage(connection)
  try {
    const body = {
      Image: `${IMAGE}:${IMAGE_TAG}`,
      // The engine wants a command even of what never starts.
      Cmd: ['lock'],
      Labels: lockLabels(deployment, JSON.stringify(holder)),
      HostConfig: { NetworkMode: 'none', RestartPolicy: { Name: 'no' } },
    }
    const request = { method: 'POST', path: '/containers/create', query: { name }, body } as const
    return (await rawCall<{ Id: string }>(connection, request)).Id
  } catch (error) {
    const fault = toEngineFault(error, connection.url, `create ${name}`)
    if (fault.kind === 'name-taken') return null
    throw fault
  }
}

/** null where it went away meanwhile. */
async function findLock(
  connection: EngineConnection,
  name: string,
  deployment: string,
): Promise<(FoundLock & { readonly id: string }) | null> {
  try {
    const info = await inspect(connection, name)
    const text = readLockHolder(info.Config.Labels, deployment)
    if (text !== null) {
      return { id: info.Id, holder: readHolder(text), beat: beatOf(info), look: () => readBeat(connection, info.Id) }
    }
  } catch (error) {
    if (statusOf(error) !== 404) throw error
    // The name may be held for a moment by a container that is still being made or removed.
    await sleep(50)
    return null
  }
  const remedy = `Remove or rename the container ${name}: graft needs the name for its lock.`
  throw new EngineFault('name-taken', `the container ${name} is not a lock of ${deployment}`, remedy)
}

function readHolder(text: string): LockHolder {
  try {
    const value: unknown = JSON.parse(text)
    const found = (typeof value === 'object' && value !== null ? value : {}) as Partial<LockHolder>
    const { host, pid, startedAt, started, place, home, staleAfter } = found
    return {
      host: String(host ?? 'unknown'),
      pid: Number(pid ?? 0),
      startedAt: Number(startedAt ?? 0),
      ...(started === undefined ? {} : { started: String(started) }),
      ...(place === undefined ? {} : { place: String(place) }),
      ...(home === undefined ? {} : { home: String(home) }),
      ...(typeof staleAfter === 'number' && staleAfter > 0 ? { staleAfter } : {}),
    }
  } catch {
    return { host: 'unknown', pid: 0, startedAt: 0 }
  }
}

async function removeContainer(connection: EngineConnection, id: string): Promise<void> {
  try {
    const query = { force: true }
    await rawCall(connection, { method: 'DELETE', path: `/containers/${id}`, query })
  } catch (error) {
    // 409: its removal is under way already.
    const status = statusOf(error)
    if (status !== 404 && status !== 409) throw error
  }
}

/** Who holds a lock has to know soon whether the engine answers. */
function hasty(connection: EngineConnection): EngineConnection {
  return { ...connection, patience: Math.min(PATIENCE, connection.patience ?? PATIENCE) }
}

function inspect(connection: EngineConnection, idOrName: string): Promise<WireContainer> {
  return rawCall(hasty(connection), { path: `/containers/${idOrName}/json` })
}

/** An image without any file, made on the spot: no registry is asked for a container that never starts. */
async function ensureImage(connection: EngineConnection): Promise<void> {
  try {
    await rawCall(connection, { path: `/images/${IMAGE}:${IMAGE_TAG}/json` })
    return
  } catch (error) {
    if (statusOf(error) !== 404) throw error
  }
  // Two blocks of zeros are a whole, empty tar (POSIX ustar, "end of archive").
  const request = {
    method: 'POST',
    path: '/images/create',
    query: { fromSrc: '-', repo: IMAGE, tag: IMAGE_TAG },
    file: Buffer.alloc(1024),
    times: 2,
  } as const
  const answer = await callForBytes(connection, request, MOST_WORDS)
  for await (const line of jsonLines(Readable.from([answer]))) {
    const error: unknown = typeof line === 'object' && line !== null && 'error' in line ? line.error : undefined
    if (typeof error === 'string')
      throw new EngineFault('engine', `the lock's image cannot be made: ${error}`, 'Look at the log of the engine.')
  }
}
