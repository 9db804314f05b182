// A stage for whole deployments: a real Git repository in a temporary folder, a real engine, and graft's own rooms
// between them, wired as the commands wire them.

import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

import type Docker from 'dockerode'

import { systemClock } from '../../../src/apply/clock.ts'
import type { Engine } from '../../../src/apply/engine.ts'
import type { TableResult } from '../../../src/apply/outcome.ts'
import type { Progress } from '../../../src/apply/progress.ts'
import { openDeployment, type Accepted, type Judgement } from '../../../src/daemon/open-deployment.ts'
import { createReconciler, type Reconciler, type Turn, type Wish } from '../../../src/daemon/reconcile.ts'
import { settingsSchema, type Settings } from '../../../src/daemon/settings.ts'
import { engineClient } from '../../../src/demo/engine-address.ts'
import { connectEngine, type EngineConnection } from '../../../src/engine/connect.ts'
import { dockerEngine } from '../../../src/engine/docker-engine.ts'
import { rewriteReference } from '../../../src/engine/mirrors.ts'
import { createRunDigest, type RunDigest } from '../../../src/plan/run-digest.ts'

const run = promisify(execFile)

export interface Seen {
  readonly id: string
  readonly state: string
  readonly generation: string
  readonly restartPolicy: string
}

export interface Applied {
  readonly turn: Turn
  readonly results: readonly TableResult[]
  readonly progress: readonly Progress[]
  /** leaf → verdict kind of the first turn. */
  readonly verdicts: Readonly<Record<string, string>>
}

export interface Stage {
  readonly name: string
  readonly folder: string
  readonly repo: string
  readonly state: string
  readonly docker: Docker
  readonly connection: EngineConnection
  readonly engine: Engine
  readonly settings: Settings & { repo: string; state: string }
  /** Writes files into the work tree; null removes one. Resolves to the new commit's id. */
  commit(files: Readonly<Record<string, string | null>>, message?: string): Promise<string>
  git(...args: string[]): Promise<string>
  judge(): Promise<Judgement>
  wish(confirmed?: boolean): Promise<Wish>
  /** `other`: instead of the stage's own engine. */
  reconciler(other?: Engine): { reconciler: Reconciler; progress: Progress[] }
  /** One `graft apply`, in this process. */
  apply(options?: { confirmed?: boolean }): Promise<Applied>
  plan(): Promise<Turn>
  readonly runDigest: RunDigest
  /** The text of `deployment.yaml`, with more keys. */
  deploymentYaml(more?: string): string
  /** The container of a name without the prefix. */
  container(name: string): Docker.Container
  /** The deployment's containers by name without its prefix; the lock is left out. */
  containers(): Promise<Record<string, Seen>>
  end(): Promise<void>
}

export interface StageOptions {
  readonly engineUrl: string
  /** Where the test itself asks the engine; absent: the same. */
  readonly testUrl?: string
  readonly settings?: Partial<Settings>
  /** Beside the usual `deployment.yaml`. */
  readonly deployment?: string
}

let counter = 0

export async function setStage(options: StageOptions): Promise<Stage> {
  counter++
  const name = `t${process.pid}x${counter}`
  const folder = await mkdtemp(join(tmpdir(), 'graft-stage-'))
  const repo = join(folder, 'repo')
  const state = join(folder, 'state')
  await mkdir(repo)
  const git = async (...args: string[]) => (await run('git', args, { cwd: repo, env: gitEnvironment() })).stdout.trim()
  await git('init', '-q', '-b', 'main')
  const settings = {
    ...settingsSchema.parse({ repo, state, allow_privileged: true, ...options.settings }),
    repo,
    state,
  }
  const connection = await connectEngine(options.engineUrl)
  const engine = dockerEngine(connection)
  const deployment = await openDeployment(settings, {})
  const docker = engineClient(options.testUrl ?? options.engineUrl)

  async function commit(files: Readonly<Record<string, string | null>>, message = 'change'): Promise<string> {
    for (const [path, text] of Object.entries(files)) {
      if (text === null) await rm(join(repo, path))
      else {
        await mkdir(dirname(join(repo, path)), { recursive: true })
        await writeFile(join(repo, path), text)
      }
    }
    await git('add', '-A')
    await git('commit', '-q', '--allow-empty', '-m', message)
    return git('rev-parse', 'HEAD')
  }
  const deploymentYaml = (more = '') => `name: ${name}\nformat: 1\nprefix: ${name}-\n${more}`
  await commit({ 'deployment.yaml': deploymentYaml(options.deployment) }, 'begin')

  async function judge(): Promise<Judgement> {
    const { commit: tip } = await deployment.repository.refresh()
    return deployment.judge(tip.id, await deployment.hostFiles())
  }

  async function wish(confirmed = false): Promise<Wish> {
    const judgement = await judge()
    if (judgement.tree === null)
      throw new Error(`the commit does not read: ${JSON.stringify(judgement.problems, null, 2)}`)
    const accepted: Accepted = { ...judgement, tree: judgement.tree }
    return deployment.wish(accepted, await deployment.hostFiles(), confirmed)
  }

  const hostKey = await deployment.state.hostKey()
  const runDigest = createRunDigest(hostKey)
  function reconciler(other: Engine = engine): { reconciler: Reconciler; progress: Progress[] } {
    const progress: Progress[] = []
    const made = createReconciler({
      engine: other,
      clock: systemClock,
      runDigest,
      mirror: (reference) => rewriteReference(settings.mirrors ?? [], reference),
      parallel: settings.parallel,
      report: (event) => progress.push(event),
      probed: () => new Map(),
      onChange: () => undefined,
    })
    return { reconciler: made, progress }
  }

  return {
    name,
    folder,
    repo,
    state,
    docker,
    connection,
    engine,
    settings,
    commit,
    git,
    judge,
    wish,
    reconciler,
    async apply({ confirmed = false } = {}) {
      const { reconciler: own, progress } = reconciler()
      const wanted = await wish(confirmed)
      const first = await own.look(wanted)
      const { turn, results } = await own.settle(wanted, new AbortController().signal)
      const verdicts = Object.fromEntries(first.plan.verdicts.map(({ leaf, kind }) => [leaf, kind]))
      return { turn, results, progress, verdicts }
    },
    runDigest,
    deploymentYaml,
    container: (short) => docker.getContainer(`${name}-${short}`),
    async plan() {
      return reconciler().reconciler.look(await wish())
    },
    async containers() {
      const filters = { label: [`dev.graft.deployment=${name}`] }
      const rows = await docker.listContainers({ all: true, filters })
      const seen: Record<string, Seen> = {}
      for (const row of rows) {
        const facts = await docker
          .getContainer(row.Id)
          .inspect()
          .catch(() => null)
        if (facts === null || row.Labels['dev.graft.kind'] === 'lock') continue
        seen[facts.Name.slice(1).replace(`${name}-`, '')] = {
          id: row.Id,
          state: facts.State.Status,
          generation: row.Labels['dev.graft.generation'] ?? '',
          restartPolicy: facts.HostConfig.RestartPolicy?.Name ?? '',
        }
      }
      return seen
    },
    async end() {
      await deployment.close()
      const filters = { label: [`dev.graft.deployment=${name}`] }
      for (const row of await docker.listContainers({ all: true, filters })) {
        await docker
          .getContainer(row.Id)
          .remove({ force: true, v: true })
          .catch(() => undefined)
      }
      for (const network of await docker.listNetworks({ filters })) {
        await docker
          .getNetwork(network.Id)
          .remove()
          .catch(() => undefined)
      }
      const { Volumes } = await docker.listVolumes({ filters })
      for (const volume of Volumes ?? [])
        await docker
          .getVolume(volume.Name)
          .remove()
          .catch(() => undefined)
      const images = await docker.listImages({ filters: { reference: [`graft.local/${name}/*`] } })
      for (const image of images) {
        for (const tag of image.RepoTags ?? [])
          await docker
            .getImage(tag)
            .remove()
            .catch(() => undefined)
      }
      connection.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function gitEnvironment(): NodeJS.ProcessEnv {
  const who = { NAME: 'Ann Example', EMAIL: 'ann@example.org' }
  return {
    ...process.env,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_AUTHOR_NAME: who.NAME,
    GIT_AUTHOR_EMAIL: who.EMAIL,
    GIT_COMMITTER_NAME: who.NAME,
    GIT_COMMITTER_EMAIL: who.EMAIL,
  }
}

/** A leaf that runs a shell line in the base image. */
export function leaf(generation: number, line: string, more = ''): string {
  const command = JSON.stringify(['/bin/sh', '-c', line])
  return `generation: ${generation}\nimage: graft-test/base:1\ncommand: ${command}\n${more}`
}

export const FOREVER = 'trap "exit 0" TERM; while :; do sleep 1 & wait; done'
/** A check that holds while /tmp/ok is there. */
export const CHECKED = 'healthcheck: {test: ["CMD", "/bin/test", "-e", "/tmp/ok"], interval: 1s}\n'
