// graft is killed with -9 at each call with which a swap behind the ingress changes something on the engine, while
// clients go on asking. Whatever the moment: not one request fails, no connection is cut before its container is told
// to end, and the next graft brings the swap to its end. GRAFT_CRASH=every kills before and after each of the calls;
// otherwise after those that switch, and at a few of the others.

import { afterAll, beforeAll, expect, it } from 'vitest'

import { engineClient } from '../../src/demo/engine-address.ts'
import { freePort } from '../../src/demo/free-port.ts'
import { bringUpEngine, type HostEngine } from '../../src/demo/host-engine.ts'
import { startLoad, type Load, type LoadResult } from '../engine/load/client.ts'
import { serviceLeaf, setLoadStage, type LoadStage } from '../engine/load/load-stage.ts'
import { startEngineProxy, type EngineCall, type EngineProxy } from '../engine/stage/engine-proxy.ts'
import { engineFolder } from '../engine/stage/engine-folder.ts'
import { applyThrough, proxySocket, type KillAt } from './crash-run.ts'
import { sampler } from './rows.ts'

const everyCall = process.env['GRAFT_CRASH'] === 'every'
/** The two renames, the new configuration and the signal to load it. */
const SWITCHES = /\/rename|\/archive|signal=SIGUSR2/
/** Other calls that are met where not all of them are, others each time. */
const SAMPLE = 3
const sample = sampler()

let engine: HostEngine
let stage: LoadStage
let proxy: EngineProxy
let clients: Load
let port: number
let echo: number
let generation = 0
let sequence: readonly EngineCall[] = []
const rows: string[] = []

const next = () => {
  generation += 1
  const update = '{drain: 1s}'
  return stage.commit({ 'shop.yaml': serviceLeaf({ leaf: 'shop', generation, http: port, echo, update }) })
}

beforeAll(async () => {
  // Of its own: the other file restarts its engine.
  engine = await bringUpEngine({ suite: 'trixie', folder: engineFolder('ingress-crash') })
  const docker = engineClient(engine.url)
  for (const { Id } of await docker.listContainers({ all: true })) await docker.getContainer(Id).remove({ force: true })
  stage = await setLoadStage({ engineUrl: engine.url, daemon: false })
  proxy = await startEngineProxy(engine.url, proxySocket(stage))
  port = await freePort()
  echo = await freePort()
  await next()
  const first = await applyThrough(stage, proxy, null)
  expect(first.exitCode, first.output).toBe(0)
  const at = (one: number) => [{ host: '127.0.0.1', port: one }]
  clients = startLoad({ http: at(port), echo: at(echo), fresh: 3, kept: 3, long: 2, paceMs: 3 })
  await next()
  const whole = await applyThrough(stage, proxy, null)
  expect(whole.exitCode, whole.output).toBe(0)
  expectNothingLost(await clients.take(), whole.output)
  sequence = whole.calls.filter(({ changes }) => changes)
  expect(sequence.filter(({ url }) => url.includes('/rename')).length).toBe(2)
  expect(sequence.filter(({ url }) => url.includes('signal=SIGUSR2')).length).toBeGreaterThanOrEqual(2)
})
afterAll(async () => {
  const title = `Killed behind the ingress (${everyCall ? 'every row' : sample.words})`
  console.log(
    ['', title, row(['call', 'killed', 'requests', 'failed', 'longest pause', 'ended as']), ...rows, ''].join('\n'),
  )
  await clients?.stop()
  await proxy?.stop()
  await stage?.end()
  await engine?.stop()
})

/** Anew each time: a connection that was kept would be answered by the worker that took it. */
async function served(): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })
  return answer.text()
}

function expectNothingLost(result: LoadResult, output: string): void {
  expect(result.failures, output).toEqual([])
  expect(stage.early(result.ends), output).toEqual([])
  expect(result.classes.fresh.succeeded).toBeGreaterThan(20)
  expect(result.classes.kept.succeeded).toBeGreaterThan(20)
}

/** What is killed where: an upgraded call (exec) has no answer after which one could. */
function kills(): readonly KillAt[] {
  const all = sequence.flatMap(({ change, path }): KillAt[] => {
    const before: KillAt = { count: 'change', call: change, moment: 'before' }
    return /^\/exec\/.*\/start$/.test(path) ? [before] : [before, { ...before, moment: 'after' }]
  })
  if (everyCall) return all
  const first = sequence.findIndex(({ url }) => url.includes('/rename'))
  const last = sequence.findIndex(({ url }) => url.includes('signal=SIGUSR2'))
  const switching = new Set(
    sequence.filter(({ url }, i) => i >= first && i <= last && SWITCHES.test(url)).map(({ change }) => change),
  )
  return [
    ...all.filter(({ call, moment }) => switching.has(call) && moment === 'after'),
    ...sample.take(
      all.filter(({ call }) => !switching.has(call)),
      SAMPLE,
    ),
  ]
}

it('killed at calls that change something, under load', { timeout: 1_200_000 }, async () => {
  const failures: string[] = []
  for (const kill of kills()) {
    await next()
    const run = await applyThrough(stage, proxy, kill)
    const crashed = await stage.containers()
    const again = await applyThrough(stage, proxy, null)
    const after = await stage.containers()
    const answer = await served()
    const result = await clients.take()
    const early = stage.early(result.ends)
    const converged =
      again.exitCode === 0 &&
      Object.keys(after).toSorted().join() === 'ingress,shop' &&
      after['shop']?.generation === String(generation) &&
      Object.values(after).every(({ state, restartPolicy }) => state === 'running' && restartPolicy === 'always') &&
      answer.trim() === `shop-${generation}`
    const good = converged && result.failed === 0 && early.length === 0
    const planned = sequence.find(({ change }) => change === kill.call)
    rows.push(
      row([
        `${kill.call} ${describeCall(run.killedAt ?? planned)}`,
        run.killedAt === null ? `${kill.moment} (ended first)` : kill.moment,
        `${result.tried}`,
        `${result.failed + early.length}`,
        `${result.pause.toFixed(0)} ms`,
        converged ? 'converged' : 'WRONG',
      ]),
    )
    if (good) continue
    const { failures: lost, generations } = result
    const found = { at: rows.at(-1), crashed, after, answer, lost, early, generations }
    failures.push(`${JSON.stringify(found, null, 1)}\n${run.output}\n--- again (${again.exitCode}):\n${again.output}`)
  }
  expect(rows.length).toBeGreaterThan(5)
  expect(failures.join('\n\n')).toBe('')
})

function describeCall(call: EngineCall | undefined): string {
  if (call === undefined) return ''
  const signal = /signal=\w+/.exec(call.url)?.[0] ?? ''
  return `${call.method} ${call.path.replace(/[0-9a-f]{64}/g, 'ID').replace(/graft\.local.*/, 'graft.local')} ${signal}`
}

function row(cells: readonly string[]): string {
  const widths = [50, 22, 10, 8, 15, 10]
  return cells.map((cell, i) => cell.padEnd(widths[i] ?? 10)).join(' ')
}
