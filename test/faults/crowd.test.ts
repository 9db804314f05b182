// Three hundred containers: how long a turn takes, what the daemon needs, and a swap of all of them, in which each goes on
// running.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, expect, it } from 'vitest'

import { engineClient } from '../../src/demo/engine-address.ts'
import type { HostEngine } from '../../src/demo/host-engine.ts'
import { standInImage } from '../../src/demo/stand-in-images.ts'
import { setStage, type Stage } from '../engine/stage/stage.ts'
import { faultTable } from './fault-table.ts'
import { BASE_IMAGE } from './scene-leaves.ts'
import { faultEngine, pause } from './scene.ts'

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const HOW_MANY = 300
/** An address range of the engine here holds 254. */
const SETS = ['one', 'two', 'three']

const table = faultTable('Three hundred containers')
let engine: HostEngine
let stage: Stage
let daemon: ChildProcess | null = null
let log = ''

beforeAll(async () => {
  engine = await faultEngine('crowd')
  await standInImage(engineClient(engine.url), { reference: BASE_IMAGE })
  const networks = SETS.map((set) => `${set}: {}`).join(', ')
  stage = await setStage({ engineUrl: engine.url, deployment: `networks: {${networks}}\n` })
})
afterAll(async () => {
  if (daemon !== null && daemon.exitCode === null) {
    const exit = once(daemon, 'exit')
    daemon.kill('SIGKILL')
    await exit
  }
  stage?.connection.close()
  await engine?.remove()
})

function commit(generation: number): Promise<string> {
  const files: Record<string, string> = {}
  for (const set of SETS) files[`${set}/set.yaml`] = `defaults: {networks: [${set}]}\n`
  for (let number = 0; number < HOW_MANY; number++) {
    files[`${SETS[number % SETS.length]}/leaf-${number}.yaml`] = [
      `generation: ${generation}`,
      `image: ${BASE_IMAGE}`,
      'command: [sleep, "100000"]',
      `environment: {GENERATION: "${generation}"}`,
      'stop_signal: SIGKILL',
      'update: {order: start-first, settle: 0s, drain: 0s}',
      '',
    ].join('\n')
  }
  return stage.commit(files, `generation ${generation}`)
}

interface Crowd {
  /** Leaves that run in this generation. */
  readonly there: number
  /** Leaves without a running container. */
  readonly down: number
  readonly names: number
}

async function look(generation: number): Promise<Crowd> {
  const rows = await stage.docker.listContainers({
    all: true,
    filters: { label: [`dev.graft.deployment=${stage.name}`] },
  })
  const leaves = rows.filter(({ Labels }) => Labels['dev.graft.leaf']?.startsWith('leaf-') === true)
  const running = leaves.filter(({ State }) => State === 'running')
  const of = (list: typeof rows) => new Set(list.map(({ Labels }) => Labels['dev.graft.leaf'])).size
  const there = of(running.filter(({ Labels }) => Labels['dev.graft.generation'] === String(generation)))
  return { there, down: HOW_MANY - of(running), names: leaves.length }
}

/** Milliseconds until all run in this generation and nothing is left over; the most leaves that were down meanwhile. */
async function settled(generation: number): Promise<{ took: number; mostDown: number }> {
  const begun = performance.now()
  let mostDown = 0
  for (;;) {
    const { there, down, names } = await look(generation)
    mostDown = Math.max(mostDown, down)
    const took = performance.now() - begun
    if (there === HOW_MANY && names === HOW_MANY) return { took, mostDown }
    if (took > 600_000) throw new Error(`${there} there, ${down} down, ${names} names\n${log.slice(-4000)}`)
    await pause(250)
  }
}

async function needs(pid: number): Promise<{ megabytes: number; descriptors: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1])
  return { megabytes: Math.round(kilobytes / 1024), descriptors: (await readdir(`/proc/${pid}/fd`)).length }
}

/** Milliseconds of turns in which nothing was to be done, the last ones. */
function quietTurns(): number[] {
  const lines = [...log.matchAll(/"event":"turn".*?"milliseconds":([\d.]+),"tables":0/g)]
  return lines.slice(-3).map(([, time]) => Math.round(Number(time)))
}

it('launch, rest, swap of all', { timeout: 1_500_000 }, async () => {
  await commit(1)
  const args = ['run', '--repo', stage.repo, '--state', join(stage.folder, 'daemon'), '--engine', engine.url]
  const child = spawn(process.execPath, [main, ...args, '--notes', 'off', '--log-level', 'debug'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  daemon = child
  child.stdout.on('data', (chunk) => (log += String(chunk)))
  child.stderr.on('data', (chunk) => (log += String(chunk)))
  const pid = child.pid ?? 0
  const launch = await settled(1)
  for (let turn = 0; turn < 4; turn++) {
    await pause(1_500)
    child.kill('SIGHUP')
  }
  await pause(3_000)
  const turns = quietTurns()
  const atRest = await needs(pid)
  await commit(2)
  let most = atRest
  const watching = { going: true }
  const watch = (async () => {
    while (watching.going) {
      const now = await needs(pid)
      most = {
        megabytes: Math.max(most.megabytes, now.megabytes),
        descriptors: Math.max(most.descriptors, now.descriptors),
      }
      await pause(1_000)
    }
  })()
  const swap = await settled(2)
  watching.going = false
  await watch
  await pause(3_000)
  const after = await needs(pid)
  table.add({
    fault: `${HOW_MANY} containers are launched`,
    held: `${(launch.took / 1000).toFixed(0)} s; a turn with nothing to do takes ${turns.join(', ')} ms`,
    said: `daemon at rest: ${atRest.megabytes} MB, ${atRest.descriptors} file descriptors`,
    converged: launch.took,
  })
  table.add({
    fault: `all ${HOW_MANY} are swapped, start-first`,
    held: `${swap.mostDown} were down meanwhile`,
    said: `daemon at most: ${most.megabytes} MB, ${most.descriptors} file descriptors; afterwards ${after.megabytes} MB, ${after.descriptors}`,
    converged: swap.took,
  })
  expect(swap.mostDown).toBe(0)
  expect(turns.length).toBeGreaterThan(0)
  expect(Math.max(...turns)).toBeLessThan(3_000)
  expect(most.megabytes).toBeLessThan(400)
  expect(most.descriptors).toBeLessThan(200)
  expect(after.descriptors).toBeLessThanOrEqual(atRest.descriptors + 10)
})
