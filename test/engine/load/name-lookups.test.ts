// What a client in the deployment's network sees that looks a service's name up 500 times a second while the service is
// swapped start-first, and that the renames cut no connection, neither of the old container nor of the new one.

import { readFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'

import type Docker from 'dockerode'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'

import { inWords, median } from '../../bench/samples.ts'
import { setStage, type Stage } from '../stage/stage.ts'
import { SERVICE_IMAGE, serviceImage } from './service-image.ts'

const SWAPS = 12
/** Milliseconds between two lookups. */
const EVERY = 2
/** Milliseconds around a rename within which a lookup may miss, on two busy cores. */
const AROUND = 50
/** Milliseconds for which an old container's connections are kept. */
const DRAIN = 1_000

interface Told {
  readonly asked: number
  readonly answered: number
  /** `at`: when it was asked, milliseconds since 1970. */
  readonly misses: readonly { readonly at: number; readonly code: number }[]
  readonly silent: readonly number[]
  readonly held: readonly Held[]
}

interface Held {
  readonly address: string
  readonly openedAt: number
  readonly echoes: number
  /** The longest echo, milliseconds. */
  readonly longest: number
  /** 0: it was open at the end. */
  readonly endedAt: number
  readonly how: string
}

let stage: Stage
beforeAll(async () => {
  stage = await setStage({ engineUrl: inject('engineUrl') })
  await serviceImage(stage.docker)
})
afterAll(() => stage?.end())

it('misses a name only in the moment between two renames, and cuts no connection', async () => {
  await stage.commit({ 'svc.yaml': leafText(1) })
  await stage.apply()
  const renames = await watchRenames()
  const client = await startClient(`${stage.name}-svc`)
  await setTimeout(1_500)
  const orders: (string | undefined)[] = []
  for (let swap = 1; swap <= SWAPS; swap++) {
    await stage.commit({ 'svc.yaml': leafText(swap + 1) })
    const { results } = await stage.apply()
    orders.push(results.find(({ table }) => table.id === 'svc')?.outcome.kind)
  }
  await setTimeout(500)
  const told = await client.end()
  const switches = renames.end()

  expect(orders).toEqual(Array.from({ length: SWAPS }, () => 'done'))
  expect(switches).toHaveLength(SWAPS)
  // It really asked: neither an idle client nor a server that was silent proves anything.
  expect(told.asked).toBeGreaterThan(SWAPS * 500)
  expect(told.answered).toBeGreaterThan(told.asked * 0.99)

  const spans = switches.map(([first, last]) => {
    const times = told.misses.map(({ at }) => at).filter((at) => at > first - AROUND && at < last + AROUND)
    return times.length === 0 ? 0 : Math.max(...times) - Math.min(...times) + EVERY
  })
  const near = (at: number): boolean => switches.some(([first, last]) => at > first - AROUND && at < last + AROUND)
  const missed = spans.filter((span) => span > 0)
  const longestEcho = Math.max(...told.held.map(({ longest }) => longest))
  console.log(
    [
      `${told.asked} lookups in ${SWAPS} swaps, ${told.misses.length} missed, ${told.silent.length} without an answer`,
      `${missed.length} of ${SWAPS} swaps had a miss; for how long: median ${inWords(median(missed))}, longest ${inWords(Math.max(0, ...missed))}`,
      `${told.held.length} connections held, longest echo ${inWords(longestEcho)}`,
    ].join('\n'),
  )
  expect(told.misses.filter(({ at }) => !near(at))).toEqual([])
  expect(told.silent.filter((at) => !near(at))).toEqual([])
  expect(Math.max(...spans)).toBeLessThanOrEqual(2 * AROUND)

  // One connection for each container that was live; each of them lasts until the drain of its own is over.
  expect(told.held).toHaveLength(SWAPS + 1)
  told.held.forEach(({ echoes, endedAt, how }, index) => {
    expect(echoes).toBeGreaterThan(50)
    const retired = switches[index]?.[1]
    if (retired === undefined) expect({ endedAt, how }).toEqual({ endedAt: 0, how: '' })
    else {
      expect(how).toBe('closed')
      expect(endedAt - retired).toBeGreaterThan(DRAIN * 0.9)
    }
  })
  // A container that is connected anew stalls for a quarter of a second; a rename is not felt.
  expect(longestEcho).toBeLessThan(200)
}, 300_000)

function leafText(generation: number): string {
  return [
    `generation: ${generation}`,
    `image: ${SERVICE_IMAGE}`,
    `environment: {GENERATION: "${generation}"}`,
    'healthcheck: {http: {port: 8080, path: /health}}',
    `update: {drain: ${DRAIN}ms}`,
    '',
  ].join('\n')
}

/** The first and the last rename of each switch, by the engine's own clock. */
async function watchRenames(): Promise<{ end(): (readonly [number, number])[] }> {
  const label = [`dev.graft.deployment=${stage.name}`]
  const options: Docker.GetEventsOptions = { filters: { type: ['container'], event: ['rename'], label } }
  const stream = await stage.docker.getEvents(options)
  let text = ''
  stream.on('data', (chunk) => (text += String(chunk)))
  stream.on('error', () => undefined)
  return {
    end() {
      if ('destroy' in stream && typeof stream.destroy === 'function') stream.destroy()
      const lines = text.split('\n').filter((line) => line !== '')
      const times = lines.map((line) => (JSON.parse(line) as { timeNano: number }).timeNano / 1e6)
      return times.flatMap((first, index) => (index % 2 === 0 ? [[first, times[index + 1] ?? first] as const] : []))
    },
  }
}

async function startClient(name: string): Promise<{ end(): Promise<Told> }> {
  const program = await readFile(new URL('name-client.cjs', import.meta.url), 'utf8')
  const container = await stage.docker.createContainer({
    name: `${stage.name}-asks`,
    Image: SERVICE_IMAGE,
    Entrypoint: ['/usr/local/bin/node', '-e', program, name, String(EVERY)],
    Labels: { 'dev.graft.deployment': stage.name },
    HostConfig: { NetworkMode: `${stage.name}_default`, Init: true },
  })
  await container.start()
  return {
    async end() {
      await container.kill({ signal: 'SIGTERM' })
      await container.wait()
      const log = String(await container.logs({ stdout: true, stderr: true }))
      const line = /\{"asked".*\}/.exec(log)?.[0]
      if (line === undefined) throw new Error(`the client said: ${log}`)
      return JSON.parse(line) as Told
    },
  }
}
