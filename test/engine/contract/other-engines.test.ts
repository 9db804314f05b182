// The contract against the oldest engine that graft serves and the newest that it knows, each brought up for it.

import { bringUpEngine } from '../../../src/demo/host-engine.ts'
import type { EngineSuite } from '../../../src/demo/engine-software.ts'
import { engineClient } from '../../../src/demo/engine-address.ts'
import { standInImage } from '../../../src/demo/stand-in-images.ts'
import { dockerGround, type DockerGround } from './docker-ground.ts'
import { engineContract } from './engine-contract.ts'
import { BASE_IMAGE } from './sample-tree.ts'

/** A ground whose engine is stopped when it is cleaned up for the last time. */
async function groundOn(suite: EngineSuite): Promise<DockerGround> {
  const engine = await bringUpEngine({ suite, folder: `/var/tmp/graft-ground/${suite}-contract` })
  await standInImage(engineClient(engine.url), { reference: BASE_IMAGE })
  const ground = await dockerGround(engine.url, `contract-${process.pid}`)
  return {
    ...ground,
    cleanUp: async () => {
      await ground.cleanUp()
      await engine.stop()
    },
  }
}

engineContract('the oldest: Docker 20.10, API 1.41', () => groundOn('bookworm'))
engineContract('the newest: Docker 28.5, API 1.51', () => groundOn('sid'))
