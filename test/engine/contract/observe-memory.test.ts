// Looks remember containers only while an events stream would tell of a change, and see every change at once.

import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'

import { callEngine } from '../../../src/engine/call.ts'
import type { ObservedContainer } from '../../../src/plan/observed.ts'
import { type DockerGround, dockerGround } from './docker-ground.ts'
import { BASE_IMAGE, leafOf, treeOf } from './sample-tree.ts'

describe('one look after another', () => {
  let ground: DockerGround
  let id = ''
  const deployment = `memory-${process.pid}`

  beforeAll(async () => {
    ground = await dockerGround(inject('engineUrl'), deployment)
    const { engine } = ground
    const leaf = leafOf('web', { network_mode: 'none', networks: {} })
    const image = await engine.findImage(leaf.spec.image)
    if (image === null) throw new Error('no base image')
    const tree = treeOf(deployment, [leaf])
    const name = `${deployment}-web`
    id = await engine.create({
      name,
      tree,
      leaf,
      image,
      imageReference: leaf.spec.image,
      runDigest: 'x',
      joins: new Map(),
    })
    await engine.start(id)
  })

  afterAll(async () => {
    await ground.cleanUp()
  })

  async function look(): Promise<ObservedContainer> {
    const [container] = (await ground.engine.observe(deployment, [])).containers
    if (container === undefined) throw new Error('the container is not there')
    return container
  }

  it('inspects every container again without a stream', async () => {
    const first = await look()
    const second = await look()
    expect(second).not.toBe(first)
    expect(second).toEqual(first)
  })

  it('inspects nothing again with one, until something happens', async () => {
    const { connection, engine } = ground
    const stop = new AbortController()
    const events = engine.events(deployment, stop.signal)[Symbol.asyncIterator]()
    const next = events.next()
    await expect.poll(() => rememberedAfterTwoLooks()).toBe(true)

    // Not by graft: as `docker update` does it.
    const body = { RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } }
    await callEngine(connection, 'update it', { method: 'POST', path: `/containers/${id}/update`, body })
    expect((await next).value).toMatchObject({ action: 'update', containerId: id, leaf: 'web' })
    expect((await look()).restartPolicy).toBe('always')

    // By graft itself: seen without waiting for the event.
    await engine.setRestartPolicy(id, 'no')
    expect((await look()).restartPolicy).toBe('no')
    await engine.stop(id)
    expect((await look()).state).toBe('exited')

    stop.abort()
    await events.return?.()
    expect(await rememberedAfterTwoLooks()).toBe(false)
  })

  it('gives the same facts of an image as the same object', async () => {
    const images = async () => (await ground.engine.observe(deployment, [BASE_IMAGE])).images.get(BASE_IMAGE)
    const first = await images()
    expect(first).toMatchObject({ id: expect.stringMatching(/^sha256:/) })
    expect(await images()).toBe(first)
  })

  async function rememberedAfterTwoLooks(): Promise<boolean> {
    const first = await look()
    return (await look()) === first
  }
})
