// What a look at the engine in memory shows of what is somebody else's.

import { expect, test } from 'vitest'

import { virtualClock } from '../../../src/engine/memory/clock.ts'
import { memoryEngine } from '../../../src/engine/memory/memory-engine.ts'
import { lookAtWorld } from '../../invariants/look-memory.ts'

function ground() {
  const clock = virtualClock()
  const engine = memoryEngine({ clock })
  const id = engine.addForeign('theirs', 'other:1')
  const look = () => JSON.stringify([...(lookAtWorld(engine.world(), 'shop').foreign ?? [])])
  return { clock, engine, id, look }
}

test('a restart policy, a network, an image and a name count', async () => {
  for (const change of ['policy', 'network', 'image', 'name'] as const) {
    const { clock, engine, id, look } = ground()
    const before = look()
    const container = engine.world().containers.get(id)
    if (container === undefined) throw new Error('it was just made')
    if (change === 'policy') await clock.run(engine.setRestartPolicy(id, 'unless-stopped'))
    if (change === 'name') await clock.run(engine.rename(id, 'renamed'))
    if (change === 'network') container.running = { ...container.running, networks: { other: { aliases: [] } } }
    if (change === 'image') engine.world().containers.set(id, { ...container, imageId: 'sha256:other' })
    expect(look(), change).not.toBe(before)
  }
})

test('time, and an end by itself, do not', async () => {
  const { clock, engine, id, look } = ground()
  const before = look()
  await clock.advance(60_000)
  engine.kill(id)
  expect(look()).toBe(before)
})
