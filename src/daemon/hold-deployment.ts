// One graft per deployment and engine: a lock file on this host, and across hosts a never-started container.

import { hostname } from 'node:os'
import { join } from 'node:path'

import type { EngineConnection } from '../engine/connect.ts'
import { EngineFault } from '../apply/engine.ts'
import { takeLock, type LockHolder } from '../engine/lock-container.ts'
import { isAlive, startOf, takeLockFile } from './lock-file.ts'
import type { StateFolder } from './state-folder.ts'

export type Hold =
  | {
      readonly held: true
      /**
       * Takes the lock on the engine again where somebody removed it (`docker container prune` takes never-started
       * containers, too). Throws EngineFault while another graft has it.
       */
      renew(): Promise<void>
      release(): Promise<void>
    }
  | { readonly held: false; readonly because: string; readonly remedy: string }

/** `command` is what the person typed (`graft run`), for whoever finds the lock. */
export async function holdDeployment(
  state: StateFolder,
  connection: EngineConnection,
  deployment: string,
  command: string,
): Promise<Hold> {
  const folder = state.deployment(deployment, connection.facts.id)
  const file = await takeLockFile(join(folder, 'lock'), command)
  if (!file.taken) {
    return {
      held: false,
      because: `${file.holder.command} (process ${file.holder.pid}) already looks after ${deployment} on this engine`,
      remedy:
        'leave it to that one: it follows the repository by itself (graft status shows how far it is), or end it first',
    }
  }
  const own = {
    host: hostname(),
    pid: process.pid,
    startedAt: Date.now() - Math.round(process.uptime() * 1000),
    started: await startOf(process.pid),
  }
  // A graft with another state folder has another lock file, so a lock from this host is stale only where its process is
  // gone.
  const isStale = async ({ host, pid, started = '' }: LockHolder) =>
    host === own.host && !(await isAlive({ pid, started }))
  const take = () => takeLock(connection, deployment, own, isStale)
  try {
    let container = await take()
    if (!container.taken) {
      await file.release()
      return { held: false, ...heldElsewhere(deployment, container.holder) }
    }
    return {
      held: true,
      async renew() {
        if (container.taken && (await container.stillHeld())) return
        container = await take()
        if (container.taken) return
        const { because, remedy } = heldElsewhere(deployment, container.holder)
        throw new EngineFault('engine', because, remedy)
      },
      async release() {
        if (container.taken) await container.release().catch(() => undefined)
        await file.release()
      },
    }
  } catch (error) {
    await file.release()
    throw error
  }
}

function heldElsewhere(deployment: string, { host, pid }: LockHolder): { because: string; remedy: string } {
  if (host === hostname()) {
    return {
      because: `graft in process ${pid} already looks after ${deployment} on this engine, with another state folder`,
      remedy: 'leave it to that one, or end it first; let all grafts of a host use one state folder (--state)',
    }
  }
  return {
    because: `graft on host ${host} (process ${pid}) already looks after ${deployment} on this engine`,
    remedy: `end that one first; if host ${host} is gone for good, remove the container graft.${deployment}.lock by hand`,
  }
}
