// The image with HAProxy in it holds all that HAProxy needs, whatever is installed on this machine.

import { expect, inject, test } from 'vitest'

import { engineClient } from '../../../src/demo/engine-address.ts'
import { haproxyImage } from '../../../src/demo/haproxy-image.ts'
import { defaultCacheFolder } from '../../../src/demo/host-system.ts'

const REFERENCE = 'graft-test/haproxy-alone:1'

test('HAProxy starts in an image of its own', async () => {
  const docker = engineClient(inject('engineUrl'))
  const folder = defaultCacheFolder(process.env)
  const id = await haproxyImage(docker, { reference: REFERENCE, folder })
  expect(await haproxyImage(docker, { reference: REFERENCE, folder })).toBe(id)
  const container = await docker.createContainer({ Image: REFERENCE, Cmd: ['haproxy', '-v'], Tty: true })
  try {
    await container.start()
    expect(await container.wait()).toEqual({ StatusCode: 0 })
    expect(String(await container.logs({ stdout: true }))).toMatch(/^HAProxy version \d/)
  } finally {
    await container.remove({ force: true })
    await docker.getImage(REFERENCE).remove()
  }
})
