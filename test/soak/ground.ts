// Everything the soak stands on: an engine of its own, a Git server, a proxy before the engine, somebody else's
// container, network and volume, and clients that ask all the time.

import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

import type Docker from 'dockerode'

import { engineClient } from '../../src/demo/engine-address.ts'
import { freePort } from '../../src/demo/free-port.ts'
import { startGitServer, type GitServer } from '../../src/demo/git-server.ts'
import { haproxyImage } from '../../src/demo/haproxy-image.ts'
import { bringUpEngine, type HostEngine } from '../../src/demo/host-engine.ts'
import { defaultCacheFolder } from '../../src/demo/host-system.ts'
import { standInImage } from '../../src/demo/stand-in-images.ts'
import { startEngineProxy, type EngineProxy } from '../engine/stage/engine-proxy.ts'
import { putStrangers } from '../invariants/strangers.ts'
import { newDaemon, type Daemon } from './daemon.ts'
import { BASE_IMAGE, WEBS } from './fleet.ts'

const run = promisify(execFile)
const INGRESS_IMAGE = 'graft-test/haproxy:1'
export const DEPLOYMENT = 'soak'
export const PREFIX = 'soak-'

export interface Ground {
  readonly engine: HostEngine
  readonly docker: Docker
  readonly proxy: EngineProxy
  readonly daemon: Daemon
  readonly git: { server: GitServer; restart(): Promise<void> }
  readonly folder: string
  readonly state: string
  readonly ports: readonly number[]
  /** Resolves to the commit's id. */
  push(files: Readonly<Record<string, string | null>>, message: string): Promise<string>
  end(): Promise<void>
}

export async function layGround(out: string | null, say: (text: string) => void): Promise<Ground> {
  const engine = await bringUpEngine({ suite: 'trixie', folder: '/var/tmp/graft-ground/soak', onProgress: say })
  const docker = engineClient(engine.url)
  await clear(docker)
  await standInImage(docker, { reference: BASE_IMAGE })
  await putStrangers(docker, BASE_IMAGE)
  await haproxyImage(docker, { reference: INGRESS_IMAGE, folder: defaultCacheFolder(process.env) })
  const folder = await mkdtemp(join(tmpdir(), 'graft-soak-'))
  const [work, served, state] = ['work', 'served', 'state'].map((name) => join(folder, name))
  if (work === undefined || served === undefined || state === undefined) throw new Error('three folders')
  await Promise.all([work, served].map((path) => mkdir(path)))
  const proxy = await startEngineProxy(engine.url, join(folder, 'engine.sock'))
  const ports: number[] = []
  for (let index = 0; index < WEBS; index++) ports.push(await freePort())
  const inWork = async (...args: string[]) =>
    (await run('git', args, { cwd: work, env: gitEnvironment() })).stdout.trim()
  await inWork('init', '-q', '-b', 'main')
  await run('git', ['init', '-q', '--bare', '-b', 'main', join(served, 'site.git')])
  const open = (at?: number) => startGitServer({ folder: served, ...(at === undefined ? {} : { port: at }) })
  const git = {
    server: await open(),
    async restart() {
      git.server = await open(git.server.port)
    },
  }
  const push = async (files: Readonly<Record<string, string | null>>, message: string) => {
    for (const [path, text] of Object.entries(files)) {
      if (text === null) await rm(join(work, path), { force: true })
      else {
        await mkdir(dirname(join(work, path)), { recursive: true })
        await writeFile(join(work, path), text)
      }
    }
    await inWork('add', '-A')
    await inWork('commit', '-q', '--allow-empty', '-m', message)
    await inWork('push', '-q', join(served, 'site.git'), 'HEAD:main')
    return inWork('rev-parse', 'HEAD')
  }
  const checkPort = await freePort()
  const volumes = Array.from({ length: 8 }, (_, index) => `store-${index + 1}: {}`).join(', ')
  const ingress = `{image: "${INGRESS_IMAGE}", generation: 1, ipv6: false, check_port: ${checkPort}}`
  await push(
    {
      'deployment.yaml': `name: ${DEPLOYMENT}\nformat: 1\nprefix: ${PREFIX}\ningress: ${ingress}\nvolumes: {${volumes}}\n`,
    },
    'begin',
  )
  const repo = `${git.server.url}/site.git`
  // The least that this deployment needs of its host.
  const policy = join(folder, 'policy.yaml')
  await writeFile(policy, 'format: 1\ngrants:\n  - {paths: [ingress], ingress: true}\n')
  const settings = [
    '--repo',
    repo,
    '--state',
    state,
    '--policy',
    policy,
    '--engine',
    proxy.url,
    '--poll',
    '1',
    '--notes',
    'push',
  ]
  return {
    engine,
    docker,
    proxy,
    daemon: newDaemon(settings, out === null ? null : join(out, 'graft.log')),
    git,
    folder,
    state,
    ports,
    push,
    async end() {
      await git.server.stop()
      await proxy.stop()
      await clear(docker)
      await engine.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function clear(docker: Docker): Promise<void> {
  for (const { Id } of await docker.listContainers({ all: true }))
    await docker.getContainer(Id).remove({ force: true, v: true })
  await docker.pruneNetworks()
  const { Volumes } = await docker.listVolumes()
  for (const { Name } of Volumes ?? [])
    await docker
      .getVolume(Name)
      .remove()
      .catch(() => undefined)
  for (const { RepoTags: tags } of await docker.listImages({ filters: { reference: ['graft.local/*/*'] } })) {
    for (const tag of tags ?? [])
      await docker
        .getImage(tag)
        .remove()
        .catch(() => undefined)
  }
}

function gitEnvironment(): NodeJS.ProcessEnv {
  const [name, email] = ['Soak', 'soak@example.org']
  return {
    ...process.env,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
  }
}
