// One deployment for the tests of faults: a Git server, the real daemon, a start-first service behind the ingress that
// clients go on asking, an exclusive one that must never run twice, and a container that is none of graft's business.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { engineClient } from '../../src/demo/engine-address.ts'
import { freePort } from '../../src/demo/free-port.ts'
import { startGitServer, type GitServer, type Interference } from '../../src/demo/git-server.ts'
import { haproxyImage } from '../../src/demo/haproxy-image.ts'
import { bringUpEngine, type HostEngine } from '../../src/demo/host-engine.ts'
import { defaultCacheFolder } from '../../src/demo/host-system.ts'
import { standInImage } from '../../src/demo/stand-in-images.ts'
import { openStateFolder } from '../../src/daemon/state-folder.ts'
import { createRunDigest } from '../../src/plan/run-digest.ts'
import type { LeafStatus, SetStatus, Status } from '../../src/report/status.ts'
import { graft, type Ran } from '../engine/commands/graft.ts'
import { startLoad, type Load } from '../engine/load/client.ts'
import { INGRESS_IMAGE } from '../engine/load/load-stage.ts'
import { engineFolder } from '../engine/stage/engine-folder.ts'
import { setStage, type Seen, type Stage } from '../engine/stage/stage.ts'
import { acceptedCommits, type AcceptedCommits } from '../invariants/accepted.ts'
import { BASE_IMAGE, store, web, type LeafWish } from './scene-leaves.ts'

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
export const FAULTS_FOLDER = engineFolder('faults')

/** Each file of faults has an engine of its own, with its images kept for the next time. */
export async function faultEngine(name: string): Promise<HostEngine> {
  const engine = await bringUpEngine({ suite: 'trixie', folder: `${FAULTS_FOLDER}-${name}` })
  const docker = engineClient(engine.url)
  // Of a run that was ended before its end.
  for (const { Id } of await docker.listContainers({ all: true })) await docker.getContainer(Id).remove({ force: true })
  return engine
}

const BYSTANDER = 'bystander'

export interface SceneOptions {
  readonly engineUrl: string
  /** Absent: a folder of its own. */
  readonly state?: string
  /** Further variables of the daemon's environment. */
  readonly env?: Readonly<Record<string, string>>
  /** More flags of the daemon. */
  readonly flags?: readonly string[]
  /** What the daemon asks; absent: the engine itself. */
  readonly daemonEngineUrl?: string
  /** Keeps the repository away from the first launch. */
  readonly withoutFirst?: boolean
}

export interface Scene extends Stage {
  /** Where the Git server serves from; the repository is `site.git` in it. */
  readonly served: string
  readonly port: number
  readonly load: Load
  /** What the commits that were pushed declared, with the daemon's own key. */
  readonly accepted: AcceptedCommits
  /** What the Git server does to requests. */
  interference: (url: string) => Interference
  stopGitServer(): Promise<void>
  startGitServer(): Promise<void>
  push(files: Readonly<Record<string, string | null>>, message?: string): Promise<string>
  /** Pushes the next generation of `web` and `store`; resolves to its number. */
  next(more?: LeafWish): Promise<number>
  /** The number that was pushed last. */
  generation(): number
  startDaemon(): void
  endDaemon(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  daemon(): ChildProcess
  log(): string
  graft(...args: string[]): Promise<Ran>
  status(): Promise<Status>
  leaves(): Promise<readonly LeafStatus[]>
  /** Waits until both leaves run in this generation and nothing is left over; resolves to the milliseconds it took. */
  asDeclared(generation?: number, patience?: number): Promise<number>
  /** Waits until the status, as JSON, holds what is asked; resolves to its first group. */
  says(words: RegExp, patience?: number): Promise<string>
  /** Whether the foreign container is as it was. */
  bystanderIsAsItWas(): Promise<boolean>
}

export async function setScene(options: SceneOptions): Promise<Scene> {
  const docker = engineClient(options.engineUrl)
  await standInImage(docker, { reference: BASE_IMAGE })
  await haproxyImage(docker, { reference: INGRESS_IMAGE, folder: defaultCacheFolder(process.env) })
  const stage = await setStage({
    engineUrl: options.engineUrl,
    deployment: `ingress: {image: "${INGRESS_IMAGE}", generation: 1, ipv6: false}\nvolumes: {data: {}}\n`,
  })
  const served = await mkdtemp(join(tmpdir(), 'graft-faults-'))
  const state = options.state ?? join(served, 'state')
  const hostKey = await (await openStateFolder(state)).hostKey()
  const accepted = acceptedCommits(() => stage.judge(), createRunDigest(hostKey))
  const port = await freePort()
  await stage.git('init', '-q', '--bare', '-b', 'main', join(served, 'site.git'))
  let server: GitServer
  let child: ChildProcess | null = null
  let log = ''
  let last = 0
  const scene: { interference: (url: string) => Interference } = { interference: () => null }
  const open = (at?: number) =>
    startGitServer({
      folder: served,
      ...(at === undefined ? {} : { port: at }),
      interfere: ({ url }) => scene.interference(url ?? ''),
    })
  server = await open()
  const place = ['--repo', `${server.url}/site.git`, '--state', state]
  const asked = [...place, '--allow-privileged', '--engine', options.engineUrl]

  const startDaemon = () => {
    const to = [...place, '--engine', options.daemonEngineUrl ?? options.engineUrl]
    const args = ['run', '--poll', '1', '--notes', 'off', '--allow-privileged', ...to, ...(options.flags ?? [])]
    const one = spawn(process.execPath, [main, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', ...options.env },
    })
    one.stdout.on('data', (chunk) => (log += String(chunk)))
    one.stderr.on('data', (chunk) => (log += String(chunk)))
    child = one
  }
  const endDaemon = async (signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM') => {
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill(signal)
    await exit
  }
  // Through the server's own folder, so that a fault of the server is no fault of the push.
  const push = async (files: Readonly<Record<string, string | null>>, message = 'change') => {
    const commit = await stage.commit(files, message)
    await stage.git('push', '-q', '--force', join(served, 'site.git'), 'HEAD:main')
    await accepted.note()
    return commit
  }
  const next = (wish: LeafWish = {}) => {
    last += 1
    return push({ 'web.yaml': web(last, port, wish), 'store.yaml': store(last, wish) }, `generation ${last}`).then(
      () => last,
    )
  }
  const status = async () => {
    const { output } = await graft(served, ['status', '--json', ...asked])
    return JSON.parse(output) as Status
  }
  const leaves = async () => leavesOf((await status()).tree)
  const asDeclared = async (generation = last, patience = 60_000) => {
    const begun = performance.now()
    for (;;) {
      const all = await stage.containers().catch((): Record<string, Seen> => ({}))
      // The last candidate that failed is kept for whoever wants to read its log.
      const seen = Object.fromEntries(Object.entries(all).filter(([name]) => !name.endsWith('.failed')))
      const names = Object.keys(seen).toSorted().join()
      const good =
        names === 'ingress,store,web' &&
        Object.values(seen).every((one) => one.state === 'running' && one.restartPolicy === 'always') &&
        seen['web']?.generation === String(generation) &&
        seen['store']?.generation === String(generation)
      if (good && (await answer(port)) === String(generation)) return performance.now() - begun
      if (performance.now() - begun > patience) {
        throw new Error(`not as declared (${generation}): ${JSON.stringify(seen, null, 1)}\n${log.slice(-6000)}`)
      }
      await pause(100)
    }
  }
  const says = async (words: RegExp, patience = 60_000) => {
    const until = performance.now() + patience
    for (;;) {
      const text = JSON.stringify(await status().catch(() => null))
      const found = words.exec(text)
      if (found !== null) return found[1] ?? found[0]
      if (performance.now() > until) throw new Error(`never said ${String(words)}: ${text}\n${log.slice(-6000)}`)
      await pause(200)
    }
  }

  const bystander = await docker.createContainer({
    name: `${stage.name}-${BYSTANDER}`,
    Image: BASE_IMAGE,
    Cmd: ['sleep', '100000'],
    Labels: { 'dev.graft.deployment': 'another', mine: 'yes' },
    HostConfig: { RestartPolicy: { Name: 'unless-stopped' } },
  })
  await bystander.start()
  const fingerprint = async () => {
    const { Id, Name, State, HostConfig, NetworkSettings } = await bystander.inspect()
    const networks = Object.keys(NetworkSettings.Networks)
    return JSON.stringify([Id, Name, State.StartedAt, State.Status, HostConfig, networks])
  }
  const asItWas = await fingerprint()

  if (options.withoutFirst !== true) {
    await next()
    startDaemon()
    await asDeclared(last, 120_000).catch(async (error: unknown) => {
      await endDaemon()
      throw error
    })
  }
  const load = startLoad({ http: [{ host: '127.0.0.1', port }], fresh: 2, kept: 2, paceMs: 10 })
  return Object.assign(scene, {
    ...stage,
    served,
    port,
    load,
    accepted,
    stopGitServer: () => server.stop(),
    async startGitServer() {
      server = await open(server.port)
    },
    push,
    next,
    generation: () => last,
    startDaemon,
    endDaemon,
    daemon() {
      if (child === null) throw new Error('no daemon was started')
      return child
    },
    log: () => log,
    graft: (...args: string[]) => graft(served, [...args, ...asked]),
    status,
    leaves,
    asDeclared,
    says,
    bystanderIsAsItWas: async () => (await fingerprint().catch(() => 'gone')) === asItWas,
    async end() {
      await load.stop().catch(() => undefined)
      await endDaemon()
      await server.stop()
      await bystander.remove({ force: true }).catch(() => undefined)
      await stage.end()
      await rm(served, { recursive: true, force: true })
    },
  })
}

/** Anew each time: a connection that was kept would be answered by the worker that took it. */
async function answer(port: number): Promise<string> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(2_000),
    })
    return (await response.text()).trim()
  } catch {
    return ''
  }
}

function leavesOf(set: SetStatus | null): LeafStatus[] {
  return set === null ? [] : [...set.leaves, ...set.sets.flatMap(leavesOf)]
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
