// Somebody does the opposite by hand, again and again. graft mends what it can with growing pauses, never runs an
// exclusive container twice, and has everything as declared some time after that person has stopped.
// GRAFT_SEED=NUMBER does the same acts again.

import type Docker from 'dockerode'
import { afterAll, beforeAll, expect, it } from 'vitest'

import type { HostEngine } from '../../src/demo/host-engine.ts'
import { endure } from './endure.ts'
import { faultTable } from './fault-table.ts'
import { faultEngine, pause, setScene, type Scene } from './scene.ts'

const table = faultTable('Somebody at the engine')
const seed = Number(process.env['GRAFT_SEED'] ?? Date.now() % 1_000_000)
/** Seconds. */
const LASTS = 40

let engine: HostEngine
let scene: Scene

beforeAll(async () => {
  engine = await faultEngine('person')
  scene = await setScene({ engineUrl: engine.url })
})
afterAll(async () => {
  await scene?.end()
  await engine?.stop()
})

type Act = readonly [name: string, act: (container: Docker.Container) => Promise<unknown>]

const acts: readonly Act[] = [
  ['stop', (container) => container.stop({ t: 0 })],
  ['kill', (container) => container.kill()],
  ['pause', (container) => container.pause()],
  ['rm -f', (container) => container.remove({ force: true })],
  ['rename', (container) => container.rename({ name: `${scene.name}-odd-${Math.floor(random() * 1e6)}` })],
  ['update --restart no', (container) => container.update({ RestartPolicy: { Name: 'no' } })],
  ['update --memory', (container) => container.update({ Memory: 64 * 1024 ** 2, MemorySwap: 64 * 1024 ** 2 })],
  [
    'network disconnect',
    (container) =>
      scene.docker.getNetwork(`${scene.name}_default`).disconnect({ Container: container.id, Force: true }),
  ],
]
/** With these a person has two run by hand, so they are only done to what may run twice. */
const forTwo: readonly Act[] = [
  ['start', (container) => container.start()],
  ['restart', (container) => container.restart({ t: 0 })],
  ['update --restart always', (container) => container.update({ RestartPolicy: { Name: 'always' } })],
]

/** Numbers from 0 to 1 that are the same for one seed (Lehmer's generator). */
let state = (seed % 2_147_483_646) + 1
function random(): number {
  state = (state * 48_271) % 2_147_483_647
  return state / 2_147_483_647
}
function oneOf<T>(list: readonly T[]): T | undefined {
  return list[Math.floor(random() * list.length)]
}

async function meddle(seconds: number): Promise<Map<string, number>> {
  const done = new Map<string, number>()
  const until = performance.now() + seconds * 1000
  const filters = { label: [`dev.graft.deployment=${scene.name}`] }
  while (performance.now() < until) {
    const rows = await scene.docker.listContainers({ all: true, filters })
    const mine = rows.filter(({ Labels }) => ['web', 'store'].includes(Labels['dev.graft.leaf'] ?? ''))
    const row = oneOf(mine)
    const mayBeTwo = row?.Labels['dev.graft.leaf'] === 'web'
    const act = oneOf(mayBeTwo ? [...acts, ...forTwo] : acts)
    if (row !== undefined && act !== undefined) {
      const [name, work] = act
      const worked = await work(scene.docker.getContainer(row.Id)).then(
        () => true,
        () => false,
      )
      if (worked) done.set(name, (done.get(name) ?? 0) + 1)
    }
    await pause(100 + random() * 900)
  }
  return done
}

it('does the opposite of everything', { timeout: 900_000 }, async () => {
  console.log(`GRAFT_SEED=${seed}`)
  let done = new Map<string, number>()
  await endure(scene, table, {
    name: `somebody stops, kills, pauses, renames, removes, changes and disconnects for ${LASTS} s (seed ${seed})`,
    begin: async () => {
      const meddling = meddle(LASTS)
      for (const until = performance.now() + LASTS * 1000; performance.now() < until; await pause(9_000))
        await scene.next()
      done = await meddling
    },
    said: async () => {
      const acted = [...done].map(([name, count]) => `${count} × ${name}`).join(', ')
      const waits = (await scene.leaves()).map(({ because }) => because).find((because) => because.includes('mended'))
      return waits ?? acted
    },
    end: async () => undefined,
    excused: true,
    patience: 400_000,
  })
  expect(done.size).toBeGreaterThan(2)
  expect(scene.daemon().exitCode).toBeNull()
})
