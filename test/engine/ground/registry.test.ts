// A pushed image comes back from the registry as it was, and a registry with a password refuses a wrong one.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { engineClient } from '../../../src/demo/engine-address.ts'
import { registryAccount, startRegistry } from '../../../src/demo/registry.ts'
import type { Registry } from '../../../src/demo/registry.ts'
import { standInImage } from '../../../src/demo/stand-in-images.ts'

const docker = engineClient(inject('engineUrl'))
let folder: string
let open: Registry
let guarded: Registry

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'graft-registry-'))
  open = await startRegistry({ folder: join(folder, 'open') })
  guarded = await startRegistry({ folder: join(folder, 'guarded'), withPassword: true })
})
afterAll(async () => {
  await open.stop()
  await guarded.stop()
  await expect(fetch(`${open.url}/v2/`)).rejects.toThrow()
  await rm(folder, { recursive: true })
})

/** Pushes; resolves to the engine's progress stream, in which it also reports what went wrong. */
async function push(reference: string, authconfig: object): Promise<string> {
  return text(Readable.from(await docker.getImage(reference).push({ authconfig })))
}

test('an image goes there and comes back the same', async () => {
  const reference = `${open.address}/graft-test/pushed:1`
  const id = await standInImage(docker, { reference, files: { '/etc/motd': { content: 'hello\n' } } })
  expect(await push(reference, {})).toContain('digest: sha256:')
  await docker.getImage(reference).remove()
  await expect(docker.getImage(reference).inspect()).rejects.toThrow(/no such image/i)
  await text(Readable.from(await docker.pull(reference)))
  expect((await docker.getImage(reference).inspect()).Id).toBe(id)
  await docker.getImage(reference).remove()
})

test('a password is asked for, and only the right one is taken', async () => {
  const reference = `${guarded.address}/graft-test/guarded:1`
  await standInImage(docker, { reference })
  expect(await push(reference, { ...registryAccount, password: 'wrong' })).toMatch(/unauthorized|no basic auth/)
  expect(await push(reference, registryAccount)).toContain('digest: sha256:')
  await docker.getImage(reference).remove()
  await expect(docker.pull(reference)).rejects.toThrow(/unauthorized|no basic auth/)
})
