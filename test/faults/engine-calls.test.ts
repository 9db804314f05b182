// Every kind of call that graft makes to the engine in a swap meets every kind of fault. Whatever it is: graft ends in
// time, what was healthy goes on (start-first), what must be one is never two (stop-first), nobody blames the spec, and
// when the fault is over the next look brings what is declared. GRAFT_FAULTS=every runs all rows, otherwise a few of
// them, others each time.

import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { engineClient } from '../../src/demo/engine-address.ts'
import { bringUpEngine, type HostEngine } from '../../src/demo/host-engine.ts'
import { standInImage } from '../../src/demo/stand-in-images.ts'
import { applyThrough, kindOf, type FaultAt } from '../crash/crash-run.ts'
import { printRows, sampler, tableRows } from '../crash/rows.ts'
import { watchEngine } from '../crash/watch-engine.ts'
import { engineFolder } from '../engine/stage/engine-folder.ts'
import {
  ENGINE_FAULTS,
  startEngineProxy,
  type EngineFaultKind,
  type EngineProxy,
} from '../engine/stage/engine-proxy.ts'
import { CHECKED, FOREVER, leaf, setStage, type Stage } from '../engine/stage/stage.ts'
import { acceptedCommits, type AcceptedCommits } from '../invariants/accepted.ts'
import { everyFault } from './fault-table.ts'

const HEALTHY = `touch /tmp/ok; ${FOREVER}`
/** Rows of each order that are run where not all are. */
const SAMPLE = 3
/** Seconds; 60 unless somebody sets it. */
const ENGINE_TIMEOUT = '2'
/** Of a call that only reads it makes no difference whether the engine has heard of it. */
const READ_FAULTS: readonly EngineFaultKind[] = [
  'effect, then nonsense',
  'effect, then half an answer',
  'silence',
  '500',
]

/** Part of the calls' names; GRAFT_FAULTS_CALL=exec runs those alone. */
const only = process.env['GRAFT_FAULTS_CALL'] ?? ''

let engine: HostEngine
const rows = tableRows()
const sample = sampler()

beforeAll(async () => {
  engine = await bringUpEngine({ suite: 'trixie', folder: engineFolder('engine-faults') })
  const docker = engineClient(engine.url)
  for (const { Id } of await docker.listContainers({ all: true })) await docker.getContainer(Id).remove({ force: true })
  await standInImage(docker, { reference: 'graft-test/base:1' })
})
afterAll(async () => {
  const header = ['call', 'fault', 'met', 'graft', 'running meanwhile', 'ended as']
  printRows(`Calls to the engine (${everyFault ? 'every row' : sample.words})`, header, rows.all)
  await engine?.stop()
})

const orders = {
  'start-first': (n: number) => leaf(n, HEALTHY, `${CHECKED}environment: {GENERATION: "${n}"}\nupdate: {drain: 0s}\n`),
  'stop-first': (n: number) =>
    leaf(n, HEALTHY, `${CHECKED}environment: {GENERATION: "${n}"}\nvolumes: ["data:/data"]\nstop_grace_period: 1s\n`),
}

describe.each(Object.keys(orders) as (keyof typeof orders)[])('%s', (order) => {
  let stage: Stage
  let proxy: EngineProxy
  let accepted: AcceptedCommits
  let generation = 1
  const targets: FaultAt[] = []
  const watched = order === 'stop-first' ? { exclusive: ['api'], alone: ['data'] } : { startFirst: ['api'] }
  const files = (n: number) => ({ 'api.yaml': orders[order](n), 'settings.txt': `${n}\n` })
  const next = async () => {
    await stage.commit(files(++generation), `api ${generation}`)
    await accepted.note()
  }

  beforeAll(async () => {
    stage = await setStage({ engineUrl: engine.url, deployment: 'volumes: {data: {}}\n' })
    proxy = await startEngineProxy(engine.url, join(stage.folder, 'proxy.sock'))
    accepted = acceptedCommits(() => stage.judge(), stage.runDigest)
    await stage.commit(files(1))
    await accepted.note()
    await stage.apply()
    // The first run also makes what is made once on an engine.
    await next()
    await applyThrough(stage, proxy, null)
    await next()
    const whole = await applyThrough(stage, proxy, null)
    expect(whole.exitCode, whole.output).toBe(0)
    const counts = new Map<string, number>()
    for (const call of whole.calls) counts.set(kindOf(call), (counts.get(kindOf(call)) ?? 0) + 1)
    for (const [kind, count] of counts) {
      if (!kind.includes(only)) continue
      const reads = kind.startsWith('GET')
      // How often graft only looks, or asks at a gate, is chance.
      const nths = reads || /exec|\/wait$/.test(kind) ? [1] : range(count)
      const faults = reads ? READ_FAULTS : (Object.keys(ENGINE_FAULTS) as EngineFaultKind[])
      for (const nth of nths) for (const fault of faults) targets.push({ kind, nth, times: 1, fault })
      // Not only once: it is so until graft gives up.
      if (!reads) targets.push({ kind, nth: 1, times: 1_000, fault: '500' })
    }
    expect(targets.length).toBeGreaterThan(only === '' ? 50 : 0)
  })
  afterAll(async () => {
    await proxy?.stop()
    await stage?.end()
  })

  it(`${order}: every call, every fault`, { timeout: 7_200_000 }, async () => {
    rows.add([order])
    const wrong: string[] = []
    for (const target of everyFault ? targets : sample.take(targets, SAMPLE)) {
      await next()
      const watch = watchEngine(stage, { ...watched, accepted })
      const run = await applyThrough(stage, proxy, null, target, ['--engine-timeout', ENGINE_TIMEOUT])
      const left = await stage.containers()
      const { results } = await stage.apply()
      const seen = await watch.stop()
      const after = await stage.containers()
      const blamed = 'api.failed' in left || 'api.failed' in after
      const one = after['api']
      const converged =
        Object.keys(after).join() === 'api' &&
        one?.generation === String(generation) &&
        one.state === 'running' &&
        one.restartPolicy === 'always'
      const trouble = [
        run.hung ? 'HANGS' : '',
        ...seen.broken,
        blamed ? 'BLAMES SPEC' : '',
        converged ? '' : 'NOT AS DECLARED',
        /\n\s+at /.test(run.output) ? 'STACK TRACE' : '',
      ].filter((word) => word !== '')
      const itself = run.exitCode === 0
      const row = [
        `${target.kind}${target.times > 1 ? ' (all)' : target.nth > 1 ? ` (${target.nth})` : ''}`,
        target.fault,
        `${run.met}`,
        `${itself ? 'mends it itself' : `ends with ${run.exitCode}`} after ${(run.took / 1000).toFixed(1)} s`,
        `${seen.leaf('api').fewest} to ${seen.leaf('api').most}`,
        trouble.length === 0 ? (itself ? 'as declared' : 'as declared at the next look') : trouble.join(', '),
      ]
      const found = { row, left, after, outcomes: results.map(({ outcome }) => outcome) }
      const more = trouble.length === 0 ? '' : `${JSON.stringify(found, null, 1)}\n${run.output}`
      rows.add(row, more)
      if (more !== '') wrong.push(more)
    }
    expect(wrong.join('\n\n')).toBe('')
  })
})

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1)
}
