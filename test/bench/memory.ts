// What `graft run` holds in memory with fifty containers, after many turns and some commits; its Git child by itself.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

import { processFacts } from '../../src/demo/process-tree.ts'
import { setStage } from '../engine/stage/stage.ts'
import { services, upgrade } from './fleet.ts'
import { endStage, leafFiles, MAIN } from './graft.ts'
import type { Ground } from './ground.ts'
import { markdown, median, megabytes } from './samples.ts'

export interface DaemonMemory {
  readonly containers: number
  readonly seconds: number
  /** Turns that were asked for, and commits. */
  readonly wakes: number
  readonly commits: number
  /** Resident set size (proc_pid_status(5), VmRSS) of each sample, bytes. */
  readonly daemon: number[]
  readonly git: number[]
  /** VmHWM at the end, bytes. */
  readonly daemonPeak: number
}

export async function daemonMemory(
  ground: Ground,
  count: number,
  seconds: number,
  say: (text: string) => void,
): Promise<DaemonMemory> {
  const stage = await setStage({ engineUrl: ground.url })
  let fleet = services('svc', count)
  await stage.commit(leafFiles(fleet, 'none'))
  const args = ['run', '--repo', stage.repo, '--state', stage.state, '--engine', ground.url]
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const exit = once(child, 'exit')
  let log = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => (log = (log + String(chunk)).slice(-4000)))
  try {
    const { pid } = child
    if (pid === undefined) throw new Error('graft run did not start')
    say(`graft run brings up ${count} containers`)
    await untilRunning(
      ground,
      stage.name,
      count,
      () => child.exitCode === null,
      () => log,
    )
    say(`watching its memory for ${seconds} s`)
    const result = { daemon: [] as number[], git: [] as number[] }
    const until = Date.now() + seconds * 1000
    let [wakes, commits] = [0, 0]
    while (Date.now() < until) {
      // A hang-up makes it look at repository and engine; every tenth time there is a commit to act on.
      if (wakes % 10 === 9) {
        fleet = upgrade(fleet, 1)
        await stage.commit(leafFiles(fleet, 'none'))
        commits++
      }
      if (child.exitCode !== null) throw new Error(`graft run ended:\n${log}`)
      child.kill('SIGHUP')
      wakes++
      await sleep(1000)
      result.daemon.push(await residentBytes(pid, 'VmRSS'))
      for (const git of await childrenOf(pid)) result.git.push(await residentBytes(git, 'VmRSS'))
    }
    return { containers: count, seconds, wakes, commits, ...result, daemonPeak: await residentBytes(pid, 'VmHWM') }
  } finally {
    child.kill('SIGTERM')
    await exit
    await endStage(stage, ground)
  }
}

async function untilRunning(
  { docker }: Ground,
  deployment: string,
  count: number,
  lives: () => boolean,
  log: () => string,
): Promise<void> {
  for (const until = Date.now() + 180_000; Date.now() < until; await sleep(500)) {
    if (!lives()) throw new Error(`graft run ended:\n${log()}`)
    const rows = await docker.listContainers({ filters: { label: [`dev.graft.deployment=${deployment}`] } })
    if (rows.filter((row) => row.Names[0] === `/${deployment}-${row.Labels['dev.graft.leaf']}`).length === count) return
  }
  throw new Error(`graft run did not bring up ${count} containers in time:\n${log()}`)
}

async function childrenOf(pid: number): Promise<number[]> {
  const found: number[] = []
  for (const entry of await readdir('/proc')) {
    if (/^\d+$/.test(entry) && (await processFacts(Number(entry)))?.parent === pid) found.push(Number(entry))
  }
  return found
}

async function residentBytes(pid: number, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? NaN) * 1024
}

export function memoryLines({ containers, seconds, wakes, commits, daemon, git, daemonPeak }: DaemonMemory): string[] {
  // The last quarter: what it comes to rest at.
  const late = (samples: readonly number[]): string => megabytes(median(samples.slice(-Math.ceil(samples.length / 4))))
  const head = [`graft run, ${containers} containers`, 'resident', 'highest ever']
  const rows = [
    ['daemon', late(daemon), megabytes(daemonPeak)],
    ['its Git child', late(git), megabytes(Math.max(...git))],
  ]
  return [
    markdown(head, rows),
    '',
    `After ${seconds} s, ${wakes} wakes and ${commits} commits; median of the last quarter.`,
  ]
}
