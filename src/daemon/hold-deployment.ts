// One graft per deployment and engine: a lock file on this host, and across hosts a never-started container.

import { hostname } from 'node:os'
import { join } from 'node:path'

import type { EngineConnection } from '../engine/connect.ts'
import { takeLock } from '../engine/lock-container.ts'
import { takeLockFile } from './lock-file.ts'
import type { StateFolder } from './state-folder.ts'

export type Hold =
  | { readonly held: true; release(): Promise<void> }
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
  const own = { host: hostname(), pid: process.pid, startedAt: Date.now() - Math.round(process.uptime() * 1000) }
  try {
    // The file is ours, so whoever left a lock from this host on the engine is gone.
    const container = await takeLock(connection, deployment, own, (holder) => holder.host === own.host)
    if (container.taken) {
      return {
        held: true,
        async release() {
          await container.release().catch(() => undefined)
          await file.release()
        },
      }
    }
    await file.release()
    const { host, pid } = container.holder
    return {
      held: false,
      because: `graft on host ${host} (process ${pid}) already looks after ${deployment} on this engine`,
      remedy: `end that one first; if host ${host} is gone for good, remove the container graft.${deployment}.lock by hand`,
    }
  } catch (error) {
    await file.release()
    throw error
  }
}
