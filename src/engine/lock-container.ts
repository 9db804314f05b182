// One graft per deployment and engine, across hosts: a container that never starts, whose name is the lock. The engine
// gives a name to one container only, so taking it is one step.

import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { EngineFault } from '../apply/engine.ts'
import { rawCall } from './call.ts'
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
}

export type LockResult =
  | {
      readonly taken: true
      /** Whether the lock is still there and ours: `docker container prune` takes never-started containers, too. */
      readonly stillHeld: () => Promise<boolean>
      /** Removes this lock and no other; may be called twice. */
      readonly release: () => Promise<void>
    }
  | { readonly taken: false; readonly holder: LockHolder }

const IMAGE = 'graft.local/lock'
const IMAGE_TAG = '1'
/** A lock may come and go between two calls; more often than this it is no chance. */
const TRIES = 10

/**
 * Takes the lock `graft.DEPLOYMENT.lock`. Where somebody holds it, `isStale` decides: false leaves it, true removes
 * exactly that container and tries again. Throws an EngineFault of kind `name-taken` where the name belongs to a
 * container that is no lock of this deployment.
 */
export async function takeLock(
  connection: EngineConnection,
  deployment: string,
  holder: LockHolder,
  isStale: (holder: LockHolder) => boolean | Promise<boolean>,
): Promise<LockResult> {
  const name = `graft.${deployment}.lock`
  try {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const id = await createLock(connection, name, deployment, holder)
      if (id !== null) return takenLock(connection, id)
      const other = await findLock(connection, name, deployment)
      if (other === null) continue
      if (!(await isStale(other.holder))) return { taken: false, holder: other.holder }
      await removeContainer(connection, other.id)
    }
  } catch (error) {
    throw toEngineFault(error, connection.url, `take the lock ${name}`)
  }
  throw new EngineFault('engine', `the lock ${name} is taken and given back all the time`, 'See which grafts run here.')
}

function takenLock(connection: EngineConnection, id: string): LockResult {
  return {
    taken: true,
    stillHeld: async () => {
      try {
        await inspect(connection, id)
        return true
      } catch (error) {
        if (statusOf(error) === 404) return false
        throw toEngineFault(error, connection.url, 'look at the lock')
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
    return (await rawCall<{ Id: string }>(connection.docker, request)).Id
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
): Promise<{ id: string; holder: LockHolder } | null> {
  try {
    const info = await inspect(connection, name)
    const text = readLockHolder(info.Config.Labels, deployment)
    if (text !== null) return { id: info.Id, holder: readHolder(text) }
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
    const { host, pid, startedAt, started } = found
    const holder = { host: String(host ?? 'unknown'), pid: Number(pid ?? 0), startedAt: Number(startedAt ?? 0) }
    return started === undefined ? holder : { ...holder, started: String(started) }
  } catch {
    return { host: 'unknown', pid: 0, startedAt: 0 }
  }
}

async function removeContainer(connection: EngineConnection, id: string): Promise<void> {
  try {
    const query = { force: true }
    await rawCall(connection.docker, { method: 'DELETE', path: `/containers/${id}`, query })
  } catch (error) {
    // 409: its removal is under way already.
    const status = statusOf(error)
    if (status !== 404 && status !== 409) throw error
  }
}

function inspect(connection: EngineConnection, idOrName: string): Promise<WireContainer> {
  return rawCall(connection.docker, { path: `/containers/${idOrName}/json` })
}

/** An image without any file, made on the spot: no registry is asked for a container that never starts. */
async function ensureImage(connection: EngineConnection): Promise<void> {
  try {
    await rawCall(connection.docker, { path: `/images/${IMAGE}:${IMAGE_TAG}/json` })
    return
  } catch (error) {
    if (statusOf(error) !== 404) throw error
  }
  // Two blocks of zeros are a whole, empty tar (POSIX ustar, "end of archive").
  const stream = await connection.docker.importImage(Readable.from([Buffer.alloc(1024)]), {
    repo: IMAGE,
    tag: IMAGE_TAG,
  })
  for await (const line of jsonLines(stream)) {
    const error: unknown = typeof line === 'object' && line !== null && 'error' in line ? line.error : undefined
    if (typeof error === 'string')
      throw new EngineFault('engine', `the lock's image cannot be made: ${error}`, 'Look at the log of the engine.')
  }
}
