// Sets the scene: an engine, images, a repository that is served, and the daemon that follows it. Each thing is written
// down before it is made, so that whatever ends the demo, everything can be found and removed.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { stringify } from 'yaml'

import { socketIn } from '../cli/daemon-place.ts'
import { openStateFolder } from '../daemon/state-folder.ts'
import { graftProgram, serveGitProgram, startApart } from './apart-process.ts'
import { BROKEN_IMAGE } from './act-refusal.ts'
import { NEXT_IMAGE } from './act-upgrade.ts'
import { exampleVariables, lowerOpenFiles, nameDeployment, readTree } from './demo-copy.ts'
import { type DemoDeployment, watchDeployment } from './demo-deployment.ts'
import { type DemoEngine, openDemoEngine } from './demo-engine.ts'
import { ensureGit, makeRepository, withoutProxyHere } from './demo-git.ts'
import { chooseNames } from './demo-names.ts'
import { type DemoNames, type DemoPlace, type DemoRecord, writeRecord } from './demo-place.ts'
import type { DemoStage } from './demo-stage.ts'
import { hasLockImage } from './engine-remains.ts'
import { openstackStandIns } from './openstack-stand-ins.ts'
import { processFacts } from './process-tree.ts'
import { standInImages } from './stand-in-images.ts'

export interface Scene {
  readonly deployment: DemoDeployment
  readonly engine: DemoEngine
  readonly firstCommit: string
  /** Milliseconds since 1970 at which the daemon was started. */
  readonly begun: number
}

export interface SetupOptions {
  readonly stage: DemoStage
  readonly place: DemoPlace
  readonly env: Readonly<Record<string, string | undefined>>
  readonly asked: string | undefined
  /** Given the engine as soon as there is one, for whoever cleans up. */
  readonly onEngine: (engine: DemoEngine) => void
}

const project = fileURLToPath(new URL('../..', import.meta.url))
const example = join(project, 'example-repo')

export async function setUp({ stage, place, env, asked, onEngine }: SetupOptions): Promise<Scene> {
  const { palette, signal } = stage
  const tell = (label: string, ...lines: readonly string[]): void =>
    stage.say(...lines.map((line, index) => `  ${palette.dim((index === 0 ? label : '').padEnd(11))} ${line}`))
  const demo = await processFacts(process.pid)
  let record: DemoRecord = {
    demo: { pid: process.pid, startTime: demo?.startTime ?? '' },
    kept: false,
    processes: [],
    engine: null,
    names: null,
    leftByEngine: { lockImage: false, folders: [] },
  }
  const note = async (more: Partial<DemoRecord>): Promise<void> => {
    record = { ...record, ...more }
    await writeRecord(place, record)
    signal.throwIfAborted()
  }
  await note({})

  stage.busy('looking for Git')
  const { overHttp } = await ensureGit(place, (text) => stage.say(`  ${text}`))
  stage.busy('looking for a Docker Engine')
  const engine = await openDemoEngine({ place, env, asked, say: (text) => stage.busy(text) })
  onEngine(engine)
  const { connection, own, missingFolders } = engine
  const { docker, facts } = connection
  await note({
    engine: { url: connection.url, own: own !== null },
    leftByEngine: { lockImage: !(await hasLockImage(docker)), folders: missingFolders },
  })
  stage.live(null)
  tell(
    'engine',
    `Docker ${facts.version} at ${connection.url}`,
    palette.dim(
      own === null
        ? 'what the demo makes there is removed at the end, and nothing else is touched'
        : 'brought up for this demo from Debian packages, removed at the end',
    ),
  )

  const names = await chooseNames(docker, [...(await readTree(example)).leaves.keys()], '172.29.236')
  await note({ names })
  const standIn = (reference: string): string => reference.replace(/^[^/]+/, names.registry)
  stage.busy('loading stand-in images')
  const images = [...(await readTree(example)).leaves.values()].map(({ spec }) => spec.image)
  const standIns = openstackStandIns([...images, NEXT_IMAGE, BROKEN_IMAGE], standIn)
  await standInImages(docker, standIns)
  stage.live(null)
  tell(
    'images',
    `${standIns.length} small stand-ins, ${palette.bold('not the real OpenStack')}, loaded into the engine`,
    palette.dim('a few scripts each, that start, answer, migrate and fail as the real ones do'),
    palette.dim('mirror rules put them in the place of quay.io and docker.io'),
  )

  stage.busy('making the repository')
  await mkdir(place.served, { recursive: true })
  const environment = childEnvironment(env)
  const server = await startApart(serveGitProgram, [place.served], join(place.folder, 'git.log'), environment)
  await note({ processes: [server] })
  const url = await stage.until(
    'the Git server listens',
    10_000,
    async () => (await server.read()).split('\n')[0]?.trim() || null,
  )
  const repo = `${url}/openstack.git`
  let lowered: readonly string[] = []
  const git = await makeRepository(place, example, overHttp ? repo : place.bare, async (folder) => {
    await nameDeployment(folder, names)
    lowered = await lowerOpenFiles(folder, engine.openFiles)
  })
  const tree = await readTree(place.work)
  const firstCommit = await git.commit('OpenStack')
  await git.push()
  stage.live(null)
  tell(
    'repository',
    repo,
    palette.dim(
      `example-repo as deployment ${names.deployment}${names.prefix === '' ? '' : `, container names begin with ${names.prefix} because some were taken`}; pushed over HTTP`,
    ),
  )

  if (lowered.length > 0)
    tell(
      '',
      palette.dim(`${lowered.join(', ')} may have ${engine.openFiles} files open: this engine may not grant more`),
    )

  await writeSettings(place, repo, names, own !== null || asked !== undefined ? connection.url : null)
  signal.throwIfAborted()
  const begun = Date.now()
  const daemon = await startApart(
    graftProgram,
    ['run', '--log-level', 'debug', '--config', place.config],
    place.log,
    environment,
  )
  await note({ processes: [daemon, server] })
  tell(
    'daemon',
    `graft run --config ${place.config}`,
    palette.dim('policy: docs/example-policy.yaml; hypervisor and agents run privileged, as the real ones do'),
  )
  const state = await openStateFolder(place.state)
  const socket = socketIn(state.deployment(names.deployment, facts.id), environment)
  const coloured = palette.bold('x') !== 'x'
  const deployment = watchDeployment({
    place,
    names,
    tree,
    git,
    connection,
    standIn,
    daemon,
    socket,
    environment: { ...environment, ...(coloured ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }) },
  })
  return { deployment, engine, firstCommit, begun }
}

/** A person's own settings of graft are not the demo's. */
function childEnvironment(env: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  const kept = Object.entries({ ...env, PATH: process.env['PATH'] }).filter(([name]) => !name.startsWith('GRAFT_'))
  return withoutProxyHere(Object.fromEntries(kept))
}

async function writeSettings(place: DemoPlace, repo: string, names: DemoNames, engine: string | null): Promise<void> {
  await rm(place.state, { recursive: true, force: true })
  await writeFile(place.hostVariables, await exampleVariables(place.work))
  const policy = await readFile(join(project, 'docs', 'example-policy.yaml'), 'utf8')
  await writeFile(place.policy, policy.replace(/^( +subnets: ).*$/m, `$1[${names.subnet}.0/24]`))
  const settings = {
    repo,
    ...(engine === null ? {} : { engine }),
    state: place.state,
    policy: place.policy,
    host_variables: place.hostVariables,
    mirrors: ['quay.io/', 'docker.io/'].map((from) => ({ from, to: `${names.registry}/` })),
    poll: 1,
  }
  await writeFile(
    place.config,
    `# Settings of the demo: graft COMMAND --config ${place.config}\n${stringify(settings)}`,
  )
}
