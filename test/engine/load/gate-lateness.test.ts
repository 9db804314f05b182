// How much later than it is true the gate knows that a candidate is ready, for each kind of check, on a real engine.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

import { afterAll, beforeAll, expect, inject, it } from 'vitest'

import { systemClock } from '../../../src/apply/clock.ts'
import { passGate } from '../../../src/apply/gate.ts'
import type { Leaf, Tree } from '../../../src/desired/tree.ts'
import { inWords, median } from '../../bench/samples.ts'
import { setStage, type Stage } from '../stage/stage.ts'

const ROUNDS = 5
/** The folder of the test as the container sees it: `/shared/www` is served, and what it must not see yet is made later. */
const KINDS = {
  exec: {
    line: 'exec httpd -f -p 8080 -h /shared/www',
    check: '{test: ["CMD", "/bin/test", "-e", "/shared/www/ready"], interval: 1s, retries: 20}',
  },
  http: {
    line: 'exec httpd -f -p 8080 -h /shared/www',
    check: '{http: {port: 8080, path: /ready}}',
  },
  tcp: {
    // Opens its port when somebody writes into the pipe; that it takes some milliseconds counts against the gate.
    line: 'mkfifo /shared/pipe; read -r go </shared/pipe; exec httpd -f -p 8080 -h /shared/www',
    check: '{tcp: {port: 8080}}',
  },
} as const
type Kind = keyof typeof KINDS
const kinds: readonly Kind[] = ['exec', 'http', 'tcp']

let stage: Stage
let folder: string
beforeAll(async () => {
  stage = await setStage({ engineUrl: inject('engineUrl') })
  folder = await mkdtemp(join(tmpdir(), 'graft-gate-'))
})
afterAll(async () => {
  await stage?.end()
  await rm(folder, { recursive: true, force: true })
})

it('finds readiness with a median of 150 ms after it is true', async () => {
  await stage.commit(Object.fromEntries(kinds.map((kind) => [`${kind}.yaml`, leafText(kind)])))
  const { tree } = await stage.wish()
  for (const network of tree.networks.values()) await stage.engine.createNetwork(tree.name, network)
  const late: Record<Kind, number[]> = { exec: [], http: [], tcp: [] }
  for (let round = 0; round < ROUNDS; round++) {
    for (const kind of kinds) {
      const leaf = tree.leaves.get(kind)
      if (leaf === undefined) throw new Error(`no leaf ${kind}`)
      late[kind].push(await lateness(kind, leaf, tree, round))
    }
  }
  for (const kind of kinds) {
    console.log(
      `${kind}: known ${inWords(median(late[kind]))} after it is true (${inWords(Math.min(...late[kind]))} to ${inWords(Math.max(...late[kind]))}, ${ROUNDS} rounds)`,
    )
  }
  for (const kind of kinds) expect(median(late[kind]), kind).toBeLessThanOrEqual(150)
}, 300_000)

/** Milliseconds from readiness, after 0.5 to 5 s spread evenly over the rounds, until the gate lets it through. */
async function lateness(kind: Kind, leaf: Leaf, tree: Tree, round: number): Promise<number> {
  const { engine } = stage
  const shared = join(folder, kind)
  await rm(shared, { recursive: true, force: true })
  await mkdir(join(shared, 'www'), { recursive: true })
  const image = await engine.findImage(leaf.spec.image)
  if (image === null) throw new Error(`no ${leaf.spec.image}`)
  const name = `${tree.prefix}${kind}-${round}`
  const order = { name, tree, leaf, image, imageReference: leaf.spec.image, joins: new Map() }
  const id = await engine.create({ ...order, runDigest: stage.runDigest(leaf) })
  await engine.start(id)
  let ready = Number.NaN
  const after = 500 + (4_500 * (round + Math.random())) / ROUNDS
  const making = setTimeout(after).then(async () => {
    await (kind === 'tcp' ? writeFile(join(shared, 'pipe'), 'go\n') : writeFile(join(shared, 'www', 'ready'), ''))
    ready = Date.now()
  })
  const signal = new AbortController().signal
  await passGate({ engine, clock: systemClock, leaf, id, signal, onProbe: () => undefined })
  const known = Date.now()
  await making
  await engine.remove(id)
  return known - ready
}

function leafText(kind: Kind): string {
  const { line, check } = KINDS[kind]
  return [
    'generation: 1',
    'image: graft-test/base:1',
    `command: ${JSON.stringify(['/bin/sh', '-c', line])}`,
    `volumes: [${JSON.stringify(`${join(folder, kind)}:/shared`)}]`,
    `healthcheck: ${check}`,
  ].join('\n')
}
