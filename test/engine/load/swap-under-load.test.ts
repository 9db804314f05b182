// Swaps behind the ingress as clients see them: 16 HTTP clients that connect for each request, 16 that keep their
// connection and 4 long-lived TCP connections, all at full speed, and 8 whose connection is idle most of the time, while
// `graft run` brings about one generation after the other, good and bad. Not one request may fail; pauses are judged
// against the same clients without any swap.

import { Agent, get } from 'node:http'
import { createServer } from 'node:net'

import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'

import { freePort } from '../../../src/demo/free-port.ts'
import type { Seen } from '../stage/stage.ts'
import { startLoad, type Load, type LoadClass, type LoadResult } from './client.ts'
import { serviceLeaf, setLoadStage, type LoadStage, type ServiceWish } from './load-stage.ts'

const SWAPS = 20
const TOGETHER = 3
/** Milliseconds by which the longest pause may exceed that of the control run. */
const MORE = 100

let stage: LoadStage
const rows: string[][] = [
  ['', 'requests', 'failed', 'cut early', 'at its end', 'pause', 'one client', 'p99 fresh/kept'],
]

beforeAll(async () => {
  stage = await setLoadStage({ engineUrl: inject('engineUrl'), daemon: true })
})
afterAll(async () => {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)))
  console.log(['', ...rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')), ''].join('\n'))
  await stage?.end()
})

const CLASSES: readonly LoadClass[] = ['fresh', 'kept', 'long']
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const address = (port: number) => ({ host: '127.0.0.1', port })

function load(http: readonly number[], echo: readonly number[]): Load {
  return startLoad({ http: http.map(address), echo: echo.map(address), fresh: 16, kept: 16, idle: 8, long: 4 })
}

function note(name: string, result: LoadResult): void {
  const early = stage.early(result.ends).length
  const seconds = (result.until - result.since) / 1000
  const perClass = (of: 'pause' | 'onePause') => CLASSES.map((one) => result.classes[one][of].toFixed(0)).join('/')
  rows.push([
    `${name}, ${seconds.toFixed(0)} s`,
    `${result.tried}`,
    `${result.failed}`,
    `${early}`,
    `${result.ends.length - early}`,
    `${result.pause.toFixed(0)} (${perClass('pause')}) ms`,
    `${perClass('onePause')} ms`,
    `${result.classes.fresh.ms.p99.toFixed(0)}/${result.classes.kept.ms.p99.toFixed(0)} ms`,
  ])
}

/** Not one request lost, and no connection cut while its container was still to be served by. */
function expectNothingLost(result: LoadResult): void {
  expect(result.failures, log()).toEqual([])
  expect(result.failed).toBe(0)
  expect(stage.early(result.ends)).toEqual([])
  for (const one of CLASSES) expect(result.classes[one].succeeded, one).toBeGreaterThan(100)
}

function expectNoPause(result: LoadResult, control: LoadResult): void {
  for (const one of CLASSES)
    expect(result.classes[one].pause, `${one} clients`).toBeLessThan(control.classes[one].pause + MORE)
  expect(result.pause).toBeLessThan(control.pause + MORE)
}

const log = () => stage.log().slice(-4000)
const live = (seen: Record<string, Seen>, leaf: string, generation: number) =>
  seen[leaf]?.generation === String(generation) && seen[leaf].state === 'running'

/** Status and text. */
function answer(port: number, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ ...address(port), agent }, (response) => {
      let text = ''
      response.on('data', (part) => (text += String(part)))
      response.on('end', () => resolve(`${response.statusCode} ${text.trim()}`))
    }).on('error', reject)
  })
}

describe('one service', () => {
  let wish: Omit<ServiceWish, 'generation'>
  let generation = 0
  let clients: Load
  let control: LoadResult
  const commit = (more: Partial<ServiceWish> = {}) => {
    generation += 1
    return stage.commit({ 'shop.yaml': serviceLeaf({ ...wish, ...more, generation }) }, `shop ${generation}`)
  }

  beforeAll(async () => {
    wish = { leaf: 'shop', http: await freePort(), echo: await freePort() }
    await commit()
    await stage.settled((seen) => live(seen, 'shop', 1))
    clients = load([wish.http], [wish.echo ?? 0])
    await wait(2000)
    await clients.take()
  }, 60_000)
  afterAll(() => clients.stop())

  it(`loses nothing over ${SWAPS} generations`, async () => {
    for (let swap = 0; swap < SWAPS; swap++) {
      await commit()
      await stage.settled((seen) => live(seen, 'shop', generation))
    }
    await wait(500)
    const swapped = await clients.take()
    await wait(swapped.until - swapped.since)
    control = await clients.take()
    note(`${SWAPS} swaps of one service`, swapped)
    note('control', control)
    expectNothingLost(control)
    expectNothingLost(swapped)
    expect(swapped.ends.length).toBe(4 * SWAPS)
    expect(Object.keys(swapped.generations).length).toBe(SWAPS + 1)
    expectNoPause(swapped, control)
  }, 240_000)

  it('answers on a connection that was idle over a whole swap', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    try {
      expect(await answer(wish.http, agent)).toBe(`200 shop-${generation}`)
      await commit()
      await stage.settled((seen) => live(seen, 'shop', generation))
      expect(await answer(wish.http, agent)).toBe(`200 shop-${generation}`)
    } finally {
      agent.destroy()
      await clients.take()
    }
  })

  const failed = (seen: Record<string, Seen>) => seen['shop.failed']?.generation === String(generation)
  const SHORT = '{drain: 3s, deadline: 3s}'

  it.each<[string, Partial<ServiceWish>, (() => boolean) | null]>([
    ['crashes at once', { environment: { CRASH_AFTER: '0' }, update: SHORT }, null],
    ['crashes after 2 s', { environment: { CRASH_AFTER: '2000' }, update: '{drain: 5s}' }, null],
    ['is never healthy', { environment: { NEVER_HEALTHY: '1' }, update: SHORT }, null],
    ['turns unhealthy during drain', { environment: { UNHEALTHY_AFTER: '2000' }, update: '{drain: 8s}' }, null],
    ['has no image', { image: '127.0.0.1:9/absent:1' }, () => /absent:1/.test(stage.log())],
    ['wants an address that is not here', { ports: ['{target: 8080, published: 28999, host_ip: 192.0.2.1}'] }, null],
  ])('loses nothing while a generation comes that %s', async (name, more, seenInLog) => {
    const good = (await stage.containers())['shop']
    await commit(more)
    const seen = await stage.settled((now) => (seenInLog === null ? failed(now) : seenInLog()))
    await wait(500)
    const result = await clients.take()
    note(name, result)
    expect(seen['shop'], log()).toEqual(good)
    expectNothingLost(result)
    expectNoPause(result, control)
  })

  it('loses nothing while a generation wants a port that somebody holds', async () => {
    const good = (await stage.containers())['shop']
    const port = await freePort()
    const holder = createServer().listen(port, '127.0.0.1')
    try {
      await commit({ ports: [`{target: 8080, published: ${port}, host_ip: 127.0.0.1}`] })
      const seen = await stage.settled(failed)
      expect(seen['shop'], log()).toEqual(good)
      expect(stage.log()).toContain('cannot bind')
    } finally {
      holder.close()
    }
    const result = await clients.take()
    note('wants a port that is held', result)
    expectNothingLost(result)
    expectNoPause(result, control)
  })

  it('is swapped again after all of these', async () => {
    await commit()
    await stage.settled((seen) => live(seen, 'shop', generation))
    const result = await clients.take()
    note('a good one after them', result)
    expectNothingLost(result)
  })
})

describe('five services that switch together', () => {
  const names = ['one', 'two', 'three', 'four', 'five']
  const ports = new Map<string, { http: number; echo: number }>()
  const commit = (generation: number) => {
    const files = names.map((leaf) => {
      const at = ports.get(leaf) ?? { http: 0, echo: 0 }
      return [`parts/${leaf}.yaml`, serviceLeaf({ leaf, generation, ...at })]
    })
    return stage.commit({ 'parts/set.yaml': 'update: {together: true}\n', ...Object.fromEntries(files) })
  }
  const all = (generation: number) => (seen: Record<string, Seen>) =>
    names.every((leaf) => live(seen, leaf, generation))
  let clients: Load

  beforeAll(async () => {
    for (const leaf of names) ports.set(leaf, { http: await freePort(), echo: await freePort() })
    await commit(1)
    await stage.settled(all(1))
    const [http, echo] = [[...ports.values()].map((at) => at.http), [...ports.values()].map((at) => at.echo)]
    clients = load(http, echo)
    await wait(2000)
    await clients.take()
  }, 60_000)
  afterAll(() => clients.stop())

  it(`lose nothing over ${TOGETHER} generations`, async () => {
    for (let generation = 2; generation <= TOGETHER + 1; generation++) {
      await commit(generation)
      await stage.settled(all(generation), 60_000)
    }
    await wait(500)
    const swapped = await clients.take()
    await wait(swapped.until - swapped.since)
    const control = await clients.take()
    note(`${TOGETHER} swaps of five together`, swapped)
    note('control', control)
    expectNothingLost(control)
    expectNothingLost(swapped)
    expectNoPause(swapped, control)
  })
})
