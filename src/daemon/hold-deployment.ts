// One graft per deployment and engine: a lock file on this host, and across hosts a never-started container. Whoever
// holds it shows so by beats, and makes sure of it before it acts, so that one that was frozen changes nothing more.

import { join } from 'node:path'

import { systemClock, type Clock } from '../apply/clock.ts'
import type { EngineConnection } from '../engine/connect.ts'
import { EngineFault } from '../apply/engine.ts'
import { takeLock, type LockHolder } from '../engine/lock-container.ts'
import { keepLock, type Taken } from './keep-lock.ts'
import { takeLockFile } from './lock-file.ts'
import { describeHolder, lifeOfHolder } from './lock-life.ts'
import type { StateFolder } from './state-folder.ts'

export type Hold =
  | {
      readonly held: true
      /** Resolves where the lock is ours now; throws EngineFault where it is not, and then nothing may be done. */
      sure(): Promise<void>
      /**
       * Takes the lock on the engine again where somebody removed it (`docker container prune` takes never-started
       * containers, too). Throws EngineFault while another graft has it, and while what was begun before it was lost
       * has not ended: `isIdle`.
       */
      renew(isIdle?: () => boolean): Promise<void>
      release(): Promise<void>
    }
  | { readonly held: false; readonly because: string; readonly remedy: string }

export interface HoldOptions {
  /** What the person typed (`graft run`), for whoever finds the lock. */
  readonly command: string
  /** Name of this host, for people. */
  readonly host: string
  /** Milliseconds without a beat after which another graft may take the lock. */
  readonly staleAfter: number
  readonly signal?: AbortSignal
  readonly clock?: Clock
  /** Told in a sentence why this takes a while. */
  readonly tell?: (words: string) => void
}

/** Part of `staleAfter` that one who took the lock from a silent holder waits: by then that one is no longer sure of it. */
const HAND_OVER = 1 / 3

export async function holdDeployment(
  state: StateFolder,
  connection: EngineConnection,
  deployment: string,
  options: HoldOptions,
): Promise<Hold> {
  const { command, host, staleAfter, signal, clock = systemClock } = options
  const file = await takeLockFile(join(state.deployment(deployment, connection.facts.id), 'lock'), command)
  if (!file.taken) {
    return {
      held: false,
      because: `${file.holder.command} (process ${file.holder.pid}) already looks after ${deployment} on this engine`,
      remedy:
        'leave it to that one: it follows the repository by itself (graft status shows how far it is), or end it first',
    }
  }
  try {
    const own = await describeHolder(host, staleAfter, await state.hostKey())
    const lifeOf = lifeOfHolder(own, clock, signal)
    const take = () =>
      takeLock(connection, deployment, own, async (lock) => {
        const { holder, beat } = lock
        if (beat !== 0) options.tell?.(`waits whether graft on host ${holder.host} (process ${holder.pid}) still works`)
        return lifeOf(lock)
      })
    const first = await take()
    if (!first.taken) {
      await file.release()
      return { held: false, ...heldElsewhere(deployment, first.holder, own) }
    }
    const retake = () => takeLock(connection, deployment, own, () => 'lives')
    const keeper = keepLock(first, { staleAfter, clock, retake })
    const handOver = async (taken: Taken) => {
      if (!taken.fromSilent) return
      const wait = staleAfter * HAND_OVER
      options.tell?.(
        `took the lock of ${deployment} from a graft that was silent; begins in ${Math.ceil(wait / 1000)} s`,
      )
      await clock.sleep(wait, signal)
    }
    await handOver(first)
    return {
      held: true,
      async sure() {
        if (!(await keeper.isSure())) throw lostFault(deployment, 'another graft may have taken it')
      },
      async renew(isIdle = () => true) {
        if (await keeper.isOurs()) return
        if (!isIdle()) throw lostFault(deployment, 'what was begun before is still ending')
        const again = await take()
        if (!again.taken) {
          const { because, remedy } = heldElsewhere(deployment, again.holder, own)
          throw new EngineFault('engine', because, remedy)
        }
        keeper.keep(again)
        await handOver(again)
      },
      async release() {
        await keeper.end()
        await file.release()
      },
    }
  } catch (error) {
    await file.release()
    throw error
  }
}

function lostFault(deployment: string, why: string): EngineFault {
  return new EngineFault(
    'engine',
    `the lock of ${deployment} on this engine was lost: ${why}`,
    'Nothing is done without it; it is taken again as soon as it is free',
  )
}

function heldElsewhere(
  deployment: string,
  { host, pid, place, staleAfter }: LockHolder,
  own: LockHolder,
): { because: string; remedy: string } {
  if (place ? place === own.place : host === own.host) {
    return {
      because: `graft in process ${pid} already looks after ${deployment} on this engine, with another state folder`,
      remedy: 'leave it to that one, or end it first; let all grafts of a host use one state folder (--state)',
    }
  }
  const gone =
    staleAfter === undefined
      ? `if host ${host} is gone for good, remove the container graft.${deployment}.lock by hand`
      : `once it has been silent for ${Math.ceil(staleAfter / 1000)} s, its lock is taken over; where this engine shows no beats (docs/operating.md), remove the container graft.${deployment}.lock by hand`
  return {
    because: `graft on host ${host} (process ${pid}) already looks after ${deployment} on this engine`,
    remedy: `end that one first; ${gone}`,
  }
}
