// graft behind a real HAProxy that lets through the calls of the list and no others: everything works, no other call is
// made, each call of the list is needed, and whoever else gets hold of the socket is refused what graft never asks.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'

import { engineClient } from '../../../src/demo/engine-address.ts'
import { freePort } from '../../../src/demo/free-port.ts'
import { haproxyImage } from '../../../src/demo/haproxy-image.ts'
import { defaultCacheFolder } from '../../../src/demo/host-system.ts'
import { CALLS_USED, callUsed } from '../../../src/engine/calls-used.ts'
import { probeContainer } from '../../../src/engine/probe-container.ts'
import { graft } from '../commands/graft.ts'
import { INGRESS_IMAGE } from '../load/load-stage.ts'
import { startEngineProxy, type EngineProxy } from '../stage/engine-proxy.ts'
import { CHECKED, FOREVER, leaf, setStage, type Seen, type Stage } from '../stage/stage.ts'
import { startEngineHaproxy, type EngineHaproxy } from './engine-haproxy.ts'

const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))
const engineUrl = inject('directEngineUrl')
const docker = engineClient(engineUrl)
/** Calls that a person's command makes, past the proxy. */
const DOWN = 'graft down --volumes'
const HEALTHY = `touch /tmp/ok; ${FOREVER}`

let haproxy: EngineHaproxy
let recorder: EngineProxy
let stage: Stage
let daemon: ChildProcess | null = null
let log = ''

const asked = () => ['--repo', stage.repo, '--state', stage.state, '--engine', recorder.url, '--allow-privileged']

beforeAll(async () => {
  await haproxyImage(docker, { reference: INGRESS_IMAGE, folder: defaultCacheFolder(process.env) })
  const folder = `/var/tmp/graft-calls-${process.pid}`
  haproxy = await startEngineHaproxy({ engineUrl, folder })
  recorder = await startEngineProxy(haproxy.url, join(folder, 'recorder.sock'))
  stage = await setStage({ engineUrl: recorder.url, testUrl: engineUrl })
})
async function endDaemon(): Promise<void> {
  if (daemon?.exitCode !== null || daemon.signalCode !== null) return
  const exit = once(daemon, 'exit')
  daemon.kill('SIGTERM')
  await exit
}

afterAll(async () => {
  await endDaemon()
  await stage.end()
  await recorder.stop()
  await haproxy.stop()
})

async function settled(good: (seen: Record<string, Seen>) => boolean): Promise<void> {
  const until = performance.now() + 60_000
  for (;;) {
    const seen = await stage.containers()
    if (!Object.keys(seen).some((name) => /\.(next|prev)/.test(name)) && good(seen)) return
    if (performance.now() > until) throw new Error(`not settled: ${JSON.stringify(seen, null, 1)}\n${log.slice(-4000)}`)
    await sleep(100)
  }
}

/** `name` in this generation, running. */
const runs = (seen: Record<string, Seen>, name: string, generation: number) =>
  seen[name]?.generation === String(generation) && seen[name].state === 'running'

it('does all its work with the calls of the list', { timeout: 240_000 }, async () => {
  const port = await freePort()
  const checkPort = await freePort()
  const deployment = (networks: string) =>
    stage.deploymentYaml(
      `ingress: {image: "${INGRESS_IMAGE}", generation: 1, ipv6: false, check_port: ${checkPort}}\nvolumes: {data: {}}\nnetworks: ${networks}\n`,
    )
  const web = (n: number) =>
    leaf(
      n,
      `mkdir -p /www; echo ${n} > /www/index.html; exec httpd -f -p 8080 -h /www`,
      `ports: [{target: 8080, published: ${port}, host_ip: 127.0.0.1, http: true}]\nhealthcheck: {http: {port: 8080}, interval: 1s}\nupdate: {drain: 1s}\n`,
    )
  const store = (n: number, more = '') =>
    leaf(n, HEALTHY, `${CHECKED}environment: {N: "${n}"}\nvolumes: ["data:/data"]\nstop_grace_period: 2s\n${more}`)
  await stage.commit({
    'deployment.yaml': deployment('{back: {}, side: {}}'),
    'web.yaml': web(1),
    'store.yaml': store(1),
    'first.yaml': leaf(1, 'echo done', 'kind: job\n'),
    'joined.yaml': leaf(1, FOREVER, 'networks: [back, side]\n'),
    'sealed.yaml': leaf(1, FOREVER, 'read_only: true\nfiles: {/etc/sealed.conf: ./sealed.conf}\n'),
    'sealed.conf': 'a: 1\n',
  })
  daemon = spawn(process.execPath, [main, 'run', '--poll', '1', '--notes', 'off', ...asked()], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  })
  daemon.stdout?.on('data', (chunk) => (log += String(chunk)))
  daemon.stderr?.on('data', (chunk) => (log += String(chunk)))
  await settled((seen) => ['web', 'store', 'joined', 'sealed', 'ingress'].every((name) => runs(seen, name, 1)))

  // Swaps, until the first rollback tags go; a network that goes; somebody pauses, connects and stops by hand.
  for (let n = 2; n <= 6; n++) {
    await stage.commit({ 'web.yaml': web(n), ...(n === 2 ? { 'store.yaml': store(2) } : {}) })
    await settled((seen) => runs(seen, 'web', n) && runs(seen, 'store', 2))
  }
  await stage.container('joined').pause()
  const foreign = await docker.createNetwork({ Name: `${stage.name}-by-hand` })
  await foreign.connect({ Container: `${stage.name}-joined` })
  await settled((seen) => seen['joined']?.state === 'running')
  const joined = async () => Object.keys((await stage.container('joined').inspect()).NetworkSettings.Networks)
  await expect.poll(joined, { timeout: 20_000 }).not.toContain(`${stage.name}-by-hand`)
  await docker.getNetwork(`${stage.name}_side`).disconnect({ Container: `${stage.name}-joined` })
  await expect.poll(joined, { timeout: 20_000 }).toContain(`${stage.name}_side`)
  await foreign.remove()
  await stage.commit({
    'deployment.yaml': deployment('{back: {}}'),
    'joined.yaml': leaf(2, FOREVER, 'networks: [back]\n'),
  })
  await settled((seen) => runs(seen, 'joined', 2))
  const networks = async () => (await docker.listNetworks()).map(({ Name }) => Name)
  await expect.poll(networks, { timeout: 20_000 }).not.toContain(`${stage.name}_side`)

  // An image that is nowhere; a candidate that fails, after which its old one is there.
  await stage.commit({
    'lost.yaml': 'generation: 1\nimage: 127.0.0.1:1/lost:1\n',
    'store.yaml': store(3).replace('touch /tmp/ok;', 'exit 3;'),
  })
  await settled((seen) => seen['store.failed'] !== undefined && runs(seen, 'store', 2))
  expect((await graft(stage.repo, ['logs', 'web', ...asked()])).exitCode).toBe(0)
  expect((await graft(stage.repo, ['status', ...asked()])).output).toContain('web')

  // What graft asks where it cannot reach a container's address itself, as with an engine on another machine.
  const apart = { ...stage.connection, facts: { ...stage.connection.facts, addressesReachable: false } }
  const container = await stage.container('web').inspect()
  const target = { kind: 'tcp', port: 8080 } as const
  const answer = await probeContainer(apart, container.Id, target, 10_000, { helperImage: 'graft-test/base:1' })
  expect(answer).toMatchObject({ healthy: true })

  // Everything away again, but for the data. The marks of the jobs go, too.
  await endDaemon()
  const down = await graft(stage.repo, ['down', '--yes', ...asked()])
  expect(down).toMatchObject({ exitCode: 0 })
})

it('made no call that the list does not have, and each that it has', () => {
  const calls = recorder.calls.map(({ method, url }) => ({ method, url, entry: callUsed(method, url) }))
  expect(calls.length).toBeGreaterThan(300)
  expect(calls.filter(({ entry }) => entry === null)).toEqual([])
  expect(haproxy.refused()).toEqual([])
  const used = new Set(calls.map(({ entry }) => entry))
  expect(CALLS_USED.filter((entry) => entry.only === undefined && !used.has(entry))).toEqual([])
  expect(calls.filter(({ entry }) => entry?.only !== undefined)).toEqual([])
})

describe('is refused to whoever else has the socket', () => {
  const status = (method: string, path: string, headers: Record<string, string> = {}) =>
    new Promise<number>((resolve, reject) => {
      const socketPath = haproxy.url.slice('unix://'.length)
      const sent = request({ socketPath, method, path, headers, timeout: 10_000 }, (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      })
      sent.on('error', reject)
      sent.end()
    })

  it.each([
    ['POST', '/build'],
    ['POST', '/v1.45/build?t=graft.local/x'],
    ['POST', '/session'],
    ['POST', '/grpc'],
    ['POST', '/images/load'],
    ['GET', '/images/get?names=a'],
    ['POST', '/images/a/push'],
    ['DELETE', '/images/nginx:1'],
    ['DELETE', '/images/graft.local/../nginx:1'],
    ['DELETE', '/v1.45/images/graft.local/%2e%2e/nginx:1'],
    ['POST', '/images/abc/tag?repo=nginx&tag=1'],
    ['POST', '/images/create?fromSrc=http://example.org/a.tar'],
    ['POST', '/images/create?from%53rc=http://example.org/a.tar'],
    ['POST', '/images/prune'],
    ['POST', '/commit?container=a&repo=nginx'],
    ['POST', '/containers/prune'],
    ['POST', '/containers/a/restart'],
    ['POST', '/containers/a/pause'],
    ['POST', '/containers/a/kill?signal=SIGKILL'],
    ['GET', '/containers/a/export'],
    ['GET', '/containers/a/top'],
    ['GET', '/containers/a/stats'],
    ['GET', '/containers/a/attach/ws'],
    ['GET', '/v1.45/containers/x/../../secrets'],
    ['POST', '/v1.45/v1.45/build'],
    ['DELETE', '/volumes/data'],
    ['POST', '/volumes/prune'],
    ['GET', '/networks/a'],
    ['POST', '/networks/prune'],
    ['GET', '/secrets'],
    ['GET', '/configs'],
    ['POST', '/swarm/init'],
    ['GET', '/swarm/unlockkey'],
    ['POST', '/plugins/pull?remote=a'],
    ['POST', '/auth'],
    ['GET', '/system/df'],
    ['OPTIONS', '/containers/json'],
    ['HEAD', '/_ping'],
  ])('%s %s', async (method, path) => {
    expect(callUsed(method, path)?.only ?? null).toBe(method === 'DELETE' && path.startsWith('/volumes/') ? DOWN : null)
    if (callUsed(method, path) !== null) expect(callUsed(method, path)?.only).toBe(DOWN)
    expect(await status(method, path)).toBe(403)
    // What it refuses, it says: the empty list above means something.
    await vi.waitFor(() => expect(haproxy.refused()).toContain(`${method} ${path}`))
  })

  it('a form whose fields would win over the query', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    expect(await status('POST', '/images/abc/tag?repo=graft.local/a&tag=1', headers)).toBe(403)
  })
})
