// Events that are lost for minutes, and candidates that run out of memory. What nobody told of is found all the same,
// and what is live stays.

import { join } from 'node:path'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'

import { afterAll, beforeAll, expect, it, vi } from 'vitest'

import type { HostEngine } from '../../src/demo/host-engine.ts'
import { startDeafProxy, type DeafProxy } from './deaf-proxy.ts'
import { endure, type Fault } from './endure.ts'
import { faultTable } from './fault-table.ts'
import { faultEngine, pause, setScene, type Scene } from './scene.ts'

const table = faultTable('Events and memory')
let engine: HostEngine
let folder: string
let proxy: DeafProxy
let scene: Scene

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'graft-deaf-'))
  engine = await faultEngine('events')
  proxy = await startDeafProxy(engine.url, join(folder, 'engine.sock'))
  scene = await setScene({ engineUrl: engine.url, daemonEngineUrl: proxy.url })
})
afterAll(async () => {
  await scene?.end()
  await proxy?.stop()
  await engine?.stop()
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
})

const swallowed = async () => {
  expect(proxy.swallowed()).toBeGreaterThan(0)
  return `${proxy.swallowed()} bytes of events were swallowed`
}
const deaf = async () => {
  proxy.deaf = true
}
const hears = async () => {
  proxy.deaf = false
}
/** Takes all memory it is allowed, and is killed for it. */
const EATS = 'exec tail /dev/zero; '
const LIMIT = 'mem_limit: 24m\nmemswap_limit: 24m'
const policyOf = async (name: string) => (await scene.container(name).inspect()).HostConfig.RestartPolicy?.Name
const failedIds = async () =>
  Object.entries(await scene.containers())
    .filter(([name]) => name.endsWith('.failed'))
    .map(([name, { id }]) => `${name} ${id}`)

const faults: readonly (Fault & { readonly usually?: boolean; readonly failed?: boolean })[] = [
  {
    name: 'events are lost; a commit comes',
    begin: async () => {
      await deaf()
      await scene.next()
      await scene.asDeclared()
    },
    said: swallowed,
    end: hears,
    harmless: true,
  },
  {
    name: 'events are lost; what somebody kills comes back within a minute or so',
    begin: async () => {
      await deaf()
      await scene.container('store').kill()
      await scene.asDeclared(scene.generation(), 90_000)
    },
    said: swallowed,
    end: hears,
    harmless: true,
  },
  {
    name: 'events are lost; a restart policy that somebody changed is set right within six minutes or so',
    begin: async () => {
      await deaf()
      // The list of containers does not show it: only an inspection does.
      await scene.container('web').update({ RestartPolicy: { Name: 'no' } })
      await vi.waitFor(async () => expect(await policyOf('web')).toBe('always'), { timeout: 400_000, interval: 1_000 })
    },
    said: swallowed,
    end: hears,
    harmless: true,
  },
  {
    name: 'a start-first candidate runs out of memory',
    usually: true,
    failed: true,
    begin: () => scene.next({ before: EATS, web: LIMIT }),
    said: /"because":"([^"]*ran out of memory[^"]*)"/,
    end: () => scene.next(),
  },
  {
    name: 'a stop-first candidate runs out of memory: what ran comes back, and it is not tried again',
    failed: true,
    begin: async () => {
      await scene.next({ beforeStore: EATS, store: LIMIT })
      const tried = await vi.waitFor(async () => {
        const ids = await failedIds()
        expect(ids.some((text) => text.startsWith('store.failed'))).toBe(true)
        return ids
      }, 60_000)
      await pause(8_000)
      expect(await failedIds()).toEqual(tried)
      expect((await scene.containers())['store']).toMatchObject({ state: 'running', restartPolicy: 'always' })
    },
    said: /"because":"([^"]*ran out of memory[^"]*)"/,
    end: () => scene.next(),
  },
]

for (const fault of faults) {
  if (!table.takes(fault.name, fault.usually === true)) continue
  it(fault.name, { timeout: 500_000 }, () => endure(scene, table, fault))
}
