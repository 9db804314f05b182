// The host's clock is set by hours while the daemon works (libfaketime shifts it for the daemon and its children only):
// no candidate is given up early, nothing waits for hours, and connections keep the drain they were promised.

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, it } from 'vitest'

import { fetchPackages } from '../../src/demo/debian-packages.ts'
import { defaultCacheFolder } from '../../src/demo/host-system.ts'
import type { HostEngine } from '../../src/demo/host-engine.ts'
import { endure, type Fault } from './endure.ts'
import { faultTable } from './fault-table.ts'
import { faultEngine, pause, setScene, type Scene } from './scene.ts'

const table = faultTable('Clock of the daemon')
let engine: HostEngine
let folder: string
let scene: Scene

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'graft-clock-faults-'))
  engine = await faultEngine('clock')
  await setClock(0)
  const env = {
    LD_PRELOAD: await fakeTime(),
    FAKETIME_TIMESTAMP_FILE: join(folder, 'shift'),
    FAKETIME_NO_CACHE: '1',
    // As on a real host: setting the clock does not move the monotonic one.
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  }
  scene = await setScene({ engineUrl: engine.url, env })
})
afterAll(async () => {
  await scene?.end()
  await engine?.stop()
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
})

async function fakeTime(): Promise<string> {
  const { root } = await fetchPackages(
    { suite: 'host', packages: [{ name: 'libfaketime' }] },
    defaultCacheFolder(process.env),
  )
  const names = await readdir(root, { recursive: true })
  const library = names.find((name) => name.endsWith('/libfaketime.so.1'))
  if (library === undefined) throw new Error(`no libfaketime.so.1 in ${root}`)
  return join(root, library)
}

/** Hours that the daemon's clock is off by from now on. */
async function setClock(hours: number): Promise<void> {
  await writeFile(join(folder, 'shift'), `${hours >= 0 ? '+' : '-'}${Math.abs(hours)}h\n`)
}

/** How far the daemon's own log is off, in hours, as it says now. */
async function shift(): Promise<string> {
  const times = [...scene.log().matchAll(/"time":"([^"]+)"/g)].map(([, time]) => Date.parse(time ?? ''))
  const hours = Math.round(((times.at(-1) ?? Number.NaN) - Date.now()) / 3_600_000)
  return `its log is ${Math.abs(hours)} h ${hours < 0 ? 'behind' : 'ahead'}`
}

/** A candidate waits some seconds at its gate, and the clock is set meanwhile. */
const atGate = (hours: number, usually: boolean) => ({
  name: `set ${hours > 0 ? 'forwards' : 'back'} by ${Math.abs(hours)} hours while a candidate is at its gate`,
  usually,
  begin: async () => {
    await scene.next({ before: 'sleep 5; ' })
    await pause(2_500)
    expect(Object.keys(await scene.containers())).toContain('web.next')
    await setClock(hours)
    await scene.asDeclared()
    await expect
      .poll(shift, { timeout: 10_000 })
      .toBe(`its log is ${Math.abs(hours)} h ${hours < 0 ? 'behind' : 'ahead'}`)
  },
  said: shift,
  end: () => setClock(0),
  harmless: true,
})

const faults: readonly (Fault & { readonly usually?: boolean })[] = [
  atGate(5, true),
  atGate(-5, false),
  ...[30, -30].map((hours) => ({
    name: `set ${hours > 0 ? 'forwards' : 'back'} by ${Math.abs(hours)} hours; what somebody kills comes back`,
    begin: async () => {
      await setClock(hours)
      await pause(1_500)
      await scene.container('store').kill()
      await scene.asDeclared(scene.generation(), 15_000)
    },
    said: shift,
    end: () => setClock(0),
    harmless: true,
  })),
  {
    name: 'set forwards and back every half second, while two generations are swapped',
    begin: async () => {
      let going = true
      const jumping = (async () => {
        for (let hours = 7; going; hours = -hours) {
          await setClock(hours)
          await pause(500)
        }
      })()
      try {
        for (let swap = 0; swap < 2; swap++) {
          await scene.next({ before: 'sleep 2; ' })
          await scene.asDeclared(scene.generation(), 30_000)
        }
      } finally {
        going = false
        await jumping
      }
    },
    said: async () => 'nothing: it is not noticed',
    end: () => setClock(0),
    harmless: true,
  },
  {
    name: 'the daemon starts with a clock of three days ago',
    begin: async () => {
      await scene.endDaemon()
      await setClock(-72)
      await scene.next()
      scene.startDaemon()
      await scene.asDeclared(scene.generation(), 90_000)
    },
    said: shift,
    end: () => setClock(0),
    harmless: true,
  },
]

for (const fault of faults) {
  if (!table.takes(fault.name, fault.usually === true)) continue
  it(fault.name, { timeout: 200_000 }, async () => {
    await endure(scene, table, fault)
    expect(Object.keys(await scene.containers()).filter((name) => name.includes('failed'))).toEqual([])
  })
}
