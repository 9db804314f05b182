// One table from end to end: what a failure at each place undoes, what stays when cleaning up fails, and who is blamed.

import { describe, expect, it } from 'vitest'

import type { Engine } from '../../../src/apply/engine.ts'
import type { Tree } from '../../../src/desired/tree.ts'
import type { ImageDefinition } from '../../../src/engine/memory/behaviour.ts'
import { standing } from '../daemon/memory-stage.ts'
import { hostOf, job, leaf, planOf, treeOf, type Host } from '../plan/build.ts'
import { benchOn, done, execute, tableFor } from './bench.ts'
import { failing } from './failing.ts'

const VOLUME = 'volumes: ["data:/data"]\nhealthcheck: {test: [CMD, ok], interval: 1s}'
const VOLUMES = 'volumes: {data: {}}\n'
const db = (generation: number, more = '') => treeOf({ db: leaf(generation, `${VOLUME}\n${more}`) }, VOLUMES)
const web = (generation: number, more = '') => treeOf({ web: leaf(generation, more) })

async function ground(before: Tree | null, after: Tree, image: ImageDefinition = {}): Promise<Host> {
  const host = await hostOf(after, image)
  for (const name of before?.leaves.keys() ?? []) if (before !== null) await host.put(before, name)
  return host
}

describe('a swap', () => {
  it('ends with the new container live and the old one gone', async () => {
    const host = await ground(db(1), db(2))
    const bench = benchOn(host, db(2))
    const result = await host.clock.run(execute(await tableFor(host, db(2)), bench))
    expect(result).toMatchObject({ outcome: { kind: 'done' }, leftovers: [] })
    expect(standing(host.engine)).toEqual({ db: 'running g2 always' })
    expect(result.gates.get('db')).toBeTypeOf('number')
    expect(result.gaps.get('db')).toBeTypeOf('number')
    expect(await host.engine.rollbackTags('shop', 'db')).toHaveLength(1)
  })

  it('keeps the old container where the new one goes down at the last moment', async () => {
    const host = await ground(web(1), web(2, 'update: {drain: 1s}'))
    const after = web(2, 'update: {drain: 1s}')
    const tagging: Engine = new Proxy(host.engine, {
      get(target, key, receiver) {
        const value: unknown = Reflect.get(target, key, receiver)
        if (key !== 'tagImage' || typeof value !== 'function') return value
        return async (...args: unknown[]) => {
          await host.engine.stop('web')
          return Reflect.apply(value, target, args) as unknown
        }
      },
    })
    const result = await host.clock.run(execute(await tableFor(host, after), benchOn(host, after, tagging)))
    expect(result).toMatchObject({ outcome: { kind: 'done' }, leftovers: [expect.stringMatching(/^still-up: /)] })
    expect(standing(host.engine)).toMatchObject({ web: 'exited g2 always' })
    expect(Object.values(standing(host.engine))).toContain('running g1 no')
  })

  it('leaves an old container that it could not stop as it is, and keeps nothing of it', async () => {
    const after = web(2, 'update: {drain: 1s}')
    const host = await ground(web(1), after)
    const asked: string[] = []
    const counted: Engine = new Proxy(failing(host.engine, 'stop', false), {
      get(target, key, receiver) {
        if (key === 'remove' || key === 'capture') asked.push(key)
        return Reflect.get(target, key, receiver) as unknown
      },
    })
    const result = await host.clock.run(execute(await tableFor(host, after), benchOn(host, after, counted)))
    expect(result).toMatchObject({ outcome: { kind: 'done' }, leftovers: [expect.stringMatching(/^stop: /)] })
    expect(standing(host.engine)).toMatchObject({ web: 'running g2 always' })
    expect(Object.values(standing(host.engine))).toContain('running g1 no')
    expect(asked).toEqual([])
  })

  const positions = [
    ['findImage', 1],
    ['create', 1],
    ['setRestartPolicy', 1],
    ['stop', 1],
    ['start', 1],
    ['exec', 1],
    ['setRestartPolicy', 2],
    ['rename', 1],
    ['rename', 2],
  ] as const

  it.each(positions)('is taken back whole where %s number %i fails, with or without effect', async (call, nth) => {
    for (const takesEffect of [false, true]) {
      const host = await ground(db(1), db(2))
      const table = await tableFor(host, db(2))
      const bench = benchOn(host, db(2), failing(host.engine, call, takesEffect, nth))
      const result = await host.clock.run(execute(table, bench))
      expect(result.outcome).toEqual({
        kind: 'fault',
        message: `${call} failed`,
        remedy: 'It is tried again',
        replan: false,
      })
      expect(result.leftovers).toEqual([])
      expect(standing(host.engine)).toEqual({ db: 'running g1 always' })
    }
  })

  it('undoes backwards, the step that failed first', async () => {
    const host = await ground(db(1), db(2))
    const bench = benchOn(host, db(2), failing(host.engine, 'start', false))
    await host.clock.run(execute(await tableFor(host, db(2)), bench))
    expect(done(bench)).toEqual([
      'image app:2',
      'create db.next',
      'db: restart policy no',
      'stop db',
      'start db.next',
      '(stop db.next)',
      '(start db)',
      '(db: restart policy always)',
      '(discard db.next)',
    ])
  })

  it('tries every undo even when one fails, and says what is left', async () => {
    const host = await ground(db(1), db(2))
    const broken = failing(failing(host.engine, 'start', false, 1), 'setRestartPolicy', false, 2)
    const bench = benchOn(host, db(2), broken)
    const result = await host.clock.run(execute(await tableFor(host, db(2)), bench))
    expect(result.leftovers).toEqual(['restart-policy: setRestartPolicy failed'])
    expect(standing(host.engine)).toEqual({ db: 'running g1 no' })
  })

  it.each(['tagImage', 'stop', 'remove'])('stands even when %s fails in cleaning up, and says so', async (call) => {
    const host = await ground(web(1), web(2))
    const bench = benchOn(host, web(2), failing(host.engine, call, false))
    const result = await host.clock.run(execute(await tableFor(host, web(2)), bench))
    expect(result.outcome.kind).toBe('done')
    expect(result.leftovers).toEqual([expect.stringContaining(`${call} failed`)])
    expect(standing(host.engine)['web']).toBe('running g2 always')
  })
})

describe('who is blamed', () => {
  it.each<[string, ImageDefinition['behaviour'], string]>([
    ['exits', { exitsAfter: 200, exitCode: 3, healthyAfter: 'never', output: ['no such table'] }, 'exited with code 3'],
    ['cannot be run', { startError: 'no such file' }, 'no such file'],
    ['never gets healthy', { healthyAfter: 'never', checkOutput: 'not yet' }, 'not yet'],
  ])('a candidate that %s is kept as NAME.failed, and the old one runs', async (_how, behaviour, message) => {
    const host = await hostOf(db(1))
    await host.put(db(1), 'db')
    if (behaviour !== undefined) host.engine.addImage('app:2', { behaviour })
    const tree = db(2, 'update: {deadline: 5s}')
    const result = await host.clock.run(execute(await tableFor(host, tree), benchOn(host, tree)))
    expect(result.outcome).toMatchObject({ kind: 'failed', leaf: 'db', message: expect.stringContaining(message) })
    if (message.includes('code 3')) expect(result.outcome).toMatchObject({ log: ['no such table'] })
    expect(standing(host.engine)).toEqual({
      db: 'running g1 always',
      'db.failed': expect.stringMatching(/^(exited|created) g2 no$/),
    })
  })

  it('the failed one before makes room', async () => {
    const host = await hostOf(web(1))
    await host.put(web(1), 'web')
    const before = await host.put(web(2), 'web', { role: 'failed', state: 'exited' })
    host.engine.addImage('app:3', { behaviour: { exitsAfter: 10, exitCode: 1 } })
    await host.clock.run(execute(await tableFor(host, web(3)), benchOn(host, web(3))))
    expect(standing(host.engine)).toEqual({ web: 'running g1 always', 'web.failed': 'exited g3 no' })
    expect(await host.engine.inspect(before)).toBeNull()
  })

  it('an image that is not there blames nobody, and nothing has changed', async () => {
    const host = await hostOf(web(1))
    await host.put(web(1), 'web')
    const table = await tableFor(host, web(2))
    const result = await host.clock.run(execute(table, benchOn(host, web(2))))
    expect(result.outcome.kind).toBe('fault')
    expect(standing(host.engine)).toEqual({ web: 'running g1 always' })
  })

  it('what changed under the plan asks for another look', async () => {
    const host = await ground(null, web(1))
    const table = await tableFor(host, web(1))
    host.engine.addForeign('web.next', 'app:1')
    const result = await host.clock.run(execute(table, benchOn(host, web(1))))
    expect(result.outcome).toMatchObject({ kind: 'fault', replan: true })
    // Whose name it is decides: the undo of the failed creation left it alone.
    expect(standing(host.engine)).toEqual({ 'web.next': 'running g? no' })
  })
})

describe('a newer commit', () => {
  it('stops a candidate at its gate and leaves no trace of it', async () => {
    const slow = { behaviour: { healthyAfter: 60_000 } }
    const host = await ground(null, db(2), slow)
    await host.put(db(1), 'db')
    const bench = benchOn(host, db(2, 'update: {deadline: 5m}'))
    const run = execute(await tableFor(host, db(2)), bench)
    await host.clock.advance(2000)
    expect(standing(host.engine)).toMatchObject({ 'db.next': 'running g2 no' })
    bench.abort.abort('a newer commit changes db')
    const result = await host.clock.run(run)
    expect(result.outcome).toEqual({ kind: 'superseded', message: 'a newer commit changes db' })
    expect(standing(host.engine)).toEqual({ db: 'running g1 always' })
  })

  it('does not wait for a check that hangs', async () => {
    const host = await hostOf(db(2), {}, { durations: { exec: 25_000 } })
    const bench = benchOn(host, db(2))
    const run = execute(await tableFor(host, db(2)), bench)
    await host.clock.advance(1000)
    const asked = host.clock.now()
    bench.abort.abort('newer')
    let ended = 0
    void run.then(() => (ended = host.clock.now()))
    await host.clock.run(run)
    expect(ended - asked).toBeLessThan(1000)
  })
})

/** Turn after turn, until nothing is left to do. */
async function carryOutAll(host: Host, tree: Tree): Promise<void> {
  for (let turns = 0; turns < 5; turns++) {
    const { tables } = planOf(tree, await host.observe(tree))
    for (const table of tables) await host.clock.run(execute(table, benchOn(host, tree)))
  }
}

describe('a job', () => {
  const slow: ImageDefinition = { behaviour: { exitsAfter: 60_000 } }
  const sync = treeOf({ sync: job(1) })

  it('is marked as done, and its container stays for its log', async () => {
    const host = await ground(null, sync, { behaviour: { exitsAfter: 500 } })
    await host.clock.run(execute(await tableFor(host, sync), benchOn(host, sync)))
    expect(standing(host.engine)).toEqual({ sync: 'exited g1 no' })
    expect(host.engine.world().volumes.get('shop_sync.done-g1')).toMatchObject({ kind: 'job-done', generation: 1 })
  })

  it('that fails is kept, and is not marked', async () => {
    const host = await ground(null, sync, { behaviour: { exitsAfter: 500, exitCode: 4, output: ['boom'] } })
    const { outcome } = await host.clock.run(execute(await tableFor(host, sync), benchOn(host, sync)))
    expect(outcome).toEqual({ kind: 'failed', leaf: 'sync', message: 'exited with code 4', log: ['boom'] })
    expect(standing(host.engine)).toEqual({ 'sync.failed': 'exited g1 no' })
    expect(host.engine.world().volumes.has('shop_sync.done-g1')).toBe(false)
  })

  it('that does not end in time is stopped and kept', async () => {
    const short = treeOf({ sync: job(1, 'update: {deadline: 10s}') })
    const host = await ground(null, short, slow)
    const { outcome } = await host.clock.run(execute(await tableFor(host, short), benchOn(host, short)))
    expect(outcome).toMatchObject({ kind: 'failed', message: 'did not end within 10 s' })
    expect(standing(host.engine)).toEqual({ 'sync.failed': 'exited g1 no' })
  })

  it('is not blamed where somebody paused it', async () => {
    const tree = treeOf({ sync: job(1, 'update: {deadline: 5s}') })
    const host = await hostOf(tree, { behaviour: { exitsAfter: 2000 } })
    const work = execute(await tableFor(host, tree), benchOn(host, tree))
    await host.clock.advance(1000)
    host.engine.pause('sync.next')
    const result = await host.clock.run(work)
    expect(result.outcome).toMatchObject({ kind: 'fault', message: 'somebody paused the job sync' })
    expect(standing(host.engine)).toEqual({})
  })

  it('runs on when graft ends', async () => {
    const host = await ground(null, sync, slow)
    const bench = benchOn(host, sync)
    const run = execute(await tableFor(host, sync), bench)
    await host.clock.advance(1000)
    bench.close.abort()
    bench.abort.abort('graft is stopping')
    expect((await host.clock.run(run)).outcome.kind).toBe('superseded')
    expect(standing(host.engine)).toEqual({ 'sync.next': 'running g1 no' })
  })

  it('runs on when the engine does not answer for a moment', async () => {
    const host = await ground(null, sync, slow)
    const bench = benchOn(host, sync, failing(host.engine, 'waitForExit', false))
    const { outcome } = await host.clock.run(execute(await tableFor(host, sync), bench))
    expect(outcome).toMatchObject({ kind: 'fault', message: 'waitForExit failed' })
    expect(standing(host.engine)).toEqual({ 'sync.next': 'running g1 no' })
  })

  it.each([
    ['createMark', false],
    ['createMark', true],
    ['rename', false],
    ['rename', true],
  ] as const)('that is done stays so where %s fails (with its effect: %s)', async (call, takesEffect) => {
    const next = treeOf({ sync: job(2) })
    const host = await ground(sync, next, { behaviour: { exitsAfter: 500 } })
    await host.engine.createMark('shop', 'shop_sync.done-g1', 'sync', 1)
    await host.clock.advance(1_000)
    const bench = benchOn(host, next, failing(host.engine, call, takesEffect))
    const { outcome } = await host.clock.run(execute(await tableFor(host, next), bench))
    expect(outcome).toMatchObject({ kind: 'fault', message: `${call} failed` })
    expect(standing(host.engine)).toMatchObject({ 'sync.next': 'exited g2 no' })
    const [ran] = [...host.engine.world().containers.values()].filter(({ name }) => name === 'sync.next')
    await carryOutAll(host, next)
    expect(standing(host.engine)).toEqual({ sync: 'exited g2 no' })
    // It has not run again.
    expect([...host.engine.world().containers.keys()]).toEqual([ran?.id])
  })

  it('that is done stays so where that cannot be written down, though what goes with it is taken back', async () => {
    const together = (n: number) =>
      treeOf({ sync: job(n), web: leaf(n, 'environment: {STAYS: "1"}') }, 'update: {together: true}\n')
    const behaviour: ImageDefinition['behaviour'] = ({ environment }) =>
      environment['STAYS'] === undefined ? { exitsAfter: 500 } : {}
    const host = await ground(together(1), together(2), { behaviour })
    await host.engine.createMark('shop', 'shop_sync.done-g1', 'sync', 1)
    await host.clock.advance(1_000)
    const bench = benchOn(host, together(2), failing(host.engine, 'createMark', false))
    const { outcome } = await host.clock.run(execute(await tableFor(host, together(2)), bench))
    expect(outcome).toMatchObject({ kind: 'fault', message: 'createMark failed' })
    expect(standing(host.engine)).toEqual({
      sync: 'exited g1 no',
      'sync.next': 'exited g2 no',
      web: 'running g1 always',
    })
    const [ran] = [...host.engine.world().containers.values()].filter(({ name }) => name === 'sync.next')
    await carryOutAll(host, together(2))
    expect(standing(host.engine)).toEqual({ sync: 'exited g2 no', web: 'running g2 always' })
    expect([...host.engine.world().containers.keys()]).toContain(ran?.id)
  })

  it('is not blamed when the engine goes down with it', async () => {
    const host = await ground(null, sync, slow)
    const run = execute(await tableFor(host, sync), benchOn(host, sync))
    await host.clock.advance(1000)
    host.engine.restart()
    expect((await host.clock.run(run)).outcome.kind).toBe('fault')
    expect(standing(host.engine)).toEqual({ 'sync.next': 'exited g1 no' })
  })
})
