// Files from the repository in a real container: content, mode, owner, folders, and a root that is read-only.

import { createHash } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'

import type { Spec } from '../../../src/desired/spec.ts'
import type { Leaf } from '../../../src/desired/tree.ts'
import { compareContainer } from '../../../src/plan/compare.ts'
import { type DockerGround, dockerGround } from './docker-ground.ts'
import { RICH_IMAGE } from './field-case.ts'
import { BASE_IMAGE, leafOf, treeOf } from './sample-tree.ts'

describe('files of a leaf', () => {
  let ground: DockerGround
  const deployment = `files-${process.pid}`

  beforeAll(async () => {
    ground = await dockerGround(inject('engineUrl'), deployment)
    const { networks } = treeOf(deployment, [])
    for (const wish of networks.values()) await ground.engine.createNetwork(deployment, wish)
  })

  afterAll(async () => {
    await ground.cleanUp()
  })

  function leafWithFiles(name: string, files: Readonly<Record<string, FileSample>>, spec: Partial<Spec> = {}): Leaf {
    const contents = new Map(Object.entries(files).map(([path, file]) => [path, Buffer.from(file.content)]))
    const facts = Object.entries(files).map(([path, { content, mode, uid, gid }]) => {
      const sha256 = createHash('sha256').update(content).digest('hex')
      return [path, { sha256, mode, uid, gid }] as const
    })
    return leafOf(name, { ...spec, files: Object.fromEntries(facts) }, contents)
  }

  async function run(leaf: Leaf): Promise<string> {
    const { engine } = ground
    const image = await engine.findImage(leaf.spec.image)
    if (image === null) throw new Error(`there is no ${leaf.spec.image}`)
    const tree = treeOf(deployment, [leaf])
    const name = `${deployment}-${leaf.name}`
    const order = { name, tree, leaf, image, imageReference: leaf.spec.image, runDigest: 'x', joins: new Map() }
    const id = await engine.create(order)
    await engine.putFiles(id, leaf)
    await engine.putFiles(id, leaf)
    await engine.start(id)
    const container = await engine.inspect(id)
    if (container === null) throw new Error('it is not there')
    expect(compareContainer({ leaf, tree, image }, container, { joins: new Map(), restartPolicyWanted: 'no' })).toEqual(
      [],
    )
    expect(container.labels.imageId).toBe(image.id)
    return id
  }

  async function say(id: string, ...command: string[]): Promise<string> {
    const result = await ground.engine.exec(id, command, 10_000)
    expect(result.healthy, result.output).toBe(true)
    return result.output.trim()
  }

  it('have their content, mode and owner; folders that exist stay as they are', async () => {
    const long = `/opt/${'deep/'.repeat(30)}file-with-a-name-that-is-rather-long.conf`
    const id = await run(
      leafWithFiles('plain', {
        '/etc/sample.conf': { content: 'answer = 42\n', mode: 0o440, uid: 7, gid: 8 },
        '/tmp/in-a-shared-folder': { content: 'ü', mode: 0o755, uid: 0, gid: 0 },
        '/new/folder/empty': { content: '', mode: 0o600, uid: 1000, gid: 1000 },
        [long]: { content: 'long', mode: 0o644, uid: 0, gid: 0 },
      }),
    )
    expect(await say(id, 'cat', '/etc/sample.conf')).toBe('answer = 42')
    expect(await say(id, 'stat', '-c', '%a %u %g %s', '/etc/sample.conf')).toBe('440 7 8 12')
    expect(await say(id, 'stat', '-c', '%a %u %g %s', '/tmp/in-a-shared-folder')).toBe('755 0 0 2')
    expect(await say(id, 'stat', '-c', '%a %u %g %s', '/new/folder/empty')).toBe('600 1000 1000 0')
    expect(await say(id, 'cat', long)).toBe('long')
    expect(await say(id, 'stat', '-c', '%a %u %g', '/tmp')).toBe('1777 0 0')
    expect(await say(id, 'stat', '-c', '%a %u %g', '/etc')).toBe('755 0 0')
    expect(await say(id, 'stat', '-c', '%a %u %g', '/new', '/new/folder')).toBe('755 0 0\n755 0 0')
    await ground.engine.remove(id)
  })

  it('are there in a container whose root is read-only, under the image’s own configuration', async () => {
    const file = { content: 'first', mode: 0o440, uid: 1000, gid: 1000 }
    const [, first] = [
      await run(leafWithFiles('sealed-base', { '/etc/sample.conf': file }, { read_only: true, image: BASE_IMAGE })),
      await run(
        leafWithFiles(
          'sealed',
          { '/etc/sample.conf': file },
          { read_only: true, image: RICH_IMAGE, command: ['1000'] },
        ),
      ),
    ]
    expect(await say(first, 'cat', '/etc/sample.conf')).toBe('first')
    expect(await say(first, 'stat', '-c', '%a %u %g', '/etc/sample.conf')).toBe('440 1000 1000')
    const write = await ground.engine.exec(first, ['touch', '/etc/more'], 10_000)
    expect(write.healthy).toBe(false)
    await ground.engine.remove(first)

    const next = { ...file, content: 'second' }
    const second = await run(
      leafWithFiles('sealed', { '/etc/sample.conf': next }, { read_only: true, image: RICH_IMAGE, command: ['1000'] }),
    )
    expect(await say(second, 'cat', '/etc/sample.conf')).toBe('second')
    const tags = (await ground.connection.docker.listImages()).flatMap((image) => image.RepoTags ?? [])
    const own = tags.filter((tag) => tag.startsWith(`graft.local/${deployment}/sealed/files:`))
    expect(own, 'the image with the older files is gone').toHaveLength(1)
    await ground.engine.remove(second)
    for (const tag of tags.filter((text) => text.startsWith(`graft.local/${deployment}/`)))
      await ground.engine.removeTag(tag)
  })
})

interface FileSample {
  readonly content: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
}
