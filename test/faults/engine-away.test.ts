// dockerd is stopped, killed, or frozen for longer than graft waits, at each stage of a swap that a running daemon makes;
// without live-restore (containers go down with it) and with it. Whatever the moment: never two of what must be one,
// nobody blames the spec, what runs on goes on, and when the engine is back the daemon brings what is declared by itself.
// GRAFT_FAULTS=every runs all rows, otherwise a few of them, others each time.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { connectEngine } from '../../src/engine/connect.ts'
import { dockerEngine } from '../../src/engine/docker-engine.ts'
import { engineClient } from '../../src/demo/engine-address.ts'
import { bringUpEngine, type HostEngine } from '../../src/demo/host-engine.ts'
import { standInImage } from '../../src/demo/stand-in-images.ts'
import { kindOf } from '../crash/crash-run.ts'
import { printRows, sampler, tableRows } from '../crash/rows.ts'
import { watchEngine } from '../crash/watch-engine.ts'
import { engineFolder } from '../engine/stage/engine-folder.ts'
import { startEngineProxy, type EngineCall } from '../engine/stage/engine-proxy.ts'
import { CHECKED, FOREVER, leaf, setStage, type Seen } from '../engine/stage/stage.ts'
import { acceptedCommits } from '../invariants/accepted.ts'
import { everyFault } from './fault-table.ts'

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const rows = tableRows()
const sample = sampler()
/** Rows of each engine and order that are run where not all are. */
const SAMPLE = 1
/** Milliseconds until the daemon must have brought what is declared, after the engine is back. */
const PATIENCE = 90_000

const HEALTHY = `touch /tmp/ok; ${FOREVER}`
const more = (n: number) =>
  `${CHECKED}environment: {GENERATION: "${n}"}\nupdate: {drain: 1s, deadline: 20s}\nstop_grace_period: 1s\n`
const orders = {
  'start-first': (n: number) => leaf(n, HEALTHY, more(n)),
  'stop-first': (n: number) => leaf(n, HEALTHY, `${more(n)}volumes: ["data:/data"]\n`),
}

interface Moment {
  readonly name: string
  readonly call: string
  readonly when: 'before' | 'after'
  readonly order?: keyof typeof orders
}

const moments: readonly Moment[] = [
  { name: 'the candidate is created', call: 'POST /containers/create', when: 'after' },
  { name: 'it is about to start', call: 'POST /containers/ID/start', when: 'before' },
  { name: 'it is at its gate', call: 'POST /containers/ID/exec', when: 'before' },
  { name: 'the old one is down', call: 'POST /containers/ID/stop', when: 'after', order: 'stop-first' },
  { name: 'between the two renames', call: 'POST /containers/ID/rename', when: 'after' },
  { name: 'the old one is about to go', call: 'DELETE /containers/ID', when: 'before' },
]

/** What is done to dockerd; the engine is well again when it resolves. */
const acts: Readonly<Record<string, (engine: HostEngine) => Promise<void>>> = {
  stopped: async (engine) => {
    const pid = pidOf(engine)
    process.kill(pid, 'SIGTERM')
    while (isThere(pid)) await pause(50)
    await engine.start()
  },
  killed: async (engine) => {
    await engine.kill()
    await pause(1_500)
    await engine.start()
  },
  frozen: async (engine) => {
    const pid = pidOf(engine)
    process.kill(pid, 'SIGSTOP')
    await pause(9_000)
    process.kill(pid, 'SIGCONT')
  },
}

const engines = [
  { name: 'without live-restore', liveRestore: false, acts: ['stopped', 'killed', 'frozen'] },
  { name: 'with live-restore', liveRestore: true, acts: ['stopped', 'killed'] },
] as const

afterAll(() => {
  const header = ['dockerd', 'order', 'when', 'running meanwhile', 'as declared', 'what was broken']
  printRows(
    `The engine goes away in the middle of a swap (${everyFault ? 'every row' : sample.words})`,
    header,
    rows.all,
  )
})

describe.each(engines)('$name', ({ name, liveRestore, acts: own }) => {
  let engine: HostEngine

  beforeAll(async () => {
    const folder = engineFolder(`engine-away${liveRestore ? '-live' : ''}`)
    engine = await bringUpEngine({ suite: 'trixie', folder, liveRestore })
    const docker = engineClient(engine.url)
    for (const { Id } of await docker.listContainers({ all: true })) {
      await docker.getContainer(Id).remove({ force: true })
    }
    await standInImage(docker, { reference: 'graft-test/base:1' })
  })
  afterAll(() => engine?.stop())

  it.each(Object.keys(orders) as (keyof typeof orders)[])('%s', { timeout: 3_600_000 }, async (order) => {
    const stage = await setStage({ engineUrl: engine.url, deployment: 'volumes: {data: {}}\n' })
    const proxy = await startEngineProxy(engine.url, join(stage.folder, 'proxy.sock'))
    let generation = 0
    const accepted = acceptedCommits(() => stage.judge(), stage.runDigest)
    const next = async () => {
      generation += 1
      await stage.commit({ 'api.yaml': orders[order](generation) }, `api ${generation}`)
      await accepted.note()
    }
    await next()
    const args = ['run', '--poll', '1', '--notes', 'off', '--allow-privileged', '--engine-timeout', '3']
    const where = ['--repo', stage.repo, '--state', stage.state, '--engine', proxy.url]
    const daemon = spawn(process.execPath, [main, ...args, ...where], { stdio: ['ignore', 'pipe', 'pipe'] })
    let log = ''
    daemon.stdout.on('data', (chunk) => (log += String(chunk)))
    daemon.stderr.on('data', (chunk) => (log += String(chunk)))
    const exit = once(daemon, 'exit')
    const wrong: string[] = []
    const asDeclared = async (): Promise<{
      took: number
      found: Record<string, Seen>
      good: boolean
      blamed: boolean
    }> => {
      const begun = performance.now()
      let blamed = false
      for (;;) {
        const found = await stage.containers().catch((): Record<string, Seen> => ({}))
        blamed ||= 'api.failed' in found
        const one = found['api']
        const good =
          Object.keys(found).join() === 'api' &&
          one?.generation === String(generation) &&
          one.state === 'running' &&
          one.restartPolicy === 'always'
        const took = performance.now() - begun
        if (good || took > PATIENCE) return { took, found, good, blamed }
        await pause(100)
      }
    }
    try {
      expect((await asDeclared()).good, log).toBe(true)
      const targets = own.flatMap((act) =>
        moments.filter((moment) => (moment.order ?? order) === order).map((moment) => ({ act, moment })),
      )
      for (const { act, moment } of everyFault ? targets : sample.take(targets, SAMPLE)) {
        log = ''
        const doIt = acts[act]
        let acting: Promise<void> | null = null
        const hook = (call: EngineCall) => {
          if (acting !== null || doIt === undefined || kindOf(call) !== moment.call) return
          acting = doIt(engine)
          // The call goes on to an engine that is on its way out, not after it is back.
          return pause(100)
        }
        const runsOn = liveRestore || act === 'frozen'
        // What goes down with the engine is not graft's doing.
        const startFirst = order === 'start-first' && runsOn ? ['api'] : []
        const exclusive = order === 'stop-first' ? { exclusive: ['api'], alone: ['data'] } : {}
        const watch = watchEngine(stage, { startFirst, ...exclusive, counted: ['api'], accepted })
        if (moment.when === 'before') proxy.before = hook
        else proxy.after = hook
        await next()
        const until = performance.now() + 60_000
        while (acting === null && performance.now() < until) await pause(20)
        await (acting as Promise<void> | null)
        proxy.before = () => undefined
        proxy.after = () => undefined
        const { took, found, good, blamed } = await asDeclared()
        const seen = await watch.stop()
        const counts = seen.leaf('api')
        const trouble = [
          acting === null ? 'it never came to it' : '',
          ...seen.broken,
          blamed ? 'THE SPEC IS BLAMED' : '',
          good ? '' : 'NOT AS DECLARED',
          /\\n\s+at /.test(log) ? 'STACK TRACE' : '',
        ].filter((words) => words !== '')
        const row = [
          `${act}, ${name}`,
          order,
          moment.name,
          `${counts.fewest} to ${counts.most}`,
          good ? `after ${(took / 1000).toFixed(1)} s` : 'NEVER',
          trouble.length === 0 ? 'nothing' : trouble.join(', '),
        ]
        const words = trouble.length === 0 ? '' : `${JSON.stringify({ row, found }, null, 1)}\n${log.slice(-6000)}`
        rows.add(row, words)
        if (words !== '') wrong.push(words)
      }
      expect(wrong.join('\n\n')).toBe('')
    } finally {
      daemon.kill('SIGTERM')
      await exit
      await proxy.stop()
      await stage.end()
    }
  })

  it('forgets with dockerd what ended a container', async () => {
    const container = await engineClient(engine.url).createContainer({ Image: 'graft-test/base:1', Cmd: ['true'] })
    await container.start()
    await container.wait()
    const { Created, State } = await container.inspect()
    const ended = {
      id: container.id,
      state: 'exited',
      createdAt: Date.parse(Created),
      startedAt: Date.parse(State.StartedAt),
      finishedAt: Date.parse(State.FinishedAt),
    } as const
    const ask = async () => {
      const connection = await connectEngine(engine.url)
      const by = await dockerEngine(connection).endedBy(ended)
      connection.close()
      return by
    }
    expect(await ask()).toBe('itself')
    await acts['killed']?.(engine)
    expect(await ask()).toBe('unknown')
  })
})

function pidOf({ pid }: HostEngine): number {
  if (pid === null) throw new Error('dockerd does not run')
  return pid
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
