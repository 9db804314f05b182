// Creates a container from an order: its volumes first, its files where its root is read-only, its networks at last.

import type { CreateOrder } from '../apply/engine.ts'
import { imageVolumes, imageVolumeWish } from '../plan/image-volumes.ts'
import { rawCall } from './call.ts'
import type { EngineConnection } from './connect.ts'
import { createOptions } from './create-options.ts'
import { toEngineFault } from './faults.ts'
import { imageWithFiles } from './image-with-files.ts'
import { findImage } from './images.ts'
import { createVolume } from './volumes.ts'

/**
 * Resolves to the container's id; it is not started and its restart policy is `no`. Rejects with an EngineFault, and
 * leaves no half-made container behind.
 */
export async function createContainer(connection: EngineConnection, order: CreateOrder): Promise<string> {
  const { tree, leaf } = order
  for (const volume of imageVolumes(tree.name, leaf.name, leaf.spec, order.image)) {
    await createVolume(connection, tree.name, imageVolumeWish(volume))
  }
  const image = await imageToRun(connection, order)
  const { body, afterwards } = createOptions(order, image, connection.facts.apiVersion)
  const query = {
    name: order.name,
    // Of an image made here, the engine knows no other platform than its own.
    ...(leaf.spec.platform === undefined || image !== order.imageReference ? {} : { platform: leaf.spec.platform }),
  }
  const what = `create container ${order.name}`
  let id: string | null = null
  try {
    const request = { method: 'POST', path: '/containers/create', query, body, times: 2 } as const
    id = (await rawCall<{ Id: string }>(connection, request)).Id
    for (const { network, endpoint } of afterwards) {
      await rawCall(connection, {
        method: 'POST',
        path: `/networks/${encodeURIComponent(network)}/connect`,
        body: { Container: id, EndpointConfig: endpoint },
      })
    }
    return id
  } catch (error) {
    const fault = toEngineFault(error, connection.url, what)
    if (id !== null) await discard(connection, id)
    throw fault
  }
}

/** The reference where it still names the ordered image, so that `docker ps` shows it; else the image's id. */
async function imageToRun(connection: EngineConnection, order: CreateOrder): Promise<string> {
  if (order.leaf.spec.read_only && Object.keys(order.leaf.spec.files).length > 0) {
    return imageWithFiles(connection, order)
  }
  const named = await findImage(connection, order.imageReference)
  return named?.id === order.image.id ? order.imageReference : order.image.id
}

async function discard(connection: EngineConnection, id: string): Promise<void> {
  const request = { method: 'DELETE', path: `/containers/${id}`, query: { force: true, v: true } } as const
  await rawCall(connection, request).catch(() => {})
}
