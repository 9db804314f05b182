// One graft per deployment on a host: whoever comes second is told who was first, even when both come at once.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { transformWithOxc } from 'vite'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'

import { takeLockFile } from '../../../src/daemon/lock-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'graft-lock-'))
const file = join(folder, 'state', 'lock')
const contender = join(folder, 'contender.mjs')

beforeAll(async () => {
  const source = new URL('../../../src/daemon/lock-file.ts', import.meta.url)
  const { code } = await transformWithOxc(readFileSync(source, 'utf8'), source.pathname)
  // Takes the lock at a set time, says how it went, and waits to be told to end.
  writeFileSync(
    contender,
    `${code}
const [, , file, at] = process.argv
await new Promise((resolve) => setTimeout(resolve, Number(at) - Date.now()))
const result = await takeLockFile(file, 'graft run')
process.stdout.write(result.taken ? 'taken' : 'refused')
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
`,
  )
})
beforeEach(() => rmSync(join(folder, 'state'), { recursive: true, force: true }))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('is taken once, says who has it, and is free again afterwards', async () => {
  const first = await takeLockFile(file, 'graft run')
  if (!first.taken) throw new Error('not taken')
  const second = await takeLockFile(file, 'graft apply')
  expect(second).toMatchObject({ taken: false, holder: { pid: process.pid, command: 'graft run' } })
  await first.release()
  expect((await takeLockFile(file, 'graft apply')).taken).toBe(true)
})

it('leaves a lock alone on release that is not its own any more', async () => {
  const first = await takeLockFile(file, 'graft run')
  if (!first.taken) throw new Error('not taken')
  const other = JSON.stringify({ pid: 1, started: 'x', command: 'graft run' })
  writeFileSync(file, other)
  await first.release()
  expect(readFileSync(file, 'utf8')).toBe(other)
})

it.each([
  ['a process that ended', () => ({ pid: spawnSync(process.execPath, ['-e', '']).pid, started: '1' })],
  ['a process whose number is used again', () => ({ pid: process.pid, started: '1' })],
])('replaces the lock of %s', async (_who, holder) => {
  await takeLockFile(file, 'x').then((lock) => (lock.taken ? lock.release() : undefined))
  writeFileSync(file, JSON.stringify({ ...holder(), command: 'graft run' }))
  expect((await takeLockFile(file, 'graft run')).taken).toBe(true)
  expect(readdirSync(join(folder, 'state'))).toEqual(['lock'])
})

it.each(['', '{', '[]', '{"pid": "x"}'])('replaces what is no lock: %j', async (text) => {
  await takeLockFile(file, 'x').then((lock) => (lock.taken ? lock.release() : undefined))
  writeFileSync(file, text)
  expect((await takeLockFile(file, 'graft run')).taken).toBe(true)
})

it.each([
  ['a free lock', null],
  ['a stale lock', JSON.stringify({ pid: 4_194_304, started: '1', command: 'graft run' })],
])(
  'of processes that race for %s exactly one gets it',
  async (_what, stale) => {
    for (let round = 0; round < 2; round++) {
      rmSync(join(folder, 'state'), { recursive: true, force: true })
      await takeLockFile(file, 'x').then((lock) => (lock.taken ? lock.release() : undefined))
      if (stale !== null) writeFileSync(file, stale)
      const at = String(Date.now() + 700)
      const racers = Array.from({ length: 6 }, () =>
        spawn(process.execPath, [contender, file, at], { stdio: ['pipe', 'pipe', 'inherit'] }),
      )
      const said = await Promise.all(
        racers.map(async ({ stdout }) => String(((await once(stdout, 'data')) as [Buffer])[0])),
      )
      for (const { stdin } of racers) stdin.end()
      await Promise.all(racers.map((racer) => (racer.exitCode === null ? once(racer, 'exit') : undefined)))
      expect(said.toSorted()).toEqual(['refused', 'refused', 'refused', 'refused', 'refused', 'taken'])
    }
  },
  30_000,
)
