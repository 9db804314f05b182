// Two grafts on two hosts and one engine: one acts, the other waits, takes over when the first is killed or frozen, and
// a frozen one that wakes up changes nothing. Each runs in a PID namespace of its own, as on another host.
// GRAFT_CRASH=every freezes one at each of the moments below, otherwise at one of them.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, expect, it, vi } from 'vitest'

import { engineClient } from '../../src/demo/engine-address.ts'
import { bringUpEngine, type HostEngine } from '../../src/demo/host-engine.ts'
import { standInImage } from '../../src/demo/stand-in-images.ts'
import { engineFolder } from '../engine/stage/engine-folder.ts'
import { CHECKED, FOREVER, leaf, setStage, type Stage } from '../engine/stage/stage.ts'
import { printRows, sampler } from './rows.ts'

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
/** Milliseconds after a commit at which its graft is frozen. */
const MOMENTS = [0, 700, 1_500, 2_400, 3_600, 6_000]
const everyRow = process.env['GRAFT_CRASH'] === 'every'
const sample = sampler()

interface Host {
  readonly process: ChildProcess
  /** The process number of graft itself, as seen from here. */
  readonly pid: number
  log(): string
}

let engine: HostEngine
let stage: Stage
const hosts: Host[] = []
let watching = true
const twice: string[][] = []
let watched: Promise<void>

beforeAll(async () => {
  engine = await bringUpEngine({ suite: 'trixie', folder: engineFolder('two-hosts') })
  await standInImage(engineClient(engine.url), { reference: 'graft-test/base:1' })
  stage = await setStage({ engineUrl: engine.url })
  await stage.commit({ 'db.yaml': db(1) })
  watched = watch()
})
afterAll(async () => {
  watching = false
  await watched
  for (const { pid, process: started } of hosts) {
    if (started.exitCode === null && started.signalCode === null) kill(pid, 'SIGKILL')
  }
  await stage.end()
  await engine.stop()
})

/** What must never run twice; it proves itself after two seconds. */
function db(generation: number): string {
  const line = `sleep 2; touch /tmp/ok; ${FOREVER}`
  const more = `network_mode: host\nenvironment: {N: "${generation}"}\nupdate: {order: stop-first, settle: 0s}\n`
  return leaf(generation, line, CHECKED + more)
}

async function watch(): Promise<void> {
  while (watching) {
    const filters = { label: [`dev.graft.deployment=${stage.name}`], status: ['running'] }
    const rows = await stage.docker.listContainers({ filters })
    if (rows.length > 1) twice.push(rows.map(({ Names }) => Names[0] ?? ''))
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function startHost(name: string): Promise<Host> {
  const settings = ['--state', join(stage.folder, name), '--host-name', name, '--takeover-after', '10']
  const args = ['run', '--repo', stage.repo, '--engine', engine.url, '--allow-privileged', ...settings]
  const started = spawn('unshare', ['-pf', '--mount-proc', '--kill-child', process.execPath, main, ...args])
  let log = ''
  started.stdout.on('data', (chunk) => (log += String(chunk)))
  started.stderr.on('data', (chunk) => (log += String(chunk)))
  const children = `/proc/${started.pid}/task/${started.pid}/children`
  const pid = await soon(async () => {
    const found = Number((await readFile(children, 'utf8')).trim())
    expect(found).toBeGreaterThan(0)
    return found
  })
  const host = { process: started, pid, log: () => log }
  hosts.push(host)
  return host
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended by itself.
  }
}

const soon = <T>(check: () => Promise<T> | T) => vi.waitFor(check, { timeout: 60_000, interval: 100 })

async function runs(generation: string): Promise<void> {
  await soon(async () => {
    const containers = await stage.containers()
    expect(Object.keys(containers)).toEqual(['db'])
    expect(containers).toMatchObject({ db: { state: 'running', generation, restartPolicy: 'always' } })
  })
}

async function holder(): Promise<string> {
  const info = await stage.docker.getContainer(`graft.${stage.name}.lock`).inspect()
  return (JSON.parse(info.Config.Labels['dev.graft.holder'] ?? '{}') as { host: string }).host
}

it('of two one acts; the other takes over from one that is frozen in a swap, which does nothing when it wakes', async () => {
  const alpha = await startHost('alpha')
  await runs('1')
  const refused = await startHost('gamma')
  await once(refused.process, 'exit')
  expect(refused.log()).toContain('graft on host alpha')
  expect(await holder()).toBe('alpha')

  await stage.commit({ 'db.yaml': db(2) })
  await soon(async () => expect(await stage.containers()).toMatchObject({ 'db.next': { state: 'running' } }))
  kill(alpha.pid, 'SIGSTOP')
  const beta = await startHost('beta')
  await soon(async () => expect(await holder()).toBe('beta'))
  await runs('2')
  expect(beta.log()).toContain('silent')
  const { db: live } = await stage.containers()

  kill(alpha.pid, 'SIGCONT')
  await soon(() => expect(alpha.log()).toMatch(/lock of .* was lost|graft on host beta/))
  await new Promise((resolve) => setTimeout(resolve, 3_000))
  expect(await stage.containers()).toEqual({ db: live })
  expect(await holder()).toBe('beta')

  // Alpha stands by from then on.
  kill(beta.pid, 'SIGKILL')
  await stage.commit({ 'db.yaml': db(3) })
  await soon(async () => expect(await holder()).toBe('alpha'))
  await runs('3')
  expect(twice).toEqual([])
}, 400_000)

it('whenever one is frozen, the other takes over, and there are never two', async () => {
  const rows: string[][] = []
  let generation = 3
  for (const moment of everyRow ? MOMENTS : sample.take(MOMENTS, 1)) {
    const acting = hosts.find(({ process: started }) => started.exitCode === null && started.signalCode === null)
    if (acting === undefined) throw new Error('no graft runs')
    generation++
    await stage.commit({ 'db.yaml': db(generation) })
    await new Promise((resolve) => setTimeout(resolve, moment))
    kill(acting.pid, 'SIGSTOP')
    const begun = Date.now()
    const found = Object.entries(await stage.containers()).map(([name, { state }]) => `${name} ${state}`)
    const next = await startHost(`host-${generation}`)
    await soon(async () => expect(await holder()).toBe(`host-${generation}`))
    await runs(String(generation))
    const took = ((Date.now() - begun) / 1000).toFixed(1)
    const { db: live } = await stage.containers()
    kill(acting.pid, 'SIGCONT')
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    expect(await stage.containers()).toEqual({ db: live })
    rows.push([`${moment} ms`, found.join(', '), `${took} s`, `${twice.length} times`])
    expect(twice).toEqual([])
    kill(acting.pid, 'SIGKILL')
    hosts.splice(0, hosts.length, next)
  }
  const title = `One of two hosts is frozen after a commit (${everyRow ? 'every row' : sample.words})`
  printRows(title, ['frozen after', 'found', 'taken over and done after', 'two of it'], rows)
}, 1_200_000)
