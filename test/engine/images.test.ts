// Looking for images, tagging and pulling them, on a real engine and a real registry.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { EngineFault } from '../../src/apply/engine.ts'
import type { PullOptions, PullProgress } from '../../src/apply/engine.ts'
import { freePort } from '../../src/demo/free-port.ts'
import { registryAccount, startRegistry, type Registry } from '../../src/demo/registry.ts'
import { standInImages } from '../../src/demo/stand-in-images.ts'
import { engineClient } from '../../src/demo/engine-address.ts'
import { connectEngine, type EngineConnection } from '../../src/engine/connect.ts'
import { jsonLines } from '../../src/engine/json-lines.ts'
import { findImage, observeImages, removeTag, rollbackTags, tagImage } from '../../src/engine/images.ts'
import { pullImage } from '../../src/engine/pull.ts'
import { registryCredentials } from '../../src/engine/registry-credentials.ts'
import { rollbackTag } from '../../src/plan/rollback-tag.ts'

/** What the test does by hand. */
const docker = engineClient(inject('engineUrl'))
let connection: EngineConnection
let folder: string
let open: Registry
let locked: Registry
const servers: Server[] = []

const auth = Buffer.from(`${registryAccount.username}:${registryAccount.password}`).toString('base64')

beforeAll(async () => {
  connection = await connectEngine(inject('engineUrl'))
  folder = await mkdtemp(join(tmpdir(), 'graft-images-'))
  open = await startRegistry({ folder: join(folder, 'open') })
  locked = await startRegistry({ folder: join(folder, 'locked'), withPassword: true })
  const files = { '/big': { content: Buffer.alloc(300_000, 'graft') } }
  const config = { Env: ['A=b=c'], ExposedPorts: { '80/tcp': {} }, StopSignal: 'SIGINT', User: 'nobody' }
  const Healthcheck = { Test: ['CMD', 'true'], Interval: 5_000_000_000, Retries: 2 }
  const names = [`${open.address}/team/app:1.0`, `${locked.address}/team/app:1.0`]
  await standInImages(docker, [{ reference: names, files, config: { ...config, Healthcheck } }])
  await push(names[0] ?? '', {})
  await push(names[1] ?? '', { ...registryAccount, serveraddress: locked.address })
  for (const name of names) await docker.getImage(name).remove()
})

afterAll(async () => {
  for (const server of servers) server.close()
  for (const image of await docker.listImages()) {
    const names = [...(image.RepoTags ?? []), ...(image.RepoDigests ?? [])]
    const ours = names.filter((name) => [open, locked].some(({ address }) => name.startsWith(`${address}/`)))
    for (const name of ours)
      await docker
        .getImage(name)
        .remove({ force: true })
        .catch(() => {})
  }
  await open.stop()
  await locked.stop()
  await rm(folder, { recursive: true })
  connection.close()
})

async function push(reference: string, authconfig: object): Promise<void> {
  const stream = await docker.getImage(reference).push({ authconfig })
  for await (const line of jsonLines(stream)) expect(line).not.toHaveProperty('error')
}

function pull(reference: string, options: PullOptions = {}, idleLimit = 20_000) {
  return pullImage(connection, reference, options, { credentials: () => Promise.resolve(null), idleLimit })
}

/** What is thrown must be a fault; its words are what a person reads. */
async function faultOf(work: Promise<unknown>): Promise<EngineFault> {
  const error = await work.then(
    () => new Error('nothing was thrown'),
    (thrown: unknown) => thrown,
  )
  if (error instanceof EngineFault) return error
  throw error
}

test('an image is pulled with progress, and its facts are read', async () => {
  const reference = `${open.address}/team/app:1.0`
  expect(await findImage(connection, reference)).toBeNull()
  const seen: PullProgress[] = []
  const image = await pull(reference, { onProgress: (progress) => seen.push(progress) })
  expect(image).toMatchObject({
    environment: { A: 'b=c' },
    expose: ['80/tcp'],
    user: 'nobody',
    stop_signal: 'SIGINT',
    healthcheck: { test: ['CMD', 'true'], interval: 5000, retries: 2 },
  })
  expect(image.digests[0]).toMatch(/team\/app@sha256:[0-9a-f]{64}$/)
  expect(await findImage(connection, reference)).toEqual(image)
  expect(await findImage(connection, image.id)).toEqual(image)
  expect(seen.length).toBeGreaterThan(2)
  expect(seen.every((progress, index) => progress.current >= (seen[index - 1]?.current ?? 0))).toBe(true)
})

test('a reference with a digest is found by its repository, whatever its tag, and under no other name', async () => {
  const image = await pull(`${open.address}/team/app:1.0`)
  const digest = image.digests[0]?.split('@')[1] ?? ''
  const gone = `127.0.0.1:${await freePort()}/team/app@${digest}`
  expect(await findImage(connection, gone)).toBeNull()
  expect(await findImage(connection, `${open.address}/other/app@${digest}`)).toBeNull()
  expect((await findImage(connection, `${open.address}/team/app:9@${digest}`))?.id).toBe(image.id)
  expect(await findImage(connection, `${open.address}/team/app@sha256:${'0'.repeat(64)}`)).toBeNull()
  expect((await pull(`${open.address}/team/app@${digest}`)).id).toBe(image.id)
})

test('a tag that is not there is named, with the registry', async () => {
  const fault = await faultOf(pull(`${open.address}/team/app:1.5`))
  expect(fault.kind).toBe('registry')
  expect(fault.message).toBe(`${open.address} has no image team/app:1.5 (manifest unknown)`)
  const nowhere = await faultOf(pull(`${open.address}/team/nothing:1`))
  expect(nowhere.message).toContain(`${open.address} has no image team/nothing:1`)
})

test('credentials come from the configuration file, and a refusal says whose were tried', async () => {
  const reference = `${locked.address}/team/app:1.0`
  const bare = await faultOf(pull(reference))
  expect(bare.kind).toBe('registry')
  expect(bare.message).toContain(`tried with no credentials, as Docker knows none for ${locked.address}`)

  const config = join(folder, 'config.json')
  const credentials = (registry: string) => registryCredentials(folder, registry)
  await writeFile(
    config,
    JSON.stringify({ auths: { [locked.address]: { auth: Buffer.from('graft:wrong-word').toString('base64') } } }),
  )
  const wrong = await faultOf(pullImage(connection, reference, {}, { credentials }))
  expect(wrong.message).toContain(`tried with user graft from ${config}`)
  expect(`${wrong.message}${wrong.remedy}`).not.toContain('wrong-word')

  await writeFile(config, JSON.stringify({ auths: { [locked.address]: { auth } } }))
  const image = await pullImage(connection, reference, {}, { credentials })
  expect(image.environment['A']).toBe('b=c')
})

test('a registry that is down, one without a name and one that hangs are told apart', async () => {
  const port = await freePort()
  const down = await faultOf(pull(`127.0.0.1:${port}/team/app:1.0`))
  expect(down).toMatchObject({ kind: 'registry' })
  expect(down.message).toBe(`the engine cannot connect to 127.0.0.1:${port} (connection refused)`)

  const nameless = await faultOf(pull('registry.graft.invalid/team/app:1.0'))
  expect(nameless.kind).toBe('registry')
  expect(nameless.message).toMatch(/cannot resolve the name registry.graft.invalid|cannot connect|did not answer/)

  const silent = createServer(() => {})
  servers.push(silent)
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const address = silent.address()
  const hung = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  const fault = await faultOf(pull(`${hung}/team/app:1.0`, {}, 700))
  expect(fault).toMatchObject({ kind: 'registry', message: `${hung} sent nothing of ${hung}/team/app:1.0 for 0.7 s` })

  const reason = new Error('a newer commit')
  const controller = new AbortController()
  setTimeout(() => controller.abort(reason), 200)
  await expect(pull(`${hung}/team/app:1.0`, { signal: controller.signal })).rejects.toBe(reason)
})

test('what is no reference is refused before any call', async () => {
  expect((await faultOf(pull('Not An Image'))).message).toContain('is not the name of an image')
  expect(await findImage(connection, '../containers/json')).toBeNull()
})

test('rollback tags are given, listed, observed and taken away', async () => {
  const base = await findImage(connection, 'graft-test/base:1')
  if (base === null) throw new Error('no base image')
  const first = rollbackTag('tags-test', 'web', 1, base.id)
  const second = rollbackTag('tags-test', 'web', 2, base.id)
  await tagImage(connection, base.id, first)
  await tagImage(connection, base.id, first)
  await tagImage(connection, base.id, second)
  await tagImage(connection, base.id, rollbackTag('tags-test', 'web-2', 1, base.id))
  expect(await rollbackTags(connection, 'tags-test', 'web')).toEqual([first, second])

  const observed = await observeImages(connection, 'tags-test', ['graft-test/base:1', 'nowhere/x:1'])
  expect([...observed.keys()].filter((key) => key.startsWith('graft.local/tags-test/'))).toHaveLength(3)
  expect(observed.get('graft-test/base:1')?.id).toBe(base.id)
  expect(observed.get(first)?.id).toBe(base.id)
  expect(observed.get('nowhere/x:1')).toBeNull()

  for (const tag of observed.keys()) if (tag.startsWith('graft.local/tags-test/')) await removeTag(connection, tag)
  await removeTag(connection, first)
  expect(await rollbackTags(connection, 'tags-test', 'web')).toEqual([])
  expect(await findImage(connection, 'graft-test/base:1')).not.toBeNull()
})
