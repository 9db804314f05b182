// Faults of the registry. What runs goes on, the spec is never blamed, and the new image runs when it can be had.

import { randomBytes } from 'node:crypto'
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Readable } from 'node:stream'

import type Docker from 'dockerode'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { engineClient } from '../../src/demo/engine-address.ts'
import type { HostEngine } from '../../src/demo/host-engine.ts'
import { registryAccount, startRegistry, type Registry } from '../../src/demo/registry.ts'
import { standInImage } from '../../src/demo/stand-in-images.ts'
import { endure, type Fault } from './endure.ts'
import { faultTable } from './fault-table.ts'
import { startRegistryFront, type RegistryFront, type RegistryMode } from './registry-front.ts'
import { faultEngine, setScene, type Scene } from './scene.ts'

const table = faultTable('Image registry')
let engine: HostEngine
let docker: Docker
let folder: string
let registry: Registry
let guarded: Registry
let front: RegistryFront
let scene: Scene
let count = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'graft-registry-faults-'))
  engine = await faultEngine('registry')
  docker = engineClient(engine.url)
  registry = await startRegistry({ folder: join(folder, 'open') })
  guarded = await startRegistry({ folder: join(folder, 'guarded'), withPassword: true })
  front = await startRegistryFront(registry.url)
  await mkdir(join(folder, 'docker'))
  await logIn('wrong')
  scene = await setScene({ engineUrl: engine.url, flags: ['--docker-config', join(folder, 'docker')] })
})
afterAll(async () => {
  await scene?.end()
  await front?.stop()
  await registry?.stop()
  await guarded?.stop()
  await engine?.stop()
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
})

/** What `docker login` writes. */
async function logIn(password: string): Promise<void> {
  const auth = Buffer.from(`${registryAccount.username}:${password}`).toString('base64')
  await writeFile(join(folder, 'docker', 'config.json'), JSON.stringify({ auths: { [guarded.address]: { auth } } }))
}

/** A new image in the registry and not on the engine; resolves to its id and the digest of its manifest. */
async function publish(tag: string, to: Registry = registry): Promise<{ id: string; digest: string }> {
  count += 1
  const reference = `${to.address}/app:${tag}`
  // A layer of its own, large enough to be cut in the middle.
  const files = { '/layer': { content: randomBytes(300_000) } }
  const id = await standInImage(docker, { reference, files, config: { Labels: { count: String(count) } } })
  const pushed = await docker
    .getImage(reference)
    .push({ authconfig: { ...registryAccount, serveraddress: to.address } })
  const said = await text(pushed as unknown as Readable)
  await docker.getImage(reference).remove()
  const digest = /"Digest":"(sha256:[0-9a-f]{64})"/.exec(said)?.[1]
  if (digest === undefined) throw new Error(said)
  return { id, digest }
}

const HELD_BY =
  /"sync":"held","state":"running","health":"[a-z]+","since":\d+,"container":\{[^}]*\},"because":"([^"]+)"/

/** A new image is asked for while the registry is in this mode. */
const inMode = (mode: RegistryMode, usually = false, more: Partial<Fault> = {}) => ({
  usually,
  begin: async () => {
    const tag = `n${count + 1}`
    await publish(tag)
    await front.set(mode)
    await scene.next({ image: `${front.address}/app:${tag}` })
  },
  said: HELD_BY,
  end: () => front.set('serve'),
  ...more,
})

const byDigest = async () => {
  const { digest } = await publish(`n${count + 1}`)
  await front.set('wrong manifest')
  await scene.next({ image: `${front.address}/app@${digest}` })
}
const changing = async () => scene.says(/"name":"web"[^{]*\{[^}]*\}[^{]*"sync":"(changing)"/)
const imageOf = async () => (await scene.container('web').inspect()).Image

const faults: readonly (Fault & { readonly usually?: boolean })[] = [
  { name: 'down', ...inMode('down', true) },
  { name: 'answers 500', ...inMode({ status: 500, code: 'UNKNOWN', message: 'out of order' }) },
  {
    name: 'limits the rate of pulls',
    ...inMode({ status: 429, code: 'TOOMANYREQUESTS', message: 'too many requests' }),
  },
  { name: 'denies the image', ...inMode({ status: 403, code: 'DENIED', message: 'requested access is denied' }) },
  { name: 'has no such tag', ...inMode({ status: 404, code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }) },
  { name: 'is slow', ...inMode('slow', false, { said: changing }) },
  { name: 'cuts the connection in the middle of a layer', ...inMode('cut blob', false, { patience: 180_000 }) },
  { name: 'sends a layer whose digest is wrong', ...inMode('wrong blob') },
  { name: 'sends a manifest whose digest is wrong', ...inMode('serve', true, { begin: byDigest }) },
  { name: 'takes requests and never answers', ...inMode('hang', false, { patience: 180_000 }) },
  {
    name: 'the password is wrong, until somebody logs in',
    begin: async () => {
      const tag = `n${count + 1}`
      await publish(tag, guarded)
      await scene.next({ image: `${guarded.address}/app:${tag}` })
    },
    said: HELD_BY,
    end: () => logIn(registryAccount.password),
  },
  {
    name: 'down, and a commit is reverted: the image that ran is still there',
    begin: async () => {
      await publish('before')
      await scene.next({ image: `${front.address}/app:before` })
      await scene.asDeclared()
      const before = await imageOf()
      await publish('after')
      await scene.next({ image: `${front.address}/app:after` })
      await scene.asDeclared()
      await docker.getImage(`${front.address}/app:before`).remove()
      await front.set('down')
      await scene.git('revert', '--no-edit', 'HEAD')
      await scene.push({}, 'reverted')
      await scene.asDeclared(scene.generation() - 1)
      expect(await imageOf()).toBe(before)
    },
    said: async () => 'runs the image that ran, without asking the registry',
    end: () => front.set('serve'),
    generation: () => scene.generation() - 1,
    harmless: true,
  },
  {
    name: 'a tag is moved: nothing changes until a generation asks for it, and a revert goes back to what ran',
    begin: async () => {
      const first = await publish('moving')
      await scene.next({ image: `${front.address}/app:moving`, web: 'pull_policy: always' })
      await scene.asDeclared()
      expect(await imageOf()).toBe(first.id)
      const second = await publish('moving')
      await scene.container('store').kill()
      await scene.asDeclared()
      expect(await imageOf()).toBe(first.id)
      await scene.next({ image: `${front.address}/app:moving`, web: 'pull_policy: always' })
      await scene.asDeclared()
      expect(await imageOf()).toBe(second.id)
      await scene.git('revert', '--no-edit', 'HEAD')
      await scene.push({}, 'reverted')
      await scene.asDeclared(scene.generation() - 1)
      expect(await imageOf()).toBe(first.id)
    },
    said: async () => 'the generation that was reverted to runs the very image it ran before',
    end: async () => undefined,
    generation: () => scene.generation() - 1,
    harmless: true,
  },
]

for (const fault of faults) {
  if (!table.takes(fault.name, fault.usually === true)) continue
  it(fault.name, { timeout: 400_000 }, async () => {
    await endure(scene, table, fault)
    // No spec was blamed for what the registry did.
    expect(Object.keys(await scene.containers()).filter((name) => name.includes('failed'))).toEqual([])
  })
}
