// One holder at a time, in one process and among several; a dead holder does not keep the lock.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { withLock } from '../../../src/repository/cache-lock.ts'
import { forgetState, newFolder, readState, sweep, writeState } from '../../../src/repository/clone-state.ts'

let cache: string
const { signal } = new AbortController()
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'graft-cache-'))
})
afterEach(() => rmSync(cache, { recursive: true, force: true }))

it('lets one in at a time', async () => {
  let inside = 0
  let most = 0
  const task = async (): Promise<void> => {
    most = Math.max(most, ++inside)
    await pause(10)
    inside--
  }
  await Promise.all([1, 2, 3, 4].map(() => withLock(cache, signal, task)))
  expect(most).toBe(1)
  expect(readdirSync(cache)).toEqual([])
})

it('is given back after a failure', async () => {
  await expect(withLock(cache, signal, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await withLock(cache, signal, async () => 'yes')).toBe('yes')
})

it('is taken over from a process that is gone, or whose number another one has', async () => {
  const gone = spawnSync('true').pid
  for (const holder of [`${gone} 12345\n`, `${process.pid} 1\n`]) {
    writeFileSync(join(cache, 'lock'), holder)
    expect(await withLock(cache, signal, async () => 'mine')).toBe('mine')
  }
})

it('waits for one that lives, until it is told to stop', async () => {
  const held = withLock(cache, signal, () => pause(300))
  await pause(20)
  await expect(withLock(cache, AbortSignal.timeout(80), async () => 'never')).rejects.toThrow()
  expect(existsSync(join(cache, 'lock'))).toBe(true)
  await held
})

it('keeps the state whole, and for one repository only', () => {
  const state = {
    url: 'https://h/a',
    clone: newFolder(cache, 'clone'),
    tips: { 'refs/heads/main': '1'.repeat(40) },
    shallow: [],
  }
  writeState(cache, state)
  expect(readState(cache, 'https://h/a')).toEqual(state)
  expect(readState(cache, 'https://h/b')).toBeNull()
  for (const wrong of [
    '{',
    '{}',
    JSON.stringify({ ...state, clone: '../..' }),
    JSON.stringify({ ...state, tips: { a: 'x' } }),
  ]) {
    writeFileSync(join(cache, 'state.json'), wrong)
    expect(readState(cache, 'https://h/a')).toBeNull()
  }
  forgetState(cache)
  expect(readState(cache, 'https://h/a')).toBeNull()
})

it('sweeps its own folders and nothing else', () => {
  for (const name of ['clone-000000000001', 'clone-000000000002', 'fetch-000000000003', 'clone-mine', 'notes']) {
    writeFileSync(join(cache, name), '')
  }
  sweep(cache, 'clone-000000000002')
  expect(readdirSync(cache).toSorted()).toEqual(['clone-000000000002', 'clone-mine', 'notes'])
})
