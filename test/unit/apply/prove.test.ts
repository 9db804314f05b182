// After the switch, in virtual time: when the old container may go, and when the new one is blamed instead.

import { describe, expect, it } from 'vitest'

import { EngineFault, type Engine, type ProbeResult } from '../../../src/apply/engine.ts'
import { SpecFailure } from '../../../src/apply/outcome.ts'
import { prove } from '../../../src/apply/prove.ts'
import type { Behaviour } from '../../../src/engine/memory/behaviour.ts'
import { hostOf, leaf, leafIn, treeOf } from '../plan/build.ts'

const CHECK = 'healthcheck: {test: [CMD, ok], interval: 30s, timeout: 2s, retries: 2}'
const HTTP = 'healthcheck: {http: {port: 80, path: /up}, interval: 30s, retries: 2}'

/** A new one live under its policy, an old one retired. */
async function switched(yaml: string, fresh: Behaviour, old: Behaviour = {}, milliseconds = 10_000) {
  const tree = (generation: number) => treeOf({ web: leaf(generation, yaml) })
  const host = await hostOf(tree(1), { behaviour: old })
  const { engine, clock } = host
  const retired = await host.put(tree(1), 'web', { role: 'retired' })
  engine.addImage('app:2', { behaviour: fresh })
  const id = await host.put(tree(2), 'web')
  const closing = new AbortController()
  const probes: ProbeResult[] = []
  const begun = clock.now()
  const begin = (on: Engine = engine) =>
    prove({
      engine: on,
      clock,
      leaf: leafIn(tree(2), 'web'),
      id,
      restarts: 0,
      old: retired,
      milliseconds,
      closing: closing.signal,
      onProbe: (result) => probes.push(result),
    })
  const outcome = (work = begin()) => clock.run(work.catch((error: unknown) => error))
  return { engine, clock, id, retired, closing, probes, begin, outcome, elapsed: () => clock.now() - begun }
}

function without(engine: Engine, ...calls: (keyof Engine)[]): Engine {
  return new Proxy<Engine>(engine, {
    get: (target, key, receiver) =>
      calls.some((call) => call === key)
        ? () => Promise.reject(new EngineFault('unreachable', 'away', ''))
        : (Reflect.get(target, key, receiver) as unknown),
  })
}

describe('the old one may go', () => {
  it('when its last connection has ended, after half a second at the earliest', async () => {
    const { outcome } = await switched(CHECK, {})
    expect(await outcome()).toEqual({ how: 'idle', milliseconds: 500, open: 0 })
  })

  it('when its time is over, and how many it cuts is known', async () => {
    const { outcome, probes } = await switched(CHECK, {}, { connections: 3 })
    expect(await outcome()).toEqual({ how: 'time', milliseconds: 10_000, open: 3 })
    expect(probes.length).toBeGreaterThanOrEqual(9)
    expect(probes.length).toBeLessThanOrEqual(11)
  })

  it('when its time is over, where connections cannot be counted', async () => {
    const { outcome, begin, engine } = await switched(CHECK, {}, { connections: 3 })
    expect(await outcome(begin(without(engine, 'openConnections')))).toEqual({
      how: 'time',
      milliseconds: 10_000,
      open: null,
    })
  })

  it('when somebody has removed it', async () => {
    const { outcome, begin, engine, clock, retired } = await switched(CHECK, {}, { connections: 3 })
    const work = begin()
    await clock.advance(2000)
    await engine.remove(retired)
    expect(await outcome(work)).toMatchObject({ how: 'idle' })
  })

  it('or stays for the next start where graft is to end', async () => {
    const { outcome, begin, clock, closing } = await switched(CHECK, {}, { connections: 3 })
    const work = begin()
    await clock.advance(2000)
    closing.abort()
    expect(await outcome(work)).toEqual({ how: 'closing', milliseconds: 2000, open: 3 })
  })
})

describe('the new one is blamed', () => {
  it('at once where it exits, with exit code and log', async () => {
    const behaviour = { exitsAfter: 3000, exitCode: 9, output: ['one', 'two'] }
    const { outcome, elapsed } = await switched('restart: "no"', behaviour, { connections: 3 })
    const error = await outcome()
    expect(error).toBeInstanceOf(SpecFailure)
    expect(error).toMatchObject({ leaf: 'web', message: 'exited with code 9 after the switch', log: ['one', 'two'] })
    expect(elapsed()).toBeLessThan(4000)
  })

  it.each([CHECK, HTTP, ''])('where its policy brings it back after an exit (%s)', async (yaml) => {
    const { outcome, elapsed } = await switched(yaml, { exitsAfter: 3000, exitCode: 9 }, { connections: 3 })
    const error = await outcome()
    expect(error).toBeInstanceOf(SpecFailure)
    expect(error).toMatchObject({ message: expect.stringMatching(/exited/) })
    expect(elapsed()).toBeLessThan(4500)
  })

  it('where it exits a while after a call that was lost', async () => {
    const { outcome, begin, engine } = await switched(CHECK, { exitsAfter: 8000, exitCode: 3 }, { connections: 1 })
    let asked = 0
    const once: Engine = {
      ...engine,
      inspect: (id) =>
        ++asked === 3 ? Promise.reject(new EngineFault('unreachable', 'no answer', '')) : engine.inspect(id),
    }
    expect(await outcome(begin(once))).toBeInstanceOf(SpecFailure)
    expect(asked).toBeGreaterThan(3)
  })

  it('where it had been restarted before anybody looked', async () => {
    const { outcome } = await switched('', { exitsAfter: 800, exitCode: 9 }, { connections: 3 })
    expect(await outcome()).toBeInstanceOf(SpecFailure)
  })

  it.each([CHECK, HTTP])('where its check fails as often in a row as its leaf allows (%s)', async (yaml) => {
    const { outcome, elapsed } = await switched(yaml, { sickAfter: 4000, checkOutput: 'no' }, { connections: 3 })
    const error = await outcome()
    expect(error).toBeInstanceOf(SpecFailure)
    expect(error).toMatchObject({ message: 'its check failed after the switch: no' })
    expect(elapsed()).toBeGreaterThanOrEqual(4000)
    expect(elapsed()).toBeLessThan(5500)
  })

  it('where the engine finds it unhealthy', async () => {
    const yaml = 'healthcheck: {test: [CMD, ok], interval: 500ms, retries: 1}'
    const { outcome, engine, begin, elapsed } = await switched(yaml, { sickAfter: 3000 }, { connections: 3 })
    expect(await outcome(begin(without(engine, 'exec')))).toBeInstanceOf(SpecFailure)
    expect(elapsed()).toBeLessThan(4000)
  })

  it('also where it failed in the last moment of the drain', async () => {
    const { outcome } = await switched('restart: "no"', { exitsAfter: 1400, exitCode: 9 }, {})
    expect(await outcome()).toBeInstanceOf(SpecFailure)
  })
})

describe('nobody is blamed', () => {
  it('where a check fails less often in a row', async () => {
    const { outcome, engine, begin } = await switched(CHECK, {}, { connections: 3 })
    let calls = 0
    const flapping = new Proxy<Engine>(engine, {
      get: (target, key, receiver) =>
        key === 'exec'
          ? () => Promise.resolve({ healthy: calls++ % 2 === 0, output: '' })
          : (Reflect.get(target, key, receiver) as unknown),
    })
    expect(await outcome(begin(flapping))).toMatchObject({ how: 'time' })
    expect(calls).toBeGreaterThan(8)
  })

  it('where the engine goes down with everything', async () => {
    const { outcome, engine, begin, clock } = await switched(CHECK, {}, { connections: 3 })
    const work = begin()
    await clock.advance(2000)
    engine.restart()
    expect(await outcome(work)).toMatchObject({ how: 'idle' })
  })

  it.each<(keyof Engine)[]>([['exec'], ['inspect'], ['waitForExit'], ['exec', 'inspect', 'openConnections']])(
    'where the engine does not answer: %s',
    async (...calls) => {
      const { outcome, engine, begin } = await switched(CHECK, {}, { connections: 3 })
      expect(await outcome(begin(without(engine, ...calls)))).toMatchObject({ how: 'time' })
    },
  )

  it('where the engine went away and the new one is down since, the old one stays', async () => {
    const { outcome, engine, begin, clock } = await switched(CHECK, {}, { connections: 3 })
    const work = begin(without(engine, 'waitForExit'))
    await clock.advance(1500)
    engine.restart({ liveRestore: false })
    const [, web] = [...engine.world().containers.values()]
    if (web !== undefined) await engine.stop(web.id)
    expect(await outcome(work)).toMatchObject({
      name: 'EngineFault',
      message: expect.stringContaining('is down since'),
    })
  })

  it('where the engine restarted, and the new one runs again: it is watched on', async () => {
    const { outcome, engine, begin, clock } = await switched(CHECK, {}, { connections: 3 })
    const work = begin(without(engine, 'waitForExit'))
    await clock.advance(1500)
    engine.restart({ liveRestore: false })
    expect(await outcome(work)).toMatchObject({ open: 0 })
  })

  it('where it went down before anybody watched', async () => {
    const { outcome, engine, begin, id } = await switched(CHECK, {}, { connections: 3 })
    await engine.stop(id)
    expect(await outcome(begin())).toMatchObject({
      name: 'EngineFault',
      message: expect.stringContaining('while the names were switched'),
    })
  })

  it('where somebody stopped the new one', async () => {
    const { outcome, engine, begin, clock, id } = await switched(CHECK, {}, { connections: 3 })
    const work = begin()
    await clock.advance(1500)
    await engine.stop(id)
    expect(await outcome(work)).toMatchObject({ name: 'EngineFault', message: expect.stringContaining('stopped') })
  })

  it('where somebody paused or removed the new one: it is planned anew', async () => {
    for (const [act, kind] of [
      ['pause', 'engine'],
      ['remove', 'not-found'],
    ] as const) {
      const { outcome, engine, begin, clock, id } = await switched(CHECK, {}, { connections: 3 })
      const work = begin()
      await clock.advance(1500)
      await engine[act](id)
      expect(await outcome(work)).toMatchObject({ name: 'EngineFault', kind })
    }
  })
})
