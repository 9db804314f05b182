// graft is killed with -9 after each call with which it changes something on the engine, in every kind of change that it
// makes, with and without an engine restart on top. Whatever the moment: never two of what must be one, never none of
// what was healthy, and the next graft brings it to its end. GRAFT_CRASH=every runs every row, otherwise a few of them,
// others each time. (Before a call the engine is as it was after the one before; only the first is also killed before.)

import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { engineClient } from '../../src/demo/engine-address.ts'
import { bringUpEngine, type HostEngine } from '../../src/demo/host-engine.ts'
import { standInImage } from '../../src/demo/stand-in-images.ts'
import { engineFolder } from '../engine/stage/engine-folder.ts'
import { startEngineProxy, type EngineProxy } from '../engine/stage/engine-proxy.ts'
import { setStage, type Stage } from '../engine/stage/stage.ts'
import { acceptedCommits, type AcceptedCommits } from '../invariants/accepted.ts'
import { putStrangers } from '../invariants/strangers.ts'
import { applyThrough, kindOf, proxySocket, type CrashRun, type KillAt } from './crash-run.ts'
import { printRows, sampler, tableRows } from './rows.ts'
import { SWAP_KINDS, type Found, type SwapKind } from './swap-kinds.ts'
import { watchEngine } from './watch-engine.ts'

const everyRow = process.env['GRAFT_CRASH'] === 'every'
const only = process.env['GRAFT_CRASH_KIND']
const sample = sampler()
/** Of all kinds, and rows of each, where not all are run. */
const SAMPLE = { kinds: 4, rows: 2 }
const RESTARTS = ['no', 'engine killed', 'engine stopped'] as const

let engine: HostEngine
const rows = tableRows()
const chosen = SWAP_KINDS.filter(({ name }) => only === undefined || name.includes(only))
const kinds = everyRow ? chosen : sample.take(chosen, SAMPLE.kinds)

beforeAll(async () => {
  // Of its own, because it is restarted.
  engine = await bringUpEngine({ suite: 'trixie', folder: engineFolder('crash') })
  const docker = engineClient(engine.url)
  for (const { Id } of await docker.listContainers({ all: true })) await docker.getContainer(Id).remove({ force: true })
  await standInImage(docker, { reference: 'graft-test/base:1' })
  await putStrangers(docker, 'graft-test/base:1')
})
afterAll(async () => {
  const header = ['what changes', 'graft is killed', 'at', 'restart', 'left behind', 'ended as']
  for (const { name } of SWAP_KINDS) {
    if (!kinds.some((kind) => kind.name === name)) rows.add([name, 'not run', 'npm run test:crash runs it', '', '', ''])
  }
  printRows(`graft killed with -9 (${everyRow ? 'every row' : sample.words})`, header, rows.all)
  await engine?.stop()
})

describe.each(kinds)('$name', (kind) => {
  let stage: Stage
  let proxy: EngineProxy
  let accepted: AcceptedCommits
  let n = 1
  let targets: { readonly at: KillAt; readonly restart: (typeof RESTARTS)[number] }[] = []

  const commit = async (files: ReturnType<SwapKind['after']>) => {
    const more = kind.deployment?.(n) ?? 'volumes: {data: {}}\n'
    // What the first commit takes away has never been there.
    const known = Object.entries(files).filter(([path, text]) => text !== null || existsSync(join(stage.repo, path)))
    const all = { 'deployment.yaml': stage.deploymentYaml(more), ...Object.fromEntries(known) }
    await stage.commit(all, `${kind.name} ${n}`)
    await accepted.note()
  }
  /** To just before graft is asked for what the row is about. */
  async function approach(): Promise<void> {
    n += 1
    if (kind.before !== undefined) {
      await commit(kind.before(n))
      await stage.apply({ confirmed: true })
    }
    await commit(kind.after(n))
    await kind.byHand?.(stage)
  }
  const go = (kill: KillAt | null) => applyThrough(stage, proxy, kill, null, ['--confirm-removals'])

  beforeAll(async () => {
    stage = await setStage({ engineUrl: engine.url, deployment: 'volumes: {data: {}}\n' })
    proxy = await startEngineProxy(engine.url, proxySocket(stage))
    accepted = acceptedCommits(() => stage.judge(), stage.runDigest)
    await commit((kind.before ?? kind.after)(1))
    await stage.apply()
    await approach()
    const whole = await go(null)
    expect(await wrongAtEnd(await stage.containers()), whole.output).toEqual([])
    targets = targetsOf(whole)
    expect(targets.length).toBeGreaterThan(3)
  })
  afterAll(async () => {
    await proxy?.stop()
    await stage?.end()
  })

  function targetsOf({ calls }: CrashRun): typeof targets {
    const counts = new Map<string, number>()
    const ats: KillAt[] = []
    for (const call of calls.filter(({ changes }) => changes)) {
      const name = kindOf(call)
      const nth = (counts.get(name) ?? 0) + 1
      counts.set(name, nth)
      const at: KillAt = { count: 'kind', kind: name, call: nth, moment: 'after' }
      if (ats.length === 0) ats.push({ ...at, moment: 'before' })
      // How often a gate asks is chance.
      if (nth === 1 || !/exec|\/wait$/.test(name)) ats.push(at)
    }
    const restarts = kind.restarts === true ? RESTARTS : ([RESTARTS[0]] as const)
    return restarts.flatMap((restart) => ats.map((at) => ({ at, restart })))
  }

  async function wrongAtEnd(found: Found): Promise<readonly string[]> {
    const ends = kind.ends(n)
    const wrong: string[] = []
    for (const [name, generation] of Object.entries(ends)) {
      const one = found[name]
      if (one?.generation !== String(generation)) wrong.push(`${name} is ${one?.generation ?? 'not there'}`)
      else if (!name.endsWith('.failed') && !/stopped/.test(kind.name) && one.state !== 'running') {
        wrong.push(`${name} is ${one.state}`)
      } else if (one.state === 'running' && one.restartPolicy !== 'always') wrong.push(`${name}: ${one.restartPolicy}`)
    }
    const others = Object.keys(found).filter((name) => !(name in ends) && name !== 'migrate')
    if (others.length > 0) wrong.push(`left over: ${others.join(', ')}`)
    return wrong.length > 0 ? wrong : ((await kind.wrong?.(stage, found, n)) ?? [])
  }

  it(`${kind.name}: killed after every call that changes something`, { timeout: 7_200_000 }, async () => {
    const failures: string[] = []
    for (const { at, restart } of everyRow ? targets : sample.take(targets, SAMPLE.rows)) {
      await approach()
      const watch = watchEngine(stage, { ...kind.watched, accepted })
      const run = await go(at)
      const crashed = await stage.containers()
      const broken: string[] = []
      let again = watch
      if (restart !== 'no') {
        broken.push(...(await watch.stop()).broken)
        await (restart === 'engine killed' ? engine.kill() : engine.stop())
        await engine.start()
        // What the restart took down is not graft's doing.
        again = watchEngine(stage, { ...kind.watched, accepted })
      }
      const { results, turn } = await stage.apply({ confirmed: true })
      const seen = await again.stop()
      broken.push(...seen.broken)
      const after = await stage.containers()
      const trouble = [...broken, ...(await wrongAtEnd(after))]
      const row = [
        kind.name,
        run.killedAt === null ? `${at.moment} (ended first)` : at.moment,
        `${at.kind}${at.call > 1 ? ` (${at.call})` : ''}`,
        restart,
        Object.entries(crashed)
          .map(([name, { state }]) => `${name} ${state}`)
          .join(', '),
        trouble.length === 0 ? 'as declared' : trouble.join('; ').toUpperCase(),
      ]
      const outcomes = results.map(({ table, outcome }) => ({ table: table.id, ...outcome }))
      const found = { row, crashed, after, outcomes, verdicts: turn.plan.verdicts }
      const more = trouble.length === 0 ? '' : `${JSON.stringify(found, null, 1)}\n${run.output}`
      rows.add(row, more)
      if (more === '') continue
      failures.push(more)
      // The next row begins from what was declared, whatever became of this one.
      await stage.apply({ confirmed: true })
    }
    expect(failures.join('\n\n')).toBe('')
  })
})
