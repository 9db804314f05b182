// Full disks: the engine's, where images and containers lie, and graft's own state folder. Nothing that runs is lost for
// it, no spec is blamed, and what is declared runs when there is room again.

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Readable } from 'node:stream'

import { afterAll, beforeAll, expect, it, vi } from 'vitest'

import { engineClient } from '../../src/demo/engine-address.ts'
import type { HostEngine } from '../../src/demo/host-engine.ts'
import { startRegistry, type Registry } from '../../src/demo/registry.ts'
import { standInImage } from '../../src/demo/stand-in-images.ts'
import { endure, type Fault } from './endure.ts'
import { faultTable } from './fault-table.ts'
import { FAULTS_FOLDER, faultEngine, pause, setScene, type Scene } from './scene.ts'
import { smallDisk, type SmallDisk } from './small-disk.ts'

const table = faultTable('Disk')
let engine: HostEngine
let disk: SmallDisk
let stateDisk: SmallDisk
let folder: string
let registry: Registry
let scene: Scene
let logged = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'graft-disk-faults-'))
  // One that was left running would go on with the disk of the last time.
  const before = await faultEngine('disk')
  await before.stop()
  disk = await smallDisk(`${FAULTS_FOLDER}-disk/data`, 200)
  stateDisk = await smallDisk(`${FAULTS_FOLDER}-disk-state`, 8)
  engine = await faultEngine('disk')
  registry = await startRegistry({ folder })
  scene = await setScene({ engineUrl: engine.url, state: join(stateDisk.folder, 'graft') })
})
afterAll(async () => {
  await disk?.empty()
  await stateDisk?.empty()
  await scene?.end()
  await registry?.stop()
  await engine?.stop()
  await disk?.remove()
  await stateDisk?.remove()
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
})

/** A new image in the registry that is not on the engine. */
async function publish(tag: string): Promise<string> {
  const docker = engineClient(engine.url)
  const reference = `${registry.address}/app:${tag}`
  await standInImage(docker, { reference, files: { '/layer': { content: randomBytes(3_000_000) } } })
  await text((await docker.getImage(reference).push({ authconfig: {} })) as unknown as Readable)
  await docker.getImage(reference).remove()
  return reference
}

const HELD_BY =
  /"sync":"(?:held|out-of-sync)","state":"running","health":"[a-z]+","since":\d+,"container":\{[^}]*\},"because":"([^"]*(?:disk|space)[^"]*)"/
const REPOSITORY_FAULT = /"fault":\{"message":"([^"]+)/
/** What the status says by then, or that nothing was in the way. */
const whatever = async () => {
  const until = performance.now() + 8_000
  while (performance.now() < until) {
    const found = HELD_BY.exec(JSON.stringify(await scene.status()))?.[1]
    if (found !== undefined) return found
    const { web, store } = await scene.containers()
    const wanted = String(scene.generation())
    if (web?.generation === wanted && store?.generation === wanted) return '(there was room enough)'
    await pause(300)
  }
  return JSON.stringify((await scene.leaves()).map(({ name, because }) => [name, because]))
}

const faults: readonly (Fault & { readonly usually?: boolean })[] = [
  {
    name: 'the disk of the engine has no room for an image',
    usually: true,
    begin: async () => {
      const image = await publish('large')
      await disk.fill(1_000_000)
      await scene.next({ image })
    },
    said: HELD_BY,
    end: () => disk.empty(),
  },
  // Wherever in a swap the room ends.
  ...[0, 48, 96, 112, 128, 144, 160, 176, 192].map((left) => ({
    name: `${left} kB left on the disk of the engine`,
    begin: async () => {
      await disk.fill(left * 1024)
      await scene.next()
    },
    said: whatever,
    end: () => disk.empty(),
  })),
  {
    name: 'the disk of the engine is full, and a container dies',
    begin: async () => {
      await disk.fill(0)
      await scene.container('store').kill()
      await pause(3_000)
    },
    said: async () => JSON.stringify((await scene.leaves()).map(({ name, state, because }) => [name, state, because])),
    end: () => disk.empty(),
  },
  {
    name: 'the disk of the state folder is full when a commit comes',
    usually: true,
    begin: async () => {
      await stateDisk.fill(0)
      await scene.push({ 'noise.txt': randomBytes(60_000).toString('base64') })
      await scene.next()
      // What was seen last is still kept up.
      await scene.container('store').kill()
      await scene.asDeclared(scene.generation() - 1)
    },
    said: REPOSITORY_FAULT,
    end: () => stateDisk.empty(),
  },
  {
    name: 'the disk of the state folder is full while the daemon starts anew',
    begin: async () => {
      await scene.endDaemon()
      await stateDisk.fill(0)
      await scene.next()
      logged = scene.log().length
      scene.startDaemon()
    },
    said: async () => {
      const found = await vi.waitFor(() => {
        const words = /"msg":"([^"]*(?:space|ENOSPC)[^"]*)"/.exec(scene.log().slice(logged))?.[1]
        if (words === undefined) throw new Error(`nothing is said:\n${scene.log().slice(logged)}`)
        return words
      }, 60_000)
      return found
    },
    end: async () => {
      await stateDisk.empty()
      // As a service manager would.
      if (scene.daemon().exitCode !== null) scene.startDaemon()
    },
  },
]

for (const fault of faults) {
  if (!table.takes(fault.name, fault.usually === true)) continue
  it(fault.name, { timeout: 300_000 }, async () => {
    await endure(scene, table, fault)
    expect(Object.keys(await scene.containers()).filter((name) => name.includes('failed'))).toEqual([])
  })
}
