// Checks inside and from outside, open connections and events, on a real engine.

import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest'
import { EngineFault } from '../../src/apply/engine.ts'
import type { EngineEvent, ProbeTarget } from '../../src/apply/engine.ts'
import { engineClient } from '../../src/demo/engine-address.ts'
import { connectEngine, type EngineConnection } from '../../src/engine/connect.ts'
import { engineEvents } from '../../src/engine/events.ts'
import { execOnce } from '../../src/engine/exec.ts'
import { openConnections } from '../../src/engine/open-connections.ts'
import { probeContainer } from '../../src/engine/probe-container.ts'
import { removeThrowaways, runThrowaway } from './throwaway-containers.ts'

const IMAGE = 'graft-test/base:1'
const run = (script: string, more: object = {}, host: object = {}) => runThrowaway(connection, script, more, host)
/** busybox, like the helper's usual image. */
const SETTINGS = { helperImage: IMAGE }
/** What the test does by hand. */
const docker = engineClient(inject('engineUrl'))
let connection: EngineConnection

beforeAll(async () => {
  connection = await connectEngine(inject('engineUrl'))
})
afterEach(() => removeThrowaways(connection))
afterAll(() => connection.close())

const exec = (id: string, script: string, timeout = 5000) => execOnce(connection, id, ['sh', '-c', script], timeout)

/** A tiny HTTP server of busybox; `/cgi-bin/CODE` answers with that status, and redirects lead to `/`. */
const WEB = [
  'mkdir -p /www/cgi-bin; echo hello > /www/index.html',
  'for code in 302 503; do',
  '  echo "#!/bin/sh" > /www/cgi-bin/$code',
  '  echo "printf \'HTTP/1.1 $code Sorry\\r\\nLocation: /\\r\\nConnection: close\\r\\n\\r\\nno\'" >> /www/cgi-bin/$code',
  'done',
  'chmod +x /www/cgi-bin/*; exec httpd -f -p 8080 -h /www',
].join('\n')

const http = (path: string, status: readonly (readonly [number, number])[] = [[200, 299]]): ProbeTarget => ({
  kind: 'http',
  port: 8080,
  path,
  scheme: 'http',
  headers: { 'X-Graft': 'a b' },
  status,
})

async function until<T>(look: () => Promise<T>, good: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 15_000
  for (;;) {
    const value = await look()
    if (good(value) || Date.now() > deadline) return value
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

test('exec: exit codes, output, a command that is not there, a hang, a container that does not run', async () => {
  const id = await run('sleep 300')
  expect(await exec(id, 'exit 0')).toEqual({ healthy: true, output: 'exit 0' })
  expect(await exec(id, 'echo fine; sleep 0.1; echo err >&2')).toEqual({ healthy: true, output: 'fine\nerr' })
  expect(await exec(id, 'echo no such table >&2; exit 3')).toEqual({ healthy: false, output: 'exit 3: no such table' })
  const missing = await execOnce(connection, id, ['/nowhere/check'], 5000)
  expect(missing.healthy).toBe(false)
  expect(missing.output).toMatch(/no such file/i)
  const begun = Date.now()
  expect(await exec(id, 'echo waiting; sleep 60', 400)).toEqual({
    healthy: false,
    output: 'no result within 0.4 s: waiting',
  })
  expect(Date.now() - begun).toBeLessThan(3000)
  const long = await exec(id, 'i=0; while [ $i -lt 9000 ]; do echo line $i; i=$((i+1)); done; exit 1')
  expect(long.output.length).toBeLessThan(66_000)
  expect(long.output).toMatch(/^exit 1: …line \d+\n[^]*line 8999$/)

  await docker.getContainer(id).pause()
  expect(await exec(id, 'exit 0')).toEqual({ healthy: false, output: 'the container is paused' })
  await docker.getContainer(id).unpause()
  await docker.getContainer(id).stop({ t: 1 })
  expect(await exec(id, 'exit 0')).toEqual({ healthy: false, output: 'the container is not running' })
  await docker.getContainer(id).remove()
  await expect(exec(id, 'exit 0')).rejects.toMatchObject({ kind: 'not-found' })
})

for (const [how, reachable] of [
  ['from here', true],
  ['through a helper', false],
] as const) {
  test(`probe ${how}: status codes, redirects, closed ports, hanging servers`, async () => {
    const facts = { ...connection.facts, addressesReachable: reachable }
    const look = (id: string, target: ProbeTarget, timeout = 3000) =>
      probeContainer({ ...connection, facts }, id, target, timeout, SETTINGS)
    const id = await run(WEB)
    expect(
      await until(
        () => look(id, { kind: 'tcp', port: 8080 }),
        (result) => result.healthy,
      ),
    ).toEqual({
      healthy: true,
      output: 'port 8080 is open',
    })
    expect(await look(id, { kind: 'tcp', port: 8081 })).toEqual({ healthy: false, output: 'connection refused' })
    expect(await look(id, http('/'))).toEqual({ healthy: true, output: 'HTTP 200' })
    expect(await look(id, http('/nowhere'))).toEqual({ healthy: false, output: 'HTTP 404' })
    expect(
      await look(
        id,
        http('/nowhere', [
          [200, 299],
          [404, 404],
        ]),
      ),
    ).toEqual({ healthy: true, output: 'HTTP 404' })
    expect(await look(id, http('/cgi-bin/503'))).toEqual({ healthy: false, output: 'HTTP 503' })
    expect(await look(id, http('/cgi-bin/302', [[302, 302]]))).toEqual({ healthy: true, output: 'HTTP 302' })
    expect(await look(id, { ...http('/'), port: 8081 } as ProbeTarget)).toEqual({
      healthy: false,
      output: 'connection refused',
    })

    const silent = await run('exec nc -ll -p 8080 -e sleep 30')
    await until(
      () => look(silent, { kind: 'tcp', port: 8080 }),
      (result) => result.healthy,
    )
    const begun = Date.now()
    expect(await look(silent, http('/'), 1000)).toEqual({ healthy: false, output: 'no answer within 1 s' })
    expect(Date.now() - begun).toBeLessThan(6000)

    await docker.getContainer(id).stop({ t: 1 })
    expect(await look(id, http('/'))).toEqual({ healthy: false, output: 'the container is not running' })
    const left = await docker.listContainers({ all: true, filters: { label: ['dev.graft.kind=helper'] } })
    expect(left).toEqual([])
  })
}

test('probe: a joined namespace, no network, and a helper image that is not there', async () => {
  const look = (id: string, helperImage = IMAGE) =>
    probeContainer(connection, id, { kind: 'tcp', port: 8080 }, 2000, { helperImage })
  const owner = await run('sleep 300')
  const joined = await run(WEB, {}, { NetworkMode: `container:${owner}` })
  expect(
    (
      await until(
        () => look(joined),
        (result) => result.healthy,
      )
    ).healthy,
  ).toBe(true)
  const alone = await run(WEB, {}, { NetworkMode: 'none' })
  expect(
    (
      await until(
        () => look(alone),
        (result) => result.healthy,
      )
    ).healthy,
  ).toBe(true)
  const fault: unknown = await look(alone, 'nowhere.invalid/probe:1').catch((error: unknown) => error)
  expect(fault).toBeInstanceOf(EngineFault)
  expect(fault).toMatchObject({ kind: 'engine', remedy: expect.stringContaining('Pull nowhere.invalid/probe:1') })
})

test('events: of this deployment only, with networks and health, and what looks remember is forgotten', async () => {
  const controller = new AbortController()
  const events: EngineEvent[] = []
  const stream = engineEvents(connection, 'talking', controller.signal)
  await new Promise((resolve) => setTimeout(resolve, 300))
  const reading = (async () => {
    for await (const event of stream) events.push(event)
  })()
  const stamp = connection.memory.stamp
  await run('sleep 300', { Labels: { 'dev.graft.deployment': 'other' } })
  const id = await run('sleep 300', { Healthcheck: { Test: ['CMD', 'true'], Interval: 50_000_000 } })
  await docker.getContainer(id).rename({ name: `talking-${id.slice(0, 6)}` })
  const has = (action: string) => events.some((event) => event.action === action)
  await until(() => Promise.resolve(has('health_status: healthy')), Boolean)
  await docker.getNetwork('bridge').disconnect({ Container: id })
  await docker.getContainer(id).update({ RestartPolicy: { Name: 'always' } })
  await docker.getContainer(id).remove({ force: true })
  await until(() => Promise.resolve(has('destroy')), Boolean)
  controller.abort()
  await reading
  const actions = events.map(({ action }) => action)
  for (const action of [
    'create',
    'connect',
    'start',
    'rename',
    'health_status: healthy',
    'disconnect',
    'update',
    'die',
    'destroy',
  ]) {
    expect(actions).toContain(action)
  }
  expect(actions.filter((action) => action.startsWith('exec'))).toEqual([])
  expect(new Set(events.map((event) => event.containerId))).toEqual(new Set([id]))
  expect(events.find(({ action }) => action === 'start')).toMatchObject({ leaf: 'web' })
  expect(Math.abs((events[0]?.time ?? 0) - Date.now())).toBeLessThan(60_000)
  expect(connection.memory.stamp).toBeGreaterThan(stamp)
})

test('open connections are counted, those of the container itself left out', async () => {
  const id = await run('exec nc -ll -p 8080 -e sleep 30')
  const info = await docker.getContainer(id).inspect()
  const address = Object.values(info.NetworkSettings.Networks)[0]?.IPAddress ?? ''
  expect(
    await until(
      () => openConnections(connection, id),
      (count) => count === 0,
    ),
  ).toBe(0)
  const { connect } = await import('node:net')
  await until(
    () => probeContainer(connection, id, { kind: 'tcp', port: 8080 }, 1000, SETTINGS),
    (result) => result.healthy,
  )
  const sockets = [connect(8080, address), connect(8080, address)]
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))))
  expect(
    await until(
      () => openConnections(connection, id),
      (count) => count === 2,
    ),
  ).toBe(2)
  for (const socket of sockets) socket.destroy()
  const host = await run('sleep 300', {}, { NetworkMode: 'host' })
  expect(await openConnections(connection, host)).toBeNull()
})
