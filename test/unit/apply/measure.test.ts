// Played clients during a swap: what is counted, and for which ports.

import { describe, expect, it } from 'vitest'

import { beginMeasuring } from '../../../src/apply/measure.ts'
import type { Engine, ProbeResult } from '../../../src/apply/engine.ts'
import type { Tree } from '../../../src/desired/tree.ts'
import { hostOf, leaf, treeOf } from '../plan/build.ts'
import { benchOn, execute, tableFor } from './bench.ts'

const PORTS = 'ports: ["8080:80"]'
const web = (generation: number, more = PORTS) => treeOf({ web: leaf(generation, more) })

/** The tree with `update.measure` on each leaf. */
function measured(tree: Tree): Tree {
  const leaves = [...tree.leaves].map(
    ([name, one]) => [name, { ...one, update: { ...one.update, measure: true } }] as const,
  )
  return { ...tree, leaves: new Map(leaves) }
}

type Knock = (...args: Parameters<Engine['knock']>) => Promise<ProbeResult | null>

async function ground(knock: Knock, more = PORTS) {
  const host = await hostOf(web(1, more))
  await host.put(web(1, more), 'web')
  host.engine.addImage('app:2')
  const engine = new Proxy<Engine>(host.engine, {
    get: (target, key, receiver) => (key === 'knock' ? knock : (Reflect.get(target, key, receiver) as unknown)),
  })
  return { ...host, host, bench: benchOn(host, measured(web(2, more)), engine) }
}

const yes: ProbeResult = { healthy: true, output: '' }
const no: ProbeResult = { healthy: false, output: 'connection refused' }

describe('played clients', () => {
  it('come a hundred times a second, and what they lose is counted', async () => {
    let now = () => 0
    const { clock, bench } = await ground(() => Promise.resolve(now() >= 300 && now() < 500 ? no : yes))
    const begun = clock.now()
    now = () => clock.now() - begun
    const measuring = await beginMeasuring(['web'], bench)
    await clock.advance(1000)
    const seen = await clock.run(measuring.end())
    expect(seen.get('web')).toEqual({ port: '0.0.0.0:8080', tried: 101, lost: 20, longestPause: 210 })
  })

  it('come side by side: one that hangs does not keep the next from knocking', async () => {
    let asked = 0
    const { clock, bench } = await ground(async () => {
      asked++
      await clock.sleep(1000)
      return no
    })
    const measuring = beginMeasuring(['web'], bench)
    await clock.advance(995)
    expect(asked).toBe(100)
    const seen = await clock.run(measuring.then((one) => one.end()))
    expect(seen.get('web')?.lost).toBe(seen.get('web')?.tried)
  })

  it('knock at every port that stays, and the worst is told', async () => {
    const ports = 'ports: ["8080:80", "127.0.0.1:8081:81", "82", "8083:83/udp"]'
    const asked = new Set<number>()
    const { clock, bench } = await ground(async ({ published }) => {
      asked.add(published)
      return published === 8081 ? no : yes
    }, ports)
    const measuring = await beginMeasuring(['web'], bench)
    await clock.advance(100)
    expect((await clock.run(measuring.end())).get('web')).toMatchObject({ port: '127.0.0.1:8081', lost: 11 })
    expect([...asked].toSorted()).toEqual([8080, 8081])
  })

  it('ask for the path of an http check on the same port', async () => {
    const paths = new Set<string | undefined>()
    const more = `ports: ["8080:80", "8081:81"]\nhealthcheck: {http: {port: 80, path: /up}}`
    const { clock, bench } = await ground(async ({ published }, http) => {
      paths.add(`${published} ${http?.path ?? 'tcp'}`)
      return yes
    }, more)
    const measuring = await beginMeasuring(['web'], bench)
    await clock.run(measuring.end())
    expect([...paths].toSorted()).toEqual(['8080 /up', '8081 tcp'])
  })

  it('say nothing of a port that cannot be reached from here', async () => {
    const { clock, bench } = await ground(() => Promise.resolve(null))
    const measuring = await beginMeasuring(['web'], bench)
    await clock.advance(100)
    expect(await clock.run(measuring.end())).toEqual(new Map())
  })

  it('come only where they were asked for', async () => {
    const { bench } = await ground(() => Promise.resolve(yes))
    const plain = { ...bench, tree: web(2) }
    expect(await (await beginMeasuring(['web'], plain)).end()).toEqual(new Map())
    const all = await beginMeasuring(['web'], { ...plain, measure: true })
    expect([...(await all.end()).keys()]).toEqual(['web'])
  })
})

describe('a swap that is measured', () => {
  it('has what the clients saw in its result, from before the stop to its end', async () => {
    const { clock, bench, host, engine } = await ground(async () => {
      const live = await engine.inspect('web')
      const next = await engine.inspect('web.next')
      return live?.state === 'running' || next?.state === 'running' ? yes : no
    })
    engine.addImage('app:2', { behaviour: {} })
    const table = await tableFor(host, web(2))
    const slow = new Proxy<Engine>(bench.engine, {
      get(target, key, receiver) {
        if (key !== 'start') return Reflect.get(target, key, receiver) as unknown
        return async (id: string) => {
          await clock.sleep(400)
          await target.start(id)
        }
      },
    })
    const result = await clock.run(execute(table, { ...bench, engine: slow }))
    expect(result.outcome.kind).toBe('done')
    const seen = result.availability.get('web')
    expect(seen?.lost).toBeGreaterThanOrEqual(39)
    expect(seen?.lost).toBeLessThanOrEqual(41)
    expect(seen?.longestPause).toBeGreaterThanOrEqual(400)
    expect(seen?.longestPause).toBeLessThanOrEqual(420)
    // The gate of three seconds came after it.
    expect(seen?.tried).toBeGreaterThan(300)
  })
})
