// What a daemon that runs for good must not let grow: memory, file descriptors, child processes, packs, notes, logs, and
// what it leaves on the engine.

import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import type Docker from 'dockerode'

import type { Daemon } from './daemon.ts'

const run = promisify(execFile)

export interface Sample {
  /** Minutes since the beginning. */
  readonly minute: number
  /** Minutes since graft was started last. */
  readonly age: number
  /** Resident memory of graft and of its children, MB (proc_pid_status(5), VmRSS). */
  readonly memory: number
  readonly childMemory: number
  readonly descriptors: number
  readonly children: number
  /** In the clone. */
  readonly packs: number
  /** KB on the disk. */
  readonly clone: number
  readonly notes: number
  readonly state: number
  /** KB that graft has logged so far. */
  readonly log: number
  readonly commits: number
  /** On the engine, of the deployment. */
  readonly containers: number
  readonly volumes: number
  readonly tags: number
}

export interface SampleGround {
  readonly daemon: Daemon
  readonly state: string
  readonly docker: Docker
  readonly deployment: string
  readonly begun: number
  readonly commits: () => number
}

/** null while graft does not run. */
export async function takeSample(ground: SampleGround): Promise<Sample | null> {
  const pid = ground.daemon.pid()
  if (pid === null) return null
  const now = performance.now()
  const children = await childrenOf(pid)
  const [repository] = await readdir(join(ground.state, 'repositories')).catch((): string[] => [])
  const place = join(ground.state, 'repositories', repository ?? 'none')
  const filters = { label: [`dev.graft.deployment=${ground.deployment}`] }
  const containers = await ground.docker.listContainers({ all: true, filters }).catch(() => [])
  const volumes = await ground.docker.listVolumes({ filters }).catch(() => null)
  const reference = [`graft.local/${ground.deployment}/*`]
  const images = await ground.docker.listImages({ filters: { reference } }).catch(() => [])
  const sizes = await Promise.all(children.map(residentMemory))
  return {
    minute: minutes(now - ground.begun),
    age: minutes(now - ground.daemon.startedAt()),
    memory: await residentMemory(pid),
    childMemory: sizes.reduce((sum, size) => sum + size, 0),
    descriptors: (await readdir(`/proc/${pid}/fd`).catch(() => [])).length,
    children: children.length,
    packs: (await namesBelow(join(place, 'clone'))).filter((name) => name.endsWith('.pack')).length,
    clone: await kilobytes(join(place, 'clone')),
    notes: await kilobytes(join(place, 'notes')),
    state: await kilobytes(ground.state),
    log: Math.round(ground.daemon.logged() / 1024),
    commits: ground.commits(),
    containers: containers.length,
    volumes: volumes?.Volumes?.length ?? 0,
    tags: images.reduce((sum, { RepoTags: tags }) => sum + (tags?.length ?? 0), 0),
  }
}

export function sampleLine(sample: Sample): string {
  return Object.values(sample).join(',')
}

function minutes(milliseconds: number): number {
  return Math.round(milliseconds / 600) / 100
}

async function residentMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024)
}

async function childrenOf(pid: number): Promise<number[]> {
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => [])
  const lists = tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, 'utf8').catch(() => ''))
  const text = (await Promise.all(lists)).join(' ')
  return text.split(/\s+/).filter(Boolean).map(Number)
}

async function namesBelow(folder: string): Promise<readonly string[]> {
  return readdir(folder, { recursive: true }).catch(() => [])
}

async function kilobytes(folder: string): Promise<number> {
  const { stdout } = await run('du', ['-sk', folder]).catch((error: { stdout?: string }) => ({
    stdout: error.stdout ?? '',
  }))
  return Number.parseInt(stdout, 10) || 0
}
