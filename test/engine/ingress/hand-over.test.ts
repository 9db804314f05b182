// Two ingress containers of one deployment hand their ports over, and each takes configurations or refuses them, while
// clients with and without keep-alive ask at full speed: not one request fails.

import { Agent, get } from 'node:http'

import { afterAll, beforeAll, expect, inject, test } from 'vitest'

import { freePort } from '../../../src/demo/free-port.ts'
import { IngressRejection, type Engine } from '../../../src/apply/engine.ts'
import type { Leaf, Tree } from '../../../src/desired/tree.ts'
import { bindsOf } from '../../../src/engine/ingress-words.ts'
import { dockerGround, type DockerGround } from '../contract/docker-ground.ts'
import { behindIngress, CHECK_PORT, ingressPort, ingressSpec, rendered, SERVE } from '../contract/ingress-contract.ts'
import { leafOf, treeOf } from '../contract/sample-tree.ts'

let ground: DockerGround
let engine: Engine
let tree: Tree

beforeAll(async () => {
  ground = await dockerGround(inject('engineUrl'), `hand-over-${process.pid}`)
  engine = ground.engine
  tree = behindIngress(treeOf(ground.deployment, []))
  const network = tree.networks.get('default')
  if (network !== undefined) await engine.createNetwork(tree.name, network)
  for (const wish of tree.volumes.values()) await engine.createVolume(tree.name, wish)
}, 120_000)
afterAll(() => ground?.cleanUp())

async function create(leaf: Leaf, name: string): Promise<string> {
  const image = await engine.findImage(leaf.spec.image)
  if (image === null) throw new Error(`no ${leaf.spec.image}`)
  const order = { name: `${tree.prefix}${name}`, tree, leaf, image, imageReference: leaf.spec.image }
  return engine.create({ ...order, runDigest: 'd'.repeat(64), joins: new Map() })
}

async function startIngress(name: string): Promise<string> {
  const id = await create(leafOf('ingress', ingressSpec()), name)
  await engine.putIngressConfig(id, (await rendered(engine, tree, id)).text)
  await engine.start(id)
  await expect.poll(() => engine.ingressDigest(id, CHECK_PORT), { timeout: 5000 }).not.toBeNull()
  return id
}

interface Load {
  readonly asked: () => number
  readonly failures: readonly string[]
  stop(): Promise<void>
}

function load(port: number): Load {
  let going = true
  let asked = 0
  const failures: string[] = []
  const ask = (agent: Agent | false) =>
    new Promise<void>((resolve) => {
      const request = get({ host: '127.0.0.1', port, agent }, (response) => {
        asked += 1
        if (response.statusCode !== 200) failures.push(`HTTP ${response.statusCode}`)
        response.on('end', resolve).on('error', (error) => {
          failures.push(error.message)
          resolve()
        })
        response.resume()
      })
      request.on('error', (error) => {
        failures.push(error.message)
        resolve()
      })
    })
  const client = async (agent: Agent | false) => {
    while (going) await ask(agent)
    if (agent !== false) agent.destroy()
  }
  const clients = [1, 2, 3, 4].flatMap(() => [client(false), client(new Agent({ keepAlive: true, maxSockets: 1 }))])
  return {
    asked: () => asked,
    failures,
    stop: async () => {
      going = false
      await Promise.all(clients)
    },
  }
}

test('an ingress is replaced, and both take configurations while both run', async () => {
  const port = ingressPort(await freePort())
  const web = leafOf('web', { command: SERVE, ports: [port], stop_grace_period: 1000 })
  const first = await create(web, 'web')
  await engine.start(first)
  const old = await startIngress('ingress')
  const clients = load(port.published)
  await expect.poll(clients.asked).toBeGreaterThan(50)

  const next = await startIngress('ingress.next')
  const second = await create(web, 'web.next')
  await engine.start(second)
  await engine.rename(first, `${tree.prefix}web.prev-${first.slice(0, 6)}`)
  await engine.rename(second, `${tree.prefix}web`)
  for (const id of [old, next]) {
    const config = await rendered(engine, tree, id)
    await engine.loadIngressConfig(id, config)
    expect(await engine.ingressDigest(id, CHECK_PORT)).toBe(config.digest)
  }
  await engine.rename(old, `${tree.prefix}ingress.prev-${old.slice(0, 6)}`)
  await engine.rename(next, `${tree.prefix}ingress`)
  await engine.stop(old)
  const before = clients.asked()
  await expect.poll(clients.asked).toBeGreaterThan(before + 50)
  await engine.remove(old)
  // The old web container goes once nothing leads to it any more.
  await engine.rename(first, `${tree.prefix}somewhere-else`)
  await engine.loadIngressConfig(next, await rendered(engine, tree, next))
  await engine.stop(first)
  await clients.stop()
  expect(clients.failures).toEqual([])
  for (const id of [first, second, next]) await engine.remove(id)
}, 60_000)

test('a port that came while two ran is left to the one that has it, and taken over when that one is gone', async () => {
  const port = ingressPort(await freePort())
  const old = await startIngress('ingress')
  const next = await startIngress('ingress.next')
  const web = await create(leafOf('web', { command: SERVE, ports: [port] }), 'web')
  await engine.start(web)
  for (const id of [old, next]) await engine.loadIngressConfig(id, await rendered(engine, tree, id))
  const config = await rendered(engine, tree, next)
  expect(bindsOf(config.text)).toContain(`bind 127.0.0.1:${port.published}`)
  expect(await engine.ingressDigest(old, CHECK_PORT)).toBe(config.digest)
  expect(await engine.ingressDigest(next, CHECK_PORT)).not.toBe(config.digest)
  await engine.stop(old)
  await engine.loadIngressConfig(next, config)
  expect(await engine.ingressDigest(next, CHECK_PORT)).toBe(config.digest)
  expect((await engine.knock(port, null, 1000))?.healthy).toBe(true)
  for (const id of [old, next, web]) await engine.remove(id)
}, 60_000)

test('a configuration that is not taken costs no request', async () => {
  const port = ingressPort(await freePort())
  const held = {
    target: 8080,
    published: await freePort(),
    protocol: 'tcp',
    host_ip: '127.0.0.1',
    mode: 'host',
  } as const
  const web = await create(leafOf('web', { command: SERVE, ports: [port] }), 'web')
  const holder = await create(leafOf('holder', { command: SERVE, ports: [held] }), 'holder')
  for (const id of [web, holder]) await engine.start(id)
  const ingress = await startIngress('ingress')
  const clients = load(port.published)
  await expect.poll(clients.asked).toBeGreaterThan(50)

  const wants = leafOf('wants', { command: SERVE, ports: [ingressPort(held.published)] })
  const wanting = await create(wants, 'wants')
  const taken = await rendered(engine, tree, ingress)
  expect(bindsOf(taken.text)).toContain(`bind 127.0.0.1:${held.published}`)
  const odd = { ...taken, text: taken.text.replace('  uid 99', '  odd-keyword\n  uid 99') }
  for (const config of [odd, taken]) {
    await expect(engine.loadIngressConfig(ingress, config)).rejects.toBeInstanceOf(IngressRejection)
    const before = clients.asked()
    await expect.poll(clients.asked).toBeGreaterThan(before + 50)
  }
  await clients.stop()
  expect(clients.failures).toEqual([])
  for (const id of [web, holder, wanting, ingress]) await engine.remove(id)
}, 60_000)
