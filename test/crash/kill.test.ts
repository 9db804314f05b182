// graft is killed with -9 before and after each call that it makes to the engine during a swap, with and without an
// engine restart on top. Whatever the moment: never two of what must be one, never none of what was healthy, and the
// next graft brings it to its end. GRAFT_CRASH=every also kills at calls that only read, and restarts the engine after
// each of the others.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { engineClient } from '../../src/demo/engine-address.ts'
import { bringUpEngine, type HostEngine } from '../../src/demo/host-engine.ts'
import { standInImage } from '../../src/demo/stand-in-images.ts'
import { startEngineProxy, type EngineCall, type EngineProxy } from '../engine/stage/engine-proxy.ts'
import { CHECKED, FOREVER, leaf, setStage, type Stage } from '../engine/stage/stage.ts'
import { applyThrough, proxySocket, watchLeaf } from './crash-run.ts'

const everyCall = process.env['GRAFT_CRASH'] === 'every'
const HEALTHY = `touch /tmp/ok; ${FOREVER}`

let engine: HostEngine
const rows: string[] = []

beforeAll(async () => {
  // Of its own, because it is restarted.
  engine = await bringUpEngine({ suite: 'trixie', folder: '/var/tmp/graft-ground/crash' })
  const docker = engineClient(engine.url)
  for (const { Id } of await docker.listContainers({ all: true })) await docker.getContainer(Id).remove({ force: true })
  await standInImage(docker, { reference: 'graft-test/base:1' })
})
afterAll(async () => {
  console.log(['', ...rows, ''].join('\n'))
  await engine.stop()
})

interface Kind {
  readonly name: 'start-first' | 'stop-first'
  readonly yaml: (generation: number) => string
}

const kinds: readonly Kind[] = [
  {
    name: 'start-first',
    yaml: (n) => leaf(n, HEALTHY, `${CHECKED}environment: {GENERATION: "${n}"}\nupdate: {drain: 1s}\n`),
  },
  {
    name: 'stop-first',
    yaml: (n) => leaf(n, HEALTHY, `${CHECKED}environment: {GENERATION: "${n}"}\nvolumes: ["data:/data"]\n`),
  },
]

describe.each(kinds)('$name', ({ name, yaml }) => {
  let stage: Stage
  let proxy: EngineProxy
  let generation = 1
  let sequence: EngineCall[] = []

  const next = () => stage.commit({ 'api.yaml': yaml(++generation) }, `api ${generation}`)
  const settled = { state: 'running', restartPolicy: 'always' }

  beforeAll(async () => {
    stage = await setStage({ engineUrl: engine.url, deployment: 'volumes: {data: {}}\n' })
    proxy = await startEngineProxy(engine.url, proxySocket(stage))
    await stage.commit({ 'api.yaml': yaml(1) })
    await stage.apply()
    await next()
    const whole = await applyThrough(stage, proxy, null)
    expect(whole.output).toContain(`→ ${generation}`)
    sequence = whole.calls.filter(({ changes }) => everyCall || changes)
    expect(sequence.length).toBeGreaterThan(10)
  })
  afterAll(async () => {
    await proxy.stop()
    await stage.end()
  })

  const moments = ['before', 'after'] as const
  /** A restart takes seconds. `npm run test:crash` runs every row; the usual tests leave these to it. */
  const skipped: Readonly<Record<string, string>> = { 'engine killed': 'before', 'engine stopped': 'after' }
  const restarts = ['no engine restart', 'engine killed', 'engine stopped'] as const

  for (const restart of restarts) {
    it(`${name}: killed at every call, ${restart}`, { timeout: 1_200_000 }, async () => {
      rows.push('', `${name}, ${restart}`, row(['call', 'killed', 'running meanwhile', 'ended as']))
      const failures: string[] = []
      for (const [index, planned] of sequence.entries()) {
        // A call that only reads leaves nothing behind that a restart could meet.
        if (restart !== 'no engine restart' && everyCall && !planned.changes) continue
        for (const moment of moments) {
          if (!everyCall && skipped[restart] === moment) continue
          await next()
          const watch = watchLeaf(stage, 'api')
          const count = everyCall ? 'number' : 'change'
          const run = await applyThrough(stage, proxy, { count, call: planned[count], moment })
          const crashed = await stage.containers()
          const down = await watch.stop()
          if (restart !== 'no engine restart') {
            await (restart === 'engine killed' ? engine.kill() : engine.stop())
            await engine.start()
          }
          const again = watchLeaf(stage, 'api')
          const { results, turn } = await stage.apply()
          const later = await again.stop()
          const after = await stage.containers()
          const label = describeCall(run.killedAt ?? planned)
          const most = Math.max(down.most, later.most)
          const fewest = restart === 'no engine restart' ? Math.min(down.fewest, later.fewest) : down.fewest
          const good =
            Object.keys(after).join() === 'api' &&
            after['api']?.generation === String(generation) &&
            after['api'].state === settled.state &&
            after['api'].restartPolicy === settled.restartPolicy &&
            (name === 'stop-first' ? most <= 1 : fewest >= 1)
          rows.push(
            row([
              `${index + 1} ${label}`,
              run.killedAt !== null ? moment : `${moment} (ended first)`,
              `${fewest} to ${most}`,
              good ? 'converged' : 'WRONG',
            ]),
          )
          if (!good) {
            failures.push(
              JSON.stringify(
                {
                  label,
                  moment,
                  restart,
                  most,
                  fewest,
                  crashed,
                  after,
                  outcomes: results.map(({ outcome }) => outcome),
                  verdicts: turn.plan.verdicts,
                },
                null,
                1,
              ),
            )
          }
        }
      }
      expect(failures).toEqual([])
    })
  }
})

function describeCall(call: EngineCall): string {
  return `${call.method} ${call.path.replace(/[0-9a-f]{64}/g, 'ID')}${call.url.includes('name=') ? ' (name)' : ''}`
}

function row(cells: readonly string[]): string {
  const widths = [52, 22, 18, 10]
  return cells.map((cell, i) => cell.padEnd(widths[i] ?? 10)).join(' ')
}
