// An ingress under an init of the engine's, and one on an engine whose host graft cannot reach.

import { afterAll, beforeAll, expect, inject, test } from 'vitest'

import type { Engine } from '../../../src/apply/engine.ts'
import type { Spec } from '../../../src/desired/spec.ts'
import { dockerEngine } from '../../../src/engine/docker-engine.ts'
import { dockerGround, type DockerGround } from '../contract/docker-ground.ts'
import { behindIngress, CHECK_PORT, ingressSpec, rendered } from '../contract/ingress-contract.ts'
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
