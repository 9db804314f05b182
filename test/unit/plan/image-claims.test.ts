// What an image says of itself and a leaf has to reckon with: volumes that a secret would lie in, and graft's own labels.

import type Dockerode from 'dockerode'
import { describe, expect, it } from 'vitest'

import { imageFacts } from '../../../src/engine/image-facts.ts'
import { benchOn, execute, tableFor } from '../apply/bench.ts'
import { standing } from '../daemon/memory-stage.ts'
import { hostOf, leaf, treeOf } from './build.ts'
import { on } from './judged.ts'

const SECRETS = 'secrets: {key: {host: key}}\n'
const DEEP = 'secrets: [{source: key, target: /etc/nginx/certs/key.pem}]'

async function said(more: string, volumes: readonly string[]): Promise<string> {
  const tree = treeOf({ web: leaf(1, more) }, SECRETS)
  const host = await hostOf(tree, { facts: { volumes } })
  return on(tree, await host.observe(tree)).said
}

describe('a secret inside a volume of the image', () => {
  it('is refused, because it would stay there', async () => {
    expect(await said(DEEP, ['/etc/nginx/certs'])).toMatch(
      /^refuse: its secret \/etc\/nginx\/certs\/key\.pem would lie in \/etc\/nginx\/certs, which the image declares a volume/,
    )
    expect(await said('secrets: [key]', ['/run'])).toMatch(/^refuse: its secret \/run\/secrets\/key/)
    expect(await said('secrets: [key]\nread_only: true', ['/run/secrets/'])).toMatch(/^refuse: /)
  })

  it('is none where it lies elsewhere, below a tmpfs, or in the folder that is mounted for it', async () => {
    expect(await said(DEEP, ['/etc/nginx/certs-old', '/data'])).toMatch(/^create: /)
    expect(await said('secrets: [key]\ntmpfs: /run', ['/run'])).toMatch(/^create: /)
    expect(await said('secrets: [key]\nread_only: true', ['/run'])).toMatch(/^create: /)
  })

  it('fails the leaf where the image is known only when it was fetched, and nothing is made', async () => {
    const plain = treeOf({ web: leaf(1, DEEP) }, SECRETS)
    const host = await hostOf(plain)
    const table = await tableFor(host, plain)
    host.engine.addImage('app:1', { facts: { volumes: ['/etc/nginx/certs'] } })
    const { outcome } = await host.clock.run(execute(table, benchOn(host, plain)))
    expect(outcome).toMatchObject({ kind: 'failed', message: expect.stringContaining('declares a volume') })
    expect(standing(host.engine)).toEqual({})
  })
})

describe("labels of graft's own on an image", () => {
  it('are seen, a few of them, and are not among its labels', () => {
    const Labels = { 'dev.graft.secrets': '{"secrets./":"x"}', 'dev.graft.stays': '[]', plain: 'x' }
    const info = { Id: 'sha256:1', Config: { Labels } } as unknown as Dockerode.ImageInspectInfo
    expect(imageFacts(info)).toMatchObject({
      labels: { plain: 'x' },
      graftLabels: ['dev.graft.secrets', 'dev.graft.stays'],
    })
    const none = { Id: 'sha256:1', Config: { Labels: { plain: 'x' } } } as unknown as Dockerode.ImageInspectInfo
    expect(imageFacts(none)).not.toHaveProperty('graftLabels')
  })

  it('are told of in the plan', async () => {
    const tree = treeOf({ web: leaf(1) })
    const host = await hostOf(tree, { facts: { graftLabels: ['dev.graft.stays'] } })
    expect(on(tree, await host.observe(tree)).notes).toContainEqual(
      "its image claims labels of graft's own, which count for nothing: dev.graft.stays",
    )
  })
})
