// The gate, in virtual time: when a candidate has proved itself, and when not.

import { describe, expect, it } from 'vitest'

import { EngineFault, type Engine, type ProbeResult } from '../../../src/apply/engine.ts'
import { passGate, pauseAfter } from '../../../src/apply/gate.ts'
import { SpecFailure, Superseded } from '../../../src/apply/outcome.ts'
import type { Behaviour } from '../../../src/engine/memory/behaviour.ts'
import type { MemoryEngineOptions } from '../../../src/engine/memory/memory-engine.ts'
import { hostOf, leaf, leafIn, treeOf } from '../plan/build.ts'

const CHECK = 'healthcheck: {test: [CMD, ok], interval: 30s, timeout: 2s}'

async function atGate(yaml: string, behaviour: Behaviour, durations: MemoryEngineOptions['durations'] = {}) {
  const tree = treeOf({ web: leaf(1, yaml) })
  const host = await hostOf(tree, { behaviour }, { durations })
  const web = leafIn(tree, 'web')
  const facts = await host.engine.findImage('app:1')
  if (facts === null) throw new Error('no image')
  const id = await host.engine.create({
    name: 'web.next',
    tree,
    leaf: web,
    image: facts,
    imageReference: 'app:1',
    runDigest: '',
    joins: new Map(),
  })
  await host.engine.start(id)
  const abort = new AbortController()
  const probes: ProbeResult[] = []
  const pass = (engine: Engine = host.engine) =>
    passGate({
      engine,
      clock: host.clock,
      leaf: web,
      id,
      signal: abort.signal,
      onProbe: (result) => probes.push(result),
    })
  /** Milliseconds it took, or what was thrown. */
  const outcome = (gate = pass()) => host.clock.run(gate.catch((error: unknown) => error))
  return { ...host, id, abort, probes, pass, outcome }
}

/** Numbers from 0 to 1 that are the same in each run (Lehmer's generator). */
function dice(seed: number): () => number {
  let state = seed
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}

describe('passes', () => {
  it('as soon as its check does, not at the next tick of its interval', async () => {
    const { outcome, probes } = await atGate(CHECK, { healthyAfter: 2000 })
    const took = await outcome()
    expect(took).toBeGreaterThanOrEqual(2000)
    expect(took).toBeLessThanOrEqual(3000)
    expect(probes.at(-1)).toEqual({ healthy: true, output: 'exit 0' })
    // Every 50 ms at first.
    expect(probes.length).toBeGreaterThan(35)
    expect(probes.length).toBeLessThan(45)
  })

  it('http and tcp checks likewise', async () => {
    for (const check of ['http: {port: 80, path: /up}', 'tcp: {port: 80}']) {
      const { outcome } = await atGate(`healthcheck: {${check}}`, { healthyAfter: 500 })
      expect(await outcome()).toBeLessThan(1200)
    }
  })

  it('without any check after staying up for three seconds, or as long as its leaf says', async () => {
    expect(await (await atGate('', {})).outcome()).toBe(3000)
    expect(await (await atGate('update: {settle: 7s}', {})).outcome()).toBe(7000)
    const off = await atGate('healthcheck: {disable: true}', {})
    expect(await off.outcome()).toBe(3000)
    expect(off.probes).toEqual([])
  })

  it('with settle, only after being healthy without a break', async () => {
    const settle = `${CHECK}\nupdate: {settle: 4s}`
    expect(await (await atGate(settle, {})).outcome()).toBeGreaterThanOrEqual(4000)
    const flapping = await atGate(settle, { sickAfter: 2000 })
    expect(await flapping.outcome()).toBeInstanceOf(SpecFailure)
  })
})

describe('the rhythm', () => {
  it('is 2 % of the time waited so far, from 50 ms up to 1 s', () => {
    expect([0, 2500, 5000, 20_000, 50_000, 600_000].map(pauseAfter)).toEqual([50, 50, 100, 400, 1000, 1000])
  })

  it.each([
    ['a command that costs 100 ms', CHECK, { exec: 100 }],
    ['an http check that costs 3 ms', 'healthcheck: {http: {port: 80, path: /up}}', { probe: 3 }],
    ['a tcp check that costs 3 ms', 'healthcheck: {tcp: {port: 80}}', { probe: 3 }],
  ])('finds out within 150 ms, in the median, with %s', async (_what, check, durations) => {
    const lateness: number[] = []
    const random = dice(7)
    for (let run = 0; run < 61; run++) {
      const healthyAfter = Math.round(300 + random() * 19_700)
      const took = await (await atGate(check, { healthyAfter }, durations)).outcome()
      lateness.push(Number(took) - healthyAfter)
    }
    lateness.sort((a, b) => a - b)
    expect(lateness[0]).toBeGreaterThanOrEqual(0)
    expect(lateness[30]).toBeLessThanOrEqual(150)
    expect(lateness.at(-1)).toBeLessThanOrEqual(600)
  })

  it('has one check in flight at a time', async () => {
    const { engine, outcome, pass } = await atGate(CHECK, { healthyAfter: 5000 }, { exec: 400 })
    let [now, most] = [0, 0]
    const counted = new Proxy<Engine>(engine, {
      get(target, key, receiver) {
        if (key !== 'exec') return Reflect.get(target, key, receiver) as unknown
        return async (...args: Parameters<Engine['exec']>) => {
          most = Math.max(most, ++now)
          return target.exec(...args).finally(() => now--)
        }
      },
    })
    expect(await outcome(pass(counted))).toBeGreaterThanOrEqual(5000)
    expect(most).toBe(1)
  })
})

describe('fails', () => {
  it('at once when it exits, with its exit code and the end of its log', async () => {
    const { outcome, clock } = await atGate(CHECK, {
      exitsAfter: 700,
      exitCode: 9,
      output: ['one', 'two'],
      healthyAfter: 'never',
    })
    const begun = clock.now()
    const error = await outcome()
    expect(error).toBeInstanceOf(SpecFailure)
    expect(error).toMatchObject({ leaf: 'web', message: 'exited with code 9', log: ['one', 'two'] })
    expect(clock.now() - begun).toBeLessThan(3000)
  })

  it('when its time is over, with what its check said last', async () => {
    const { outcome, clock } = await atGate(`${CHECK}\nupdate: {deadline: 20s}`, {
      healthyAfter: 'never',
      checkOutput: 'no such table',
    })
    const begun = clock.now()
    expect(await outcome()).toMatchObject({ message: 'not healthy within 20 s; last check: no such table' })
    expect(clock.now() - begun).toBeGreaterThanOrEqual(20_000)
    expect(clock.now() - begun).toBeLessThan(22_000)
  })

  it('when the engine says that it is unhealthy', async () => {
    const check = 'healthcheck: {test: [CMD, ok], interval: 1s, retries: 3}'
    const { outcome, clock } = await atGate(check, { healthyAfter: 'never', checkOutput: 'no' })
    const begun = clock.now()
    expect(await outcome()).toMatchObject({ message: 'its health check failed: no' })
    expect(clock.now() - begun).toBeLessThan(6000)
  })

  it('when it came back after an exit: a candidate that restarts has failed', async () => {
    const { engine, id, outcome, pass, clock } = await atGate(CHECK, { healthyAfter: 60_000, exitsAfter: 500 })
    const gate = pass()
    await clock.advance(500)
    await engine.start(id)
    const begun = clock.now()
    expect(await outcome(gate)).toBeInstanceOf(SpecFailure)
    expect(clock.now() - begun).toBeLessThan(5000)
  })
})

describe('blames nobody', () => {
  it('when somebody removed the candidate', async () => {
    const { engine, id, outcome, pass, clock } = await atGate(CHECK, { healthyAfter: 60_000 })
    const gate = pass()
    await clock.advance(100)
    await engine.remove(id)
    expect(await outcome(gate)).toMatchObject({ kind: 'not-found' })
  })

  it('when somebody stopped it, or a stop of graft itself came late', async () => {
    const { engine, id, outcome, pass, clock } = await atGate(CHECK, { healthyAfter: 60_000 })
    const gate = pass()
    await clock.advance(500)
    engine.kill(id, 0)
    expect(await outcome(gate)).toMatchObject({ kind: 'engine', message: expect.stringContaining('somebody stopped') })
  })

  it('when somebody paused it just before its time was up', async () => {
    const { outcome, pass, clock, engine, id } = await atGate(
      'healthcheck: {tcp: {port: 80}}\nupdate: {deadline: 20s}',
      { healthyAfter: 'never' },
    )
    const gate = pass()
    gate.catch(() => undefined)
    await clock.advance(19_900)
    engine.pause(id)
    expect(await outcome(gate)).toMatchObject({
      message: 'somebody paused the candidate of web at its gate',
    })
  })

  it('when somebody paused it', async () => {
    const { engine, id, outcome, pass, clock } = await atGate(CHECK, { healthyAfter: 60_000 })
    const gate = pass()
    await clock.advance(100)
    engine.pause(id)
    const error = await outcome(gate)
    expect(error).toBeInstanceOf(EngineFault)
    expect(error).toMatchObject({ kind: 'engine', message: 'somebody paused the candidate of web at its gate' })
  })

  it('when the engine itself went down meanwhile', async () => {
    const { engine, outcome, pass, clock } = await atGate(CHECK, { healthyAfter: 60_000 })
    const gate = pass()
    await clock.advance(100)
    engine.restart()
    expect(await outcome(gate)).toMatchObject({ kind: 'unreachable' })
  })

  it('when the engine does not answer', async () => {
    const { engine, outcome, pass } = await atGate(CHECK, {})
    const away = new Proxy<Engine>(engine, {
      get(target, key, receiver) {
        if (key !== 'exec') return Reflect.get(target, key, receiver) as unknown
        return () => Promise.reject(new EngineFault('unreachable', 'away', 'See'))
      },
    })
    expect(await outcome(pass(away))).toMatchObject({ kind: 'unreachable' })
  })

  it('when a newer commit wants something else, even while a check hangs', async () => {
    const { abort, outcome, pass, clock } = await atGate(CHECK, {}, { exec: 60_000 })
    const gate = pass()
    await clock.advance(1000)
    abort.abort('a newer commit changes web')
    const asked = clock.now()
    expect(await outcome(gate)).toEqual(new Superseded('a newer commit changes web'))
    expect(clock.now() - asked).toBeLessThan(100)
  })
})
