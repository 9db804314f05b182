// The way back of a table: what is started again, and beside what it is not.

import { describe, expect, it } from 'vitest'

import { EngineFault, type Engine } from '../../../src/apply/engine.ts'
import type { Tree } from '../../../src/desired/tree.ts'
import { standing } from '../daemon/memory-stage.ts'
import { hostOf, leaf, treeOf } from '../plan/build.ts'
import { benchOn, execute, tableFor } from './bench.ts'
import { failing } from './failing.ts'

const VOLUME = 'volumes: ["data:/data"]\nhealthcheck: {test: [CMD, ok], interval: 1s}'
const db = (generation: number): Tree => treeOf({ db: leaf(generation, VOLUME) }, 'volumes: {data: {}}\n')

async function ground(before: Tree, after: Tree) {
  const host = await hostOf(after)
  await host.put(before, 'db')
  return host
}

describe('the way back', () => {
  it('starts the old one again only when a candidate that somebody started meanwhile is down', async () => {
    const host = await ground(db(1), db(2))
    const both: string[] = []
    const meddled: Engine = new Proxy(host.engine, {
      get(target, key, receiver) {
        const value: unknown = Reflect.get(target, key, receiver)
        if (key !== 'stop' || typeof value !== 'function') return value
        return async (id: string) => {
          await Reflect.apply(value, target, [id])
          if (both.length > 0) return
          both.push('asked')
          await host.engine.start('db.next')
          throw new EngineFault('engine', 'stop failed', 'It is tried again')
        }
      },
    })
    const started: Engine = new Proxy(meddled, {
      get(target, key, receiver) {
        const value: unknown = Reflect.get(target, key, receiver)
        if (key !== 'start' || typeof value !== 'function') return value
        return async (id: string) => {
          await Reflect.apply(value, target, [id])
          both.push(JSON.stringify(standing(host.engine)))
        }
      },
    })
    const result = await host.clock.run(execute(await tableFor(host, db(2)), benchOn(host, db(2), started)))
    expect(result.leftovers).toEqual([])
    expect(both).toEqual(['asked', JSON.stringify({ db: 'running g1 no', 'db.next': 'exited g2 no' })])
  })

  it('gives no policy back beside a candidate that may run', async () => {
    const host = await ground(db(1), db(2))
    // The gate fails, and then the candidate cannot be stopped.
    const broken = failing(failing(host.engine, 'exec', false), 'stop', false, 2)
    const result = await host.clock.run(execute(await tableFor(host, db(2)), benchOn(host, db(2), broken)))
    expect(result.leftovers).toContain('restart-policy: not sure that db.next is down')
    expect(standing(host.engine)['db']).toBe('exited g1 no')
  })

  it('starts the old one where only the remains of the new one stay', async () => {
    const host = await hostOf(db(1))
    await host.put(db(1), 'db', { role: 'failed', state: 'exited' })
    const old = await host.put(db(1), 'db', { role: 'retired', state: 'exited' })
    host.engine.addImage('app:2', { behaviour: { startError: 'no such file' } })
    await host.put(db(2), 'db', { state: 'created' })
    const bench = benchOn(host, db(2), failing(host.engine, 'remove', false))
    const result = await host.clock.run(execute(await tableFor(host, db(2)), bench))
    expect(result.outcome.kind).toBe('failed')
    expect(result.leftovers).toContain('discard: remove failed')
    expect((await host.engine.inspect(old))?.state).toBe('running')
  })
})
