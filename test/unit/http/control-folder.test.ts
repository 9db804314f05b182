// The folder of the daemon's socket: one that somebody else could write into is not touched.

import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, it } from 'vitest'

import type { Daemon } from '../../../src/daemon/loop.ts'
import { serveControl } from '../../../src/http/control-server.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'graft-control-folder-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const daemon = {} as unknown as Daemon

it('a folder that all may write into is refused, and what lies there stays', async () => {
  const open = join(folder, 'graft-0')
  mkdirSync(open)
  chmodSync(open, 0o777)
  const socket = join(open, 'a.sock')
  writeFileSync(socket, 'precious')
  await expect(serveControl(socket, daemon)).rejects.toThrow('other users may write into')
  expect(existsSync(socket)).toBe(true)
})

it('a link in place of the folder is refused', async () => {
  mkdirSync(join(folder, 'elsewhere'), { mode: 0o700 })
  writeFileSync(join(folder, 'elsewhere', 'a.sock'), 'precious')
  symlinkSync(join(folder, 'elsewhere'), join(folder, 'graft-0'))
  await expect(serveControl(join(folder, 'graft-0', 'a.sock'), daemon)).rejects.toThrow('is a link, and no folder')
  expect(existsSync(join(folder, 'elsewhere', 'a.sock'))).toBe(true)
})
