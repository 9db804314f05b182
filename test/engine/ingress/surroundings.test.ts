// An ingress under an init of the engine's, and one on an engine whose host graft cannot reach.

import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, expect, inject, test } from 'vitest'

import type { Engine } from '../../../src/apply/engine.ts'
import type { Spec } from '../../../src/desired/spec.ts'
import { freePort } from '../../../src/demo/free-port.ts'
import { dockerEngine } from '../../../src/engine/docker-engine.ts'
import { dockerGround, type DockerGround } from '../contract/docker-ground.ts'
import { behindIngress, CHECK_PORT, ingressPort, ingressSpec, rendered } from '../contract/ingress-contract.ts'
import { BASE_IMAGE, leafOf, treeOf } from '../contract/sample-tree.ts'

let ground: DockerGround

beforeAll(async () => {
  ground = await dockerGround(inject('engineUrl'), `ingress-${process.pid}`)
}, 120_000)
afterAll(() => ground?.cleanUp())

async function reloadAndStop(engine: Engine, spec: Partial<Spec>): Promise<{ stopTook: number; exitCode: number }> {
  const leaf = leafOf('ingress', { ...ingressSpec(), ...spec })
  const tree = behindIngress(treeOf(ground.deployment, [leaf]))
  for (const wish of tree.volumes.values()) await engine.createVolume(tree.name, wish)
  const image = await engine.findImage(leaf.spec.image)
  if (image === null) throw new Error(`no ${leaf.spec.image}`)
  const order = { name: `${tree.prefix}ingress`, tree, leaf, image, imageReference: leaf.spec.image }
  const id = await engine.create({ ...order, runDigest: 'd'.repeat(64), joins: new Map() })
  const first = await rendered(engine, tree, id)
  await engine.putIngressConfig(id, first.text)
  await engine.start(id)
  await expect.poll(() => engine.ingressDigest(id, CHECK_PORT), { timeout: 10_000 }).toBe(first.digest)
  const patient =
    tree.ingress === null ? null : { ...tree.ingress, timeouts: { ...tree.ingress.timeouts, tcp: 70_000 } }
  const next = await rendered(engine, { ...tree, ingress: patient }, id)
  expect(next.digest).not.toBe(first.digest)
  await engine.loadIngressConfig(id, next)
  expect(await engine.ingressDigest(id, CHECK_PORT)).toBe(next.digest)
  expect((await engine.probe(id, { kind: 'ingress', port: CHECK_PORT }, 2000)).healthy).toBe(true)
  const began = Date.now()
  await engine.stop(id)
  const stopTook = Date.now() - began
  const exitCode = (await engine.inspect(id))?.exitCode ?? -1
  expect(await engine.ingressDigest(id, CHECK_PORT)).toBeNull()
  await engine.remove(id)
  return { stopTook, exitCode }
}

test.each([false, true])(
  'takes signals with init: %s, and ends softly',
  async (init) => {
    const { stopTook, exitCode } = await reloadAndStop(ground.engine, { init })
    expect(exitCode).toBe(0)
    expect(stopTook).toBeLessThan(2500)
  },
  30_000,
)

test('is asked by a helper container where its address cannot be reached', async () => {
  const facts = { ...ground.connection.facts, addressesReachable: false }
  const engine = dockerEngine({ ...ground.connection, facts }, { helperImage: BASE_IMAGE })
  await reloadAndStop(engine, {})
  const port = { target: 80, published: 80, protocol: 'tcp', mode: 'host' } as const
  expect(await engine.knock(port, null, 1000)).toBeNull()
}, 60_000)

test('an open connection outlives the order to stop, until it ends by itself', async () => {
  const { engine } = ground
  const port = ingressPort(await freePort())
  const web = leafOf('web', { command: ['sh', '-c', 'exec nc -ll -p 8080 -e cat'], ports: [{ ...port }] })
  delete web.spec.ports[0]?.http
  const ingress = leafOf('ingress', { ...ingressSpec(), stop_grace_period: 20_000 })
  const tree = behindIngress(treeOf(ground.deployment, [web, ingress]))
  for (const wish of tree.networks.values()) await engine.createNetwork(tree.name, wish)
  for (const wish of tree.volumes.values()) await engine.createVolume(tree.name, wish)
  const ids: string[] = []
  for (const leaf of [web, ingress]) {
    const image = await engine.findImage(leaf.spec.image)
    if (image === null) throw new Error(`no ${leaf.spec.image}`)
    const order = { name: `${tree.prefix}${leaf.name}`, tree, leaf, image, imageReference: leaf.spec.image }
    const id = await engine.create({ ...order, runDigest: 'd'.repeat(64), joins: new Map() })
    if (leaf === ingress) await engine.putIngressConfig(id, (await rendered(engine, tree, id)).text)
    await engine.start(id)
    ids.push(id)
  }
  const id = ids[1] ?? ''
  await expect.poll(() => engine.ingressDigest(id, CHECK_PORT), { timeout: 10_000 }).not.toBeNull()
  const socket = connect({ host: '127.0.0.1', port: port.published })
  const echo = async (text: string): Promise<string> => {
    socket.write(text)
    return String((await once(socket, 'data', { signal: AbortSignal.timeout(5000) }))[0])
  }
  expect(await echo('before')).toBe('before')
  const stopping = engine.stop(id)
  await sleep(1500)
  expect(await echo('after')).toBe('after')
  socket.end()
  const began = Date.now()
  await stopping
  expect(Date.now() - began).toBeLessThan(5000)
  expect((await engine.inspect(id))?.exitCode).toBe(0)
  for (const each of ids) await engine.remove(each)
}, 60_000)
