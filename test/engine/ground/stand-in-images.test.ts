// Stand-in images keep their whole configuration, have the same id each time, and are quick to load in numbers.

import { expect, inject, test } from 'vitest'
import { engineClient } from '../../../src/demo/engine-address.ts'
import { standInImage, standInImages } from '../../../src/demo/stand-in-images.ts'

const docker = engineClient(inject('engineUrl'))

test('configuration and files reach the image, and the same input gives the same id', async () => {
  const config = {
    Entrypoint: ['/usr/local/bin/start'],
    Cmd: ['now'],
    Env: ['A=1'],
    ExposedPorts: { '80/tcp': {} },
    Healthcheck: { Test: ['CMD', 'true'], Interval: 5_000_000_000, Retries: 2 },
    User: 'nobody',
    WorkingDir: '/tmp',
    Labels: { made: 'here' },
    Volumes: { '/data': {} },
  }
  const files = { '/usr/local/bin/start': { content: '#!/bin/sh\nid -un; pwd; echo "$1 $A"\n', mode: 0o755 } }
  const wanted = { reference: ['graft-test/whole:1', 'graft-test/whole:2'], files, config }
  const id = await standInImage(docker, wanted)
  expect(await standInImage(docker, wanted)).toBe(id)
  const image = await docker.getImage('graft-test/whole:2').inspect()
  expect(image.Id).toBe(id)
  expect(image.Config).toMatchObject(config)

  const container = await docker.createContainer({ Image: 'graft-test/whole:1' })
  await container.start()
  await container.wait()
  const said = (await container.logs({ stdout: true })).toString()
  await container.remove({ v: true })
  for (const name of wanted.reference) await docker.getImage(name).remove()
  expect(said).toMatch(/nobody\n[^]*\/tmp\n[^]*now 1\n/)
})

test('forty images load within five seconds', async () => {
  const names = Array.from({ length: 40 }, (_, index) => `graft-test/many-${index}:1`)
  const started = performance.now()
  const ids = await standInImages(
    docker,
    names.map((reference) => ({ reference, config: { Labels: { name: reference } } })),
  )
  expect(performance.now() - started).toBeLessThan(5_000)
  expect(new Set(ids).size).toBe(40)
  for (const name of names) await docker.getImage(name).remove()
})
