// One graft per deployment and engine, whatever state folders they have.

import { mkdtemp, rm } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest'

import { holdDeployment, type Hold } from '../../src/daemon/hold-deployment.ts'
import { describeHolder } from '../../src/daemon/lock-life.ts'
import { openStateFolder } from '../../src/daemon/state-folder.ts'
import { connectEngine, type EngineConnection } from '../../src/engine/connect.ts'
import { takeLock, type LockHolder, type LockResult } from '../../src/engine/lock-container.ts'

const DEPLOYMENT = 'hold-test'
let connection: EngineConnection
let folder: string
const held: Hold[] = []

beforeAll(async () => {
  connection = await connectEngine(inject('engineUrl'))
  folder = await mkdtemp(join(tmpdir(), 'graft-hold-'))
})
afterEach(async () => {
  for (const hold of held.splice(0)) if (hold.held) await hold.release()
  await connection.docker
    .getContainer(`graft.${DEPLOYMENT}.lock`)
    .remove({ force: true })
    .catch(() => {})
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
  connection.close()
})

const STALE_AFTER = 1_200

async function hold(state: string, tell: (words: string) => void = () => {}): Promise<Hold> {
  const options = { command: 'graft run', host: hostname(), staleAfter: STALE_AFTER, tell }
  const found = await holdDeployment(await openStateFolder(join(folder, state)), connection, DEPLOYMENT, options)
  held.push(found)
  return found
}

/** A graft in another place, whose processes cannot be seen from here. */
const afar: LockHolder = {
  host: 'another-host',
  pid: process.pid,
  startedAt: 1,
  started: '1',
  place: 'another boot',
  home: 'another folder',
  staleAfter: STALE_AFTER,
}

async function takenFromAfar(holder = afar): Promise<Extract<LockResult, { taken: true }>> {
  const taken = await takeLock(connection, DEPLOYMENT, holder, () => 'lives')
  if (!taken.taken) throw new Error('not taken')
  return taken
}

test('a second graft is refused, with the same state folder and with another one', async () => {
  expect(await hold('a')).toMatchObject({ held: true })
  expect(await hold('a')).toMatchObject({ held: false, because: expect.stringContaining('graft run (process') })
  expect(await hold('b')).toMatchObject({ held: false, because: expect.stringContaining('another state folder') })
})

test('what a graft of this host left that has died is taken over at once', async () => {
  const gone = { host: hostname(), pid: process.pid, startedAt: 1, started: '1' }
  expect(await takeLock(connection, DEPLOYMENT, gone, () => 'lives')).toMatchObject({ taken: true })
  const before = performance.now()
  expect(await hold('a')).toMatchObject({ held: true })
  expect(performance.now() - before).toBeLessThan(STALE_AFTER)
})

test('what a graft of this state folder left is taken over at once after a reboot, too', async () => {
  const state = await openStateFolder(join(folder, 'a'))
  const own = await describeHolder(hostname(), STALE_AFTER, await state.hostKey())
  await takenFromAfar({ ...own, place: 'the boot before', pid: 1 })
  const before = performance.now()
  expect(await hold('a')).toMatchObject({ held: true })
  expect(performance.now() - before).toBeLessThan(STALE_AFTER)
})

test('a lock of another host that never beat is left alone, because nobody here can tell whether it lives', async () => {
  await takenFromAfar()
  expect(await hold('a')).toMatchObject({ held: false, because: expect.stringContaining('another-host') })
})

test('a lock of another host that beats is left alone, and one that is silent is taken over after a while', async () => {
  const told: string[] = []
  const other = await takenFromAfar()
  await other.beat()
  const beats = setInterval(() => void other.beat(), STALE_AFTER / 6)
  try {
    expect(await hold('a')).toMatchObject({ held: false, because: expect.stringContaining('another-host') })
  } finally {
    clearInterval(beats)
  }
  const before = performance.now()
  const taken = await hold('a', (words) => told.push(words))
  const took = performance.now() - before
  expect(taken).toMatchObject({ held: true })
  // Silent for as long as it may be, and the time after that in which it may still think that it holds it.
  expect(took).toBeGreaterThan(STALE_AFTER * 1.3)
  expect(took).toBeLessThan(STALE_AFTER * 4)
  expect(told).toEqual([
    expect.stringContaining('waits whether graft on host another-host'),
    expect.stringContaining('took the lock'),
  ])
  expect(await other.beat()).toBe('gone')
})

test('who lost the lock is not sure of it any more, and gets it back when it is free and nothing is in hand', async () => {
  const first = await hold('a')
  if (!first.held) throw new Error('not held')
  await first.sure()
  // Long silent, as a process that is stopped: its clock went on, and another one took the lock.
  const lock = connection.docker.getContainer(`graft.${DEPLOYMENT}.lock`)
  const { Id: id } = await lock.inspect()
  const other = await takeLock(connection, DEPLOYMENT, afar, () => 'dead')
  if (!other.taken) throw new Error('not taken')
  expect((await connection.docker.getContainer(`graft.${DEPLOYMENT}.lock`).inspect()).Id).not.toBe(id)
  // Its next beat, or the end of the time for which it needs no look, tells.
  await new Promise((resolve) => setTimeout(resolve, STALE_AFTER / 2))
  await expect(first.sure()).rejects.toMatchObject({ message: expect.stringContaining('was lost') })
  await expect(first.renew()).rejects.toMatchObject({ message: expect.stringContaining('another-host') })
  await other.release()
  await expect(first.renew(() => false)).rejects.toMatchObject({ message: expect.stringContaining('still ending') })
  await expect(first.sure()).rejects.toMatchObject({ message: expect.stringContaining('was lost') })
  await first.renew(() => true)
  await first.sure()
})

test('a lock that somebody pruned is taken again at once', async () => {
  const first = await hold('a')
  if (!first.held) throw new Error('not held')
  await connection.docker.getContainer(`graft.${DEPLOYMENT}.lock`).remove({ force: true })
  await new Promise((resolve) => setTimeout(resolve, STALE_AFTER / 2))
  await first.sure()
  expect(await hold('b')).toMatchObject({ held: false })
})

test('while it is held it beats', async () => {
  await hold('a')
  const beat = async () =>
    (await connection.docker.getContainer(`graft.${DEPLOYMENT}.lock`).inspect()).HostConfig.CpuShares ?? 0
  await new Promise((resolve) => setTimeout(resolve, 100))
  const first = await beat()
  expect(first).toBeGreaterThan(0)
  await new Promise((resolve) => setTimeout(resolve, STALE_AFTER))
  expect(await beat()).toBeGreaterThan(first + 2)
})
