// The lock of a deployment on a real engine: one holder, whoever races for it, and a take-over of what is stale.

import { afterEach, beforeAll, beforeEach, afterAll, expect, inject, test } from 'vitest'
import { connectEngine, type EngineConnection } from '../../src/engine/connect.ts'
import { takeLock, type FoundLock, type HolderLife, type LockHolder } from '../../src/engine/lock-container.ts'

const NAME = 'graft.lock-test.lock'
let connection: EngineConnection

beforeAll(async () => {
  connection = await connectEngine(inject('engineUrl'))
})
beforeEach(removeAll)
afterEach(removeAll)
afterAll(() => connection.close())

async function removeAll(): Promise<void> {
  await connection.docker
    .getContainer(NAME)
    .remove({ force: true })
    .catch(() => {})
}

const holder = (pid: number): LockHolder => ({ host: 'alpha', pid, startedAt: 1_700_000_000_000 + pid })
const take = (pid: number, lifeOf: (lock: FoundLock) => HolderLife = () => 'lives') =>
  takeLock(connection, 'lock-test', holder(pid), lifeOf)

test('it is taken once, told who has it, and given back', async () => {
  const first = await take(1)
  if (!first.taken) throw new Error('not taken')
  expect(await take(2)).toEqual({ taken: false, holder: holder(1) })
  expect(await first.stillHeld()).toBe(true)
  const info = await connection.docker.getContainer(NAME).inspect()
  expect(info.State.Status).toBe('created')
  expect(info.Config.Labels).toMatchObject({ 'dev.graft.deployment': 'lock-test', 'dev.graft.kind': 'lock' })
  await first.release()
  await first.release()
  expect(await first.stillHeld()).toBe(false)
  expect(await take(2)).toMatchObject({ taken: true })
})

test('of many who race for it one has it', async () => {
  const results = await Promise.all(Array.from({ length: 8 }, (_, pid) => take(pid)))
  expect(results.filter((result) => result.taken)).toHaveLength(1)
})

test('of many who find it stale one takes it over, and the old holder sees that it is gone', async () => {
  const old = await take(1)
  if (!old.taken) throw new Error('not taken')
  const asked: number[] = []
  const results = await Promise.all(
    [2, 3, 4, 5].map((pid) =>
      take(pid, ({ holder: other }) => {
        asked.push(other.pid)
        return other.pid === 1 ? 'dead' : 'lives'
      }),
    ),
  )
  expect(asked).toContain(1)
  expect(results.filter((result) => result.taken)).toHaveLength(1)
  expect(await old.stillHeld()).toBe(false)
  // The new holder's lock is another container, which the old one does not take with it.
  await old.release()
  expect((await take(9)).taken).toBe(false)
})

test('a container of that name that is no lock is left alone, and named', async () => {
  await connection.docker.createContainer({ name: NAME, Image: 'graft-test/base:1', Cmd: ['true'] })
  await expect(take(1, () => 'dead')).rejects.toMatchObject({
    kind: 'name-taken',
    message: expect.stringContaining(NAME),
  })
  expect((await connection.docker.getContainer(NAME).inspect()).Config.Image).toBe('graft-test/base:1')
})

test('a beat is seen by whoever looks on, and ends with the lock', async () => {
  const first = await take(1)
  if (!first.taken) throw new Error('not taken')
  const seen: (number | null)[] = []
  const look = (lock: FoundLock): HolderLife => {
    seen.push(lock.beat)
    return 'lives'
  }
  await take(2, look)
  expect(await first.beat()).toBe('held')
  await take(2, look)
  expect(await first.beat()).toBe('held')
  await take(2, look)
  expect(seen).toEqual([0, 2, 3])
  await removeAll()
  expect(await first.beat()).toBe('gone')
})

test('what was taken from one who was only silent says so, and what was taken from a dead one does not', async () => {
  await take(1)
  expect(await take(2, () => 'dead')).toMatchObject({ taken: true, fromSilent: false })
  expect(await take(3, () => 'silent')).toMatchObject({ taken: true, fromSilent: true })
})
