// The daemon's socket, asked as commands on the host ask it.

import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, it } from 'vitest'

import type { Daemon } from '../../../src/daemon/loop.ts'
import { askRestart, askRetry, askStatus, askWake } from '../../../src/http/control-client.ts'
import { serveControl, type ControlServer } from '../../../src/http/control-server.ts'
import type { Status } from '../../../src/report/status.ts'

const status = { deployment: 'shop', notes: ['hello'] } as unknown as Status
let asked: string[]
let folder: string
let socket: string
let server: ControlServer

const daemon: Daemon = {
  ended: Promise.resolve(),
  wake: (reason) => void asked.push(`wake ${reason}`),
  pushed: () => void asked.push('pushed'),
  retry: (leaf) => void asked.push(`retry ${leaf}`),
  restart(name) {
    asked.push(`restart ${name}`)
    return name === 'once' ? { message: 'once is a job', remedy: 'write the next generation' } : { leaves: [name] }
  },
  confirmRemovals: () => false,
  approve: (commit, digest) => commit.startsWith('a') && digest === '0123456789ab',
  status: () => status,
}

beforeEach(async () => {
  asked = []
  folder = mkdtempSync(join(tmpdir(), 'graft-control-'))
  socket = join(folder, 'deep', 'daemon.sock')
  server = await serveControl(socket, daemon)
})
afterEach(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

it('answers, wakes, retries', async () => {
  expect(await askStatus(socket)).toEqual(status)
  expect(await askWake(socket)).toBe(true)
  expect(await askRetry(socket, 'web')).toBe(true)
  expect(asked).toEqual(['wake asked', 'retry web'])
})

it('takes a leaf or the path of a set for a restart, and says why not', async () => {
  expect(await askRestart(socket, 'web')).toEqual({ leaves: ['web'] })
  expect(await askRestart(socket, 'control/nova')).toEqual({ leaves: ['control/nova'] })
  expect(await askRestart(socket, 'once')).toMatchObject({ message: 'once is a job' })
  expect(asked).toEqual(['restart web', 'restart control/nova', 'restart once'])
})

it('is its owner’s alone, and nobody’s where no daemon listens', async () => {
  expect(statSync(socket).mode & 0o777).toBe(0o600)
  expect(await askRestart(join(folder, 'none.sock'), 'web')).toBeNull()
})
