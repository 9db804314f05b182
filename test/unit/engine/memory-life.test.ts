// How containers in memory live in virtual time: exits, restart policies, health, engine restarts, interference.

import { expect, test } from 'vitest'
import { EngineFault } from '../../../src/apply/engine.ts'
import type { EngineEvent } from '../../../src/apply/engine.ts'
import type { Spec } from '../../../src/desired/spec.ts'
import type { ImageDefinition } from '../../../src/engine/memory/behaviour.ts'
import { virtualClock } from '../../../src/engine/memory/clock.ts'
import { memoryEngine, unreachable, type MemoryEngineOptions } from '../../../src/engine/memory/memory-engine.ts'
import { leafOf, treeOf } from '../../engine/contract/sample-tree.ts'

const IMAGE = 'graft-test/base:1'

async function ground(definition: ImageDefinition = {}, options: MemoryEngineOptions = {}) {
  const clock = virtualClock(0)
  const engine = memoryEngine({ clock, ...options })
  const image = engine.addImage(IMAGE, definition)
  for (const wish of treeOf('d', []).networks.values()) await engine.createNetwork('d', wish)
  const run = async (name: string, spec: Partial<Spec> = {}, policy = 'no') => {
    const leaf = leafOf(name, spec)
    const order = {
      name,
      tree: treeOf('d', [leaf]),
      leaf,
      image,
      imageReference: IMAGE,
      runDigest: '',
      joins: new Map(),
    }
    const id = await engine.create(order)
    await engine.setRestartPolicy(id, policy)
    await engine.start(id)
    return id
  }
  const look = async (id: string) => {
    const container = await engine.inspect(id)
    if (container === null) throw new Error('gone')
    return container
  }
  return { clock, engine, run, look }
}

test('a program that exits stays exited with policy no, and comes back with growing pauses with always', async () => {
  const { clock, run, look } = await ground({ behaviour: { exitsAfter: 1000, exitCode: 3 } })
  const once = await run('once')
  const always = await run('always', {}, 'always')
  const limited = await run('limited', {}, 'on-failure:2')
  await clock.advance(1000)
  expect(await look(once)).toMatchObject({ state: 'exited', exitCode: 3, finishedAt: 1000 })
  expect(await look(always)).toMatchObject({ state: 'restarting', restartCount: 0 })
  await clock.advance(100)
  expect(await look(always)).toMatchObject({ state: 'running', restartCount: 1, startedAt: 1100 })
  await clock.advance(1000)
  expect(await look(always)).toMatchObject({ state: 'restarting' })
  await clock.advance(199)
  expect(await look(always)).toMatchObject({ state: 'restarting' })
  await clock.advance(1)
  expect(await look(always)).toMatchObject({ state: 'running', restartCount: 2, startedAt: 2300 })
  await clock.advance(100_000)
  expect(await look(limited)).toMatchObject({ state: 'exited', restartCount: 2, exitCode: 3 })
})

test('what somebody stopped does not come back by itself', async () => {
  const { clock, engine, run, look } = await ground()
  const id = await run('web', {}, 'always')
  await engine.stop(id)
  const killed = await run('other', {}, 'always')
  engine.kill(killed)
  await clock.advance(100_000)
  expect(await look(id)).toMatchObject({ state: 'exited', exitCode: 143 })
  expect(await look(killed)).toMatchObject({ state: 'exited', exitCode: 137 })
})

test('a restart of the engine: always comes back even when stopped, unless-stopped and no stay down', async () => {
  const { engine, run, look } = await ground()
  const ids = new Map<string, string>()
  for (const policy of ['no', 'always', 'unless-stopped', 'on-failure']) ids.set(policy, await run(policy, {}, policy))
  const stopped = await run('stopped', {}, 'always')
  await engine.stop(stopped)
  engine.restart()
  const states = new Map<string, string>()
  for (const [policy, id] of ids) states.set(policy, (await look(id)).state)
  expect(Object.fromEntries(states)).toEqual({
    no: 'exited',
    always: 'running',
    'unless-stopped': 'exited',
    'on-failure': 'running',
  })
  expect(await look(stopped)).toMatchObject({ state: 'running' })
})

test('checks and the engine’s own health follow the script', async () => {
  const { clock, engine, run, look } = await ground({
    behaviour: { healthyAfter: 2500, sickAfter: 20_000, checkOutput: 'no such table' },
  })
  const id = await run('web', { healthcheck: { test: ['CMD', 'true'], interval: 1000, retries: 5 } })
  expect(await engine.exec(id, ['check'], 1000)).toEqual({ healthy: false, output: 'no such table' })
  expect(await look(id)).toMatchObject({ health: 'starting' })
  await clock.advance(2500)
  expect(await engine.exec(id, ['check'], 1000)).toEqual({ healthy: true, output: 'exit 0' })
  expect(await look(id)).toMatchObject({ health: 'starting' })
  await clock.advance(500)
  expect(await look(id)).toMatchObject({ health: 'healthy' })
  await clock.advance(17_000)
  expect(await engine.exec(id, ['check'], 1000)).toMatchObject({ healthy: false })
  expect(await look(id)).toMatchObject({ health: 'healthy' })
  await clock.advance(4000)
  expect(await look(id)).toMatchObject({ health: 'unhealthy' })
})

test('one that never gets healthy becomes unhealthy', async () => {
  const { clock, run, look } = await ground({ behaviour: { healthyAfter: 'never' } })
  const id = await run('web', { healthcheck: { test: ['CMD', 'true'], interval: 1000, retries: 3 } })
  await clock.advance(2999)
  expect(await look(id)).toMatchObject({ health: 'starting' })
  await clock.advance(1)
  expect(await look(id)).toMatchObject({ health: 'unhealthy', state: 'running' })
})

test('two cannot hold one host port; the second is created but does not start', async () => {
  const { engine, run, look } = await ground()
  const ports = [{ target: 80, published: 8080, protocol: 'tcp', mode: 'host' } as const]
  const first = await run('first', { ports })
  const fault: unknown = await run('second', { ports }).catch((error: unknown) => error)
  expect(fault).toMatchObject({ kind: 'engine', message: expect.stringContaining('port is already allocated') })
  const second = (await engine.observe('d', [])).containers.find(({ name }) => name === 'second')
  expect(second).toMatchObject({ state: 'created' })
  await engine.stop(first)
  await engine.start(second?.id ?? '')
  expect(await look(second?.id ?? '')).toMatchObject({ state: 'running', error: '' })
})

test('waits and events wake in virtual time, in order', async () => {
  const { clock, engine, run } = await ground({ behaviour: { exitsAfter: 5000, exitCode: 4 } })
  const controller = new AbortController()
  const events: EngineEvent[] = []
  const reading = (async () => {
    for await (const event of engine.events('d', controller.signal)) events.push(event)
  })()
  const id = await run('job')
  expect(await clock.run(engine.waitForExit(id, controller.signal))).toEqual({ exitCode: 4 })
  expect(clock.now()).toBe(5000)
  controller.abort()
  await clock.run(reading)
  expect(events.map(({ action, time }) => [action, time])).toEqual([
    ['create', 0],
    ['update', 0],
    ['start', 0],
    ['die', 5000],
  ])
})

test('a restart of the engine breaks what is open', async () => {
  const { clock, engine, run } = await ground()
  const id = await run('web')
  const signal = new AbortController().signal
  const waiting = engine.waitForExit(id, signal).catch((error: unknown) => error)
  const reading = (async () => {
    for await (const _ of engine.events('d', signal));
  })().catch((error: unknown) => error)
  await clock.advance(0)
  engine.restart()
  expect(await clock.run(waiting)).toMatchObject({ kind: 'unreachable' })
  expect(await clock.run(reading)).toMatchObject({ kind: 'unreachable' })
})

test('interference before a call keeps its effect away, after it does not', async () => {
  let broken: 'before' | 'after' | null = null
  const breakAt = (where: 'before' | 'after') => (call: string) => {
    if (broken === where && call === 'stop') throw unreachable()
  }
  const { engine, run, look } = await ground(
    {},
    { interference: { before: breakAt('before'), after: breakAt('after') } },
  )
  const id = await run('web')
  broken = 'before'
  await expect(engine.stop(id)).rejects.toBeInstanceOf(EngineFault)
  expect(await look(id)).toMatchObject({ state: 'running' })
  broken = 'after'
  await expect(engine.stop(id)).rejects.toMatchObject({ kind: 'unreachable' })
  expect(await look(id)).toMatchObject({ state: 'exited' })
})

test('pulls find what is published, take their time, and can be given up', async () => {
  const { clock, engine } = await ground()
  engine.publish('quay.io/a/b:1', { pullTakes: 3000 })
  expect(await engine.findImage('quay.io/a/b:1')).toBeNull()
  const controller = new AbortController()
  const given = engine.pullImage('quay.io/a/b:1', { signal: controller.signal }).catch((error: unknown) => error)
  await clock.advance(1000)
  controller.abort(new Error('a newer commit'))
  expect(await given).toMatchObject({ message: 'a newer commit' })
  expect(await engine.findImage('quay.io/a/b:1')).toBeNull()
  const image = await clock.run(engine.pullImage('quay.io/a/b:1', {}))
  expect(clock.now()).toBe(4000)
  expect(await engine.findImage('quay.io/a/b:1')).toEqual(image)
  engine.publish('quay.io/a/b:1', null)
  await expect(engine.pullImage('quay.io/a/b:1', {})).rejects.toMatchObject({
    kind: 'registry',
    message: 'quay.io has no image a/b:1 (manifest unknown)',
  })
})

test('work that waits for what never comes is told from work that takes long', async () => {
  const clock = virtualClock(0)
  await clock.run(clock.sleep(24 * 3600 * 1000))
  expect(clock.now()).toBe(24 * 3600 * 1000)
  await expect(clock.run(new Promise(() => {}))).rejects.toThrow('waits for what never comes')
})
