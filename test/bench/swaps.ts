// One service on a published port, replaced again and again while clients ask at full speed: what they lose, for how long
// nobody answers, and when the new version does. By graft with and without an ingress, by Compose and by Swarm.

import { get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

import { freePort } from '../../src/demo/free-port.ts'
import { startLoad } from '../engine/load/client.ts'
import { serviceImage } from '../engine/load/service-image.ts'
import type { Ground } from './ground.ts'
import { inWords, markdown, median, timed } from './samples.ts'
import { composeSwapper } from './swaps-compose.ts'
import { graftSwapper } from './swaps-graft.ts'
import { swarmHostSwapper, swarmIngressSwapper } from './swaps-swarm.ts'

/** Whoever runs a service that answers with its version on 127.0.0.1, and replaces it. */
export interface Swapper {
  readonly name: string
  /** One line on what it does. */
  readonly note: string
  /** Resolves when that version is wanted and, where somebody says so, done. */
  want(version: number): Promise<void>
  end(): Promise<void>
}

/** What keeps a contender from taking part on this machine, in words. */
export interface Absent {
  readonly name: string
  readonly reason: string
}

export type EnterSwapper = (ground: Ground, port: number) => Promise<Swapper | Absent>

export interface SwapFigures {
  readonly name: string
  readonly note: string
  readonly swaps: number
  readonly requests: number
  readonly lost: number
  /** Longest time without any answer, milliseconds. */
  readonly pause: number
  /** The same while nothing was going on. */
  readonly calm: number
  /** Milliseconds from the wish to the first answer of the new version. */
  readonly newVersion: readonly number[]
}

const FRESH = 8
const KEPT = 8
const CALM = 4_000
const BETWEEN = 1_000
const PATIENCE = 60_000

export async function swaps(
  ground: Ground,
  count: number,
  say: (text: string) => void,
): Promise<readonly (SwapFigures | Absent)[]> {
  await serviceImage(ground.docker)
  const all: EnterSwapper[] = [
    (on, port) => graftSwapper(on, port, 'ingress'),
    (on, port) => graftSwapper(on, port, 'host'),
    composeSwapper,
    swarmIngressSwapper,
    swarmHostSwapper,
  ]
  const results: (SwapFigures | Absent)[] = []
  for (const enter of all) {
    const port = await freePort()
    const swapper = await enter(ground, port)
    if ('reason' in swapper) {
      say(`under load: ${swapper.name} is left out: ${swapper.reason}`)
      results.push(swapper)
      continue
    }
    say(`under load: ${swapper.name}`)
    try {
      results.push(await underLoad(swapper, port, count))
    } finally {
      await swapper.end()
    }
  }
  return results
}

async function underLoad({ name, note, want }: Swapper, port: number, count: number): Promise<SwapFigures> {
  await want(1)
  await untilAnswers(port, 1)
  const load = startLoad({ http: [{ host: '127.0.0.1', port }], fresh: FRESH, kept: KEPT })
  const newVersion: number[] = []
  try {
    await sleep(BETWEEN)
    await load.take()
    await sleep(CALM)
    const calm = await load.take()
    for (let version = 2; version <= count + 1; version++) {
      const done = want(version)
      // One that fails must not leave the other waiting.
      const [{ ms }] = await Promise.all([timed(() => untilAnswers(port, version)), done])
      newVersion.push(ms)
      await sleep(BETWEEN)
    }
    const { tried, failed, pause } = await load.take()
    return { name, note, swaps: count, requests: tried, lost: failed, pause, calm: calm.pause, newVersion }
  } finally {
    await load.stop()
  }
}

async function untilAnswers(port: number, version: number): Promise<void> {
  for (const begun = performance.now(); (await answer(port)) !== String(version); await sleep(10))
    if (performance.now() - begun > PATIENCE) throw new Error(`version ${version} does not answer on port ${port}`)
}

/** What the service says on a connection of its own; null for no answer. */
export function answer(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, agent: false, timeout: 1_000 }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve(text.trim()))
      response.on('error', () => resolve(null))
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve(null))
    request.on('close', () => resolve(null))
  })
}

export function swapLines(results: readonly (SwapFigures | Absent)[]): string[] {
  const head = ['under load', 'swaps', 'requests', 'lost', 'longest pause', 'the same, no swap', 'wish to new version']
  const measured = results.filter((result): result is SwapFigures => !('reason' in result))
  const rows = measured.map(({ name, swaps: count, requests, lost, pause, calm, newVersion }) => [
    name,
    String(count),
    String(requests),
    String(lost),
    inWords(pause),
    inWords(calm),
    inWords(median(newVersion)),
  ])
  return [
    markdown(head, rows),
    '',
    `${FRESH} clients with a connection for each request and ${KEPT} that keep theirs, all at full speed; the last column is a median.`,
    ...results.map((result) =>
      'reason' in result
        ? `- ${result.name}: left out, because ${result.reason}.`
        : `- ${result.name}: ${result.note}.`,
    ),
  ]
}
