// One graft per deployment and engine, whatever state folders they have.

import { mkdtemp, rm } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest'

import { holdDeployment, type Hold } from '../../src/daemon/hold-deployment.ts'
import { openStateFolder } from '../../src/daemon/state-folder.ts'
import { connectEngine, type EngineConnection } from '../../src/engine/connect.ts'
import { takeLock } from '../../src/engine/lock-container.ts'

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

async function hold(state: string): Promise<Hold> {
  const found = await holdDeployment(await openStateFolder(join(folder, state)), connection, DEPLOYMENT, 'graft run')
  held.push(found)
  return found
}

test('a second graft is refused, with the same state folder and with another one', async () => {
  expect(await hold('a')).toMatchObject({ held: true })
  expect(await hold('a')).toMatchObject({ held: false, because: expect.stringContaining('graft run (process') })
  expect(await hold('b')).toMatchObject({ held: false, because: expect.stringContaining('another state folder') })
})

test('what a graft of this host left that has died is taken over', async () => {
  const gone = { host: hostname(), pid: process.pid, startedAt: 1, started: '1' }
  expect(await takeLock(connection, DEPLOYMENT, gone, () => false)).toMatchObject({ taken: true })
  expect(await hold('a')).toMatchObject({ held: true })
})

test('a lock of another host is left alone, because nobody here can tell whether it lives', async () => {
  const other = { host: 'another-host', pid: 1, startedAt: 1, started: '1' }
  expect(await takeLock(connection, DEPLOYMENT, other, () => true)).toMatchObject({ taken: true })
  expect(await hold('a')).toMatchObject({ held: false, because: expect.stringContaining('another-host') })
})
