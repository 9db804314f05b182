// Brings up a Docker Engine of its own on this machine, from Debian packages and without installing any: its data,
// addresses, control groups and mounts are apart from every other engine's, and stopping it leaves nothing running.

import { mkdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { explainNoEngine, pingEngine } from './engine-address.ts'
import type { EngineAnswer } from './engine-address.ts'
import { chooseNetwork, makeBridge, removeInterfaces } from './engine-network.ts'
import {
  endLeftovers,
  killDockerd,
  removeControlGroups,
  startDockerd,
  startHolder,
  stopDockerd,
} from './engine-process.ts'
import type { EnginePlace } from './dockerd-command.ts'
import { installEngineSoftware } from './engine-software.ts'
import type { EngineSuite } from './engine-software.ts'
import { readEngineState, withEngineLock, writeEngineState } from './engine-state.ts'
import type { EngineState } from './engine-state.ts'
import { GroundFault } from './ground-fault.ts'
import { defaultCacheFolder, hostSystem } from './host-system.ts'
import { isAlive } from './process-tree.ts'

export interface BringUpOptions {
  /** bookworm: 20.10.24 (API 1.41). trixie: 26.1.5 (API 1.45), the one for demo and tests. sid: 28.5.2 (API 1.51). */
  readonly suite: EngineSuite
  /** Holds the engine's data, socket, log and `engine.json`; made where it is missing. */
  readonly folder: string
  /** Where unpacked packages are kept; absent: the user's cache. */
  readonly cacheFolder?: string
  /** Whether containers run on while dockerd does not; an engine that runs already stays as it is. */
  readonly liveRestore?: boolean
  /** One short sentence for each thing that takes time. */
  readonly onProgress?: (text: string) => void
}

export interface HostEngine extends EngineAnswer {
  /** `unix:///…/docker.sock` */
  readonly url: string
  readonly folder: string
  /** True where a healthy engine was found in the folder and is used again. */
  readonly reused: boolean
  /** dockerd's process; null while it does not run. */
  readonly pid: number | null
  /** Ends dockerd as a service manager does, and all that it started. The data stays. */
  stop(): Promise<void>
  /** SIGKILL to dockerd alone; containers run on. */
  kill(): Promise<void>
  /** Starts dockerd again with the same data, after `stop` or `kill`. Nothing where it runs. */
  start(): Promise<void>
  /** `stop`, and removes the folder with all data. */
  remove(): Promise<void>
}

/**
 * Needs root on Debian or Ubuntu. A healthy engine of the same suite in the folder is used again; the rest of a dead
 * one is cleared up first and its data used again. Throws GroundFault.
 */
export async function bringUpEngine(options: BringUpOptions): Promise<HostEngine> {
  const folder = resolve(options.folder)
  const url = `unix://${join(folder, 'docker.sock')}`
  const liveRestore = options.liveRestore ?? false
  const say = options.onProgress ?? ((): void => undefined)
  await refuseWhereImpossible(folder)
  await mkdir(folder, { recursive: true })
  return withEngineLock(folder, async () => {
    const before = await readEngineState(folder)
    let answer = before?.suite === options.suite ? await healthyAnswer(before, url) : null
    const reused = answer !== null
    let state: EngineState
    let place: EnginePlace
    if (before !== null && answer !== null) {
      place = { folder, network: before.network, software: before.software, liveRestore }
      state = before
    } else {
      say(`looking for docker.io of Debian ${options.suite}`)
      const software = await installEngineSoftware(
        options.suite,
        folder,
        options.cacheFolder ?? defaultCacheFolder(process.env),
      )
      if (software.remark !== null) say(software.remark)
      place = { folder, network: before?.network ?? (await chooseNetwork(folder)), software, liveRestore }
      // Also where nothing was written down: a bring-up may have died before it could.
      await clearUp(place, before)
      // One version's data is not for another one to read.
      if (before !== null && before.suite !== options.suite) await removeFolder(join(folder, 'data'))
      say(`starting dockerd ${software.packageVersion}`)
      ;({ state, answer } = await start(place, options.suite, null))
    }

    // Another process may have stopped or started it since, so each change begins with what the folder says.
    const change = (work: (now: EngineState) => Promise<EngineState>): Promise<void> =>
      withEngineLock(folder, async () => {
        state = await work((await readEngineState(folder)) ?? state)
        await writeEngineState(folder, state)
      })
    const stop = (): Promise<void> =>
      change(async (now) => {
        await clearUp(place, now)
        return { ...now, dockerd: null }
      })
    return {
      url,
      folder,
      ...answer,
      reused,
      get pid(): number | null {
        return state.dockerd?.pid ?? null
      },
      stop,
      kill: () =>
        change(async (now) => {
          if (now.dockerd !== null) await killDockerd(now.dockerd)
          return { ...now, dockerd: null }
        }),
      start: () =>
        change(async (now) =>
          (await healthyAnswer(now, url)) === null ? (await start(place, options.suite, now)).state : now,
        ),
      remove: async () => {
        await stop()
        await removeFolder(folder)
      },
    }
  })
}

async function start(
  place: EnginePlace,
  suite: EngineSuite,
  last: EngineState | null,
): Promise<{ readonly state: EngineState; readonly answer: EngineAnswer }> {
  const { folder, network, software } = place
  const kept = last !== null && (await isAlive(last.holder.pid, last.holder.startTime))
  const holder = kept ? last.holder : await startHolder(folder)
  const partial = { suite, software, network, holder }
  // Written before dockerd starts, so that a process that dies here leaves nothing that nobody knows of.
  await writeEngineState(folder, { ...partial, dockerd: null })
  try {
    await makeBridge(software.busybox, network)
    const { dockerd, answer } = await startDockerd(place, holder)
    const state = { ...partial, dockerd }
    await writeEngineState(folder, state)
    return { state, answer }
  } catch (error) {
    await clearUp(place, { ...partial, dockerd: null })
    throw error
  }
}

async function clearUp(place: EnginePlace, state: EngineState | null): Promise<void> {
  if (state !== null && state.dockerd !== null) await stopDockerd(state.dockerd)
  await endLeftovers(place.folder, state?.holder ?? null)
  await removeInterfaces(place.software.busybox, place.network, join(place.folder, 'data'))
  await removeControlGroups(place.network)
  await rm(join(place.folder, 'docker.sock'), { force: true })
}

/** The answer of the engine that the state names, if it is still that one. */
async function healthyAnswer(state: EngineState, url: string): Promise<EngineAnswer | null> {
  const { dockerd } = state
  if (dockerd === null || !(await isAlive(dockerd.pid, dockerd.startTime))) return null
  return pingEngine(url, 3_000)
}

/** The last mounts of a namespace go a moment after its last process. */
async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}

async function refuseWhereImpossible(folder: string): Promise<void> {
  const host = await hostSystem()
  if (!host.isRoot)
    throw new GroundFault('Only root can bring up a Docker Engine.', (await explainNoEngine()).join(' '))
  if (host.distribution !== 'debian' && host.distribution !== 'ubuntu')
    throw new GroundFault(
      `A Docker Engine can only be brought up on Debian or Ubuntu; this is ${host.prettyName}.`,
      (await explainNoEngine()).join(' '),
    )
  if (folder === '/run' || folder.startsWith('/run/') || folder.startsWith('/var/run/'))
    throw new GroundFault(`An engine's folder cannot lie in /run (${folder}).`, 'Choose one below /var/tmp.')
  // sockaddr_un holds 108 bytes (unix(7)).
  if (Buffer.byteLength(join(folder, 'docker.sock')) > 107)
    throw new GroundFault(
      `The path of the engine's socket would be too long: ${join(folder, 'docker.sock')}`,
      'Choose a folder with a shorter path.',
    )
}
