// A repository with many leaves, as a deployment of that size would lie on disk, and the engine's state that fits it.

import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

import type { Tree } from '../../src/desired/tree.ts'
import { filesDigest, optionsDigest } from '../../src/plan/digests.ts'
import { effectiveSpec } from '../../src/plan/effective.ts'
import type { ImageFacts, Observed, ObservedContainer } from '../../src/plan/observed.ts'
import type { RunDigest } from '../../src/plan/run-digest.ts'
import { IMAGE } from './ground.ts'

const run = promisify(execFile)

export interface TreeRepository {
  readonly folder: string
  /** Raises the generation of one leaf, with a new value in its environment, and commits it. */
  changeOne(): Promise<void>
  end(): Promise<void>
}

export const PER_SET = 20
const SETS_PER_GROUP = 20

export async function treeRepository(leaves: number): Promise<TreeRepository> {
  const folder = await mkdtemp(join(tmpdir(), 'graft-bench-tree-'))
  const git = (...args: string[]): Promise<unknown> => run('git', args, { cwd: folder, env: identity() })
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  await git('init', '-q', '-b', 'main')
  await write('deployment.yaml', 'name: large\nformat: 1\nvariables: {REGION: north}\n')
  for (let index = 0; index < leaves; index++) {
    if (index % PER_SET === 0) {
      await write(`${setPath(index)}/set.yaml`, `description: set of leaf ${index}\nversion: "1.${index}"\n`)
      await write(`${dirname(setPath(index))}/set.yaml`, 'description: a group of sets\n')
      await write(`${setPath(index)}/service.conf`, `workers = ${index}\nlog = info\n`)
    }
    await write(leafPath(index), leafText(index, 1))
  }
  await git('add', '-A')
  await git('commit', '-q', '-m', 'begin')
  let generation = 1
  return {
    folder,
    async changeOne() {
      generation++
      const index = Math.floor(leaves / 2)
      await write(leafPath(index), leafText(index, generation))
      await git('commit', '-q', '-a', '-m', `generation ${generation}`)
    },
    end: () => rm(folder, { recursive: true, force: true }),
  }
}

export function leafText(index: number, generation: number): string {
  const first = index % PER_SET === 0
  return [
    `generation: ${generation}`,
    `image: ${IMAGE}`,
    'command: [/bin/httpd, -f, -p, "8080"]',
    'environment:',
    `  VERSION: "${generation}"`,
    '  RELEASE: ${version}',
    '  REGION: ${REGION}',
    'files:',
    '  /etc/service/service.conf: ./service.conf',
    'healthcheck:',
    '  http: {port: 8080, path: /health}',
    '  interval: 5s',
    'mem_limit: 256m',
    ...(first ? [] : [`depends_on: [${leafName(index - (index % PER_SET))}]`]),
    '',
  ].join('\n')
}

export function leafName(index: number): string {
  return `leaf-${String(index).padStart(5, '0')}`
}

export function setPath(index: number): string {
  const set = Math.floor(index / PER_SET)
  return `group-${Math.floor(set / SETS_PER_GROUP)}/set-${set}`
}

export function leafPath(index: number): string {
  return `${setPath(index)}/${leafName(index)}.yaml`
}

export function identity(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_AUTHOR_NAME: 'Ann Example',
    GIT_AUTHOR_EMAIL: 'ann@example.org',
    GIT_COMMITTER_NAME: 'Ann Example',
    GIT_COMMITTER_EMAIL: 'ann@example.org',
  }
}

const IMAGE_FACTS: ImageFacts = {
  id: `sha256:${'1'.repeat(64)}`,
  digests: [],
  environment: { PATH: '/usr/bin:/bin' },
  command: ['/bin/sh'],
  entrypoint: [],
  user: '',
  working_dir: '',
  labels: {},
  expose: [],
  volumes: [],
  stop_signal: '',
  healthcheck: null,
}

/** An engine on which everything of the tree runs as it says; made once, as a daemon's memory keeps what it saw. */
export function settledEngine(tree: Tree, runDigest: RunDigest): Observed {
  const containers = [...tree.leaves.values()].map((leaf, index): ObservedContainer => {
    const id = index.toString(16).padStart(64, '0')
    return {
      id,
      name: tree.prefix + leaf.name,
      labels: {
        deployment: tree.name,
        leaf: leaf.name,
        kind: leaf.kind,
        generation: leaf.generation,
        digest: runDigest(leaf),
        commit: tree.commit?.id ?? '',
        restart: leaf.spec.restart,
        image: leaf.spec.image,
        imageId: IMAGE_FACTS.id,
        files: filesDigest(leaf.spec.files),
      },
      state: 'running',
      health: 'none',
      exitCode: 0,
      oomKilled: false,
      error: '',
      createdAt: 0,
      startedAt: 0,
      finishedAt: null,
      restartCount: 0,
      restartPolicy: leaf.spec.restart,
      imageId: IMAGE_FACTS.id,
      image: IMAGE_FACTS,
      running: { ...effectiveSpec(leaf, tree, IMAGE_FACTS, new Map()), unsupported: [] },
      addresses: new Map(),
    }
  })
  const networks = [...tree.networks.values()].map((wish) => {
    const { name, options } = wish
    const own = { id: name, name, deployment: tree.name, optionsDigest: optionsDigest(options) }
    return [name, { ...own, endpoints: containers.length, options }] as const
  })
  return {
    engine: {
      url: 'none',
      id: 'none',
      version: '26.1.5',
      apiVersion: '1.45',
      os: 'linux',
      architecture: 'amd64',
      product: 'docker',
      addressesReachable: true,
    },
    containers,
    foreignNames: new Map(),
    foreignPorts: [],
    networks: new Map(networks),
    volumes: new Map(),
    images: new Map([[IMAGE, IMAGE_FACTS]]),
  }
}
