// For a container with a read-only root: an image that is the leaf's own plus its files, because an engine puts no
// archive into such a container. Its name tells the base image and the files, so it is made once for each pair.

import { createHash } from 'node:crypto'

import { type CreateOrder, EngineFault } from '../apply/engine.ts'
import { filesDigest } from '../plan/digests.ts'
import { rollbackRepository } from '../plan/rollback-tag.ts'
import { callEngine, rawCall } from './call.ts'
import type { EngineConnection } from './connect.ts'
import { putArchive } from './files-archive.ts'
import { findImage, removeTag } from './images.ts'
import type { WireContainer } from './wire.ts'

/** Resolves to the reference of the image, `graft.local/DEPLOYMENT/LEAF/files:DIGEST12`. */
export async function imageWithFiles(connection: EngineConnection, order: CreateOrder): Promise<string> {
  const { tree, leaf } = order
  const repository = `${rollbackRepository(tree.name, leaf.name)}/files`
  const content = `${order.image.id} ${filesDigest(leaf.spec.files)}`
  const tag = createHash('sha256').update(content).digest('hex').slice(0, 12)
  const reference = `${repository}:${tag}`
  if ((await findImage(connection, reference)) !== null) return reference

  const what = `prepare an image with the files of ${leaf.name}`
  const id = await createHelper(connection, order, what)
  try {
    await putArchive(connection, id, leaf)
    await callEngine(connection, what, {
      method: 'POST',
      path: '/commit',
      query: { container: id, repo: repository, tag, pause: false, comment: 'files of the repository' },
      body: imageConfig(order),
      times: 2,
    })
  } finally {
    await discard(connection, id).catch(() => {})
  }
  await removeOthers(connection, repository, tag)
  return reference
}

/**
 * A container that never starts. It carries no label, because an image keeps the labels of what it was committed from;
 * its name is what tells one that an earlier graft left behind.
 */
async function createHelper(connection: EngineConnection, order: CreateOrder, what: string): Promise<string> {
  const name = `graft.${order.tree.name}.${order.leaf.name}.files`
  const request = {
    method: 'POST',
    path: '/containers/create',
    query: { name },
    body: {
      Image: order.image.id,
      // An image may say no command at all, and the engine wants one.
      ...(order.image.command.length + order.image.entrypoint.length === 0 ? { Cmd: ['none'] } : {}),
      HostConfig: { NetworkMode: 'none' },
    },
    times: 2,
  } as const
  try {
    return (await callEngine<{ Id: string }>(connection, what, request)).Id
  } catch (error) {
    if (!(error instanceof EngineFault) || error.kind !== 'name-taken') throw error
    const left = await callEngine<WireContainer>(connection, what, { path: `/containers/${name}/json` })
    if (left.State.Status !== 'created' || left.HostConfig.NetworkMode !== 'none') throw error
    await discard(connection, left.Id)
    return (await callEngine<{ Id: string }>(connection, what, request)).Id
  }
}

async function discard(connection: EngineConnection, id: string): Promise<void> {
  const request = { method: 'DELETE', path: `/containers/${id}`, query: { force: true, v: true } } as const
  await rawCall(connection, request)
}

/** The image's own command and entry point, instead of what the helper was given. */
function imageConfig({ image }: CreateOrder): object {
  return { Cmd: [...image.command], Entrypoint: image.entrypoint.length === 0 ? null : [...image.entrypoint] }
}

/** Older ones of the leaf; the engine keeps those that a container still uses. */
async function removeOthers(connection: EngineConnection, repository: string, tag: string): Promise<void> {
  const rows = await callEngine<{ RepoTags?: string[] | null }[]>(connection, 'list the images', {
    path: '/images/json',
    query: { filters: JSON.stringify({ reference: [repository] }) },
  })
  for (const other of rows.flatMap((row) => row.RepoTags ?? [])) {
    if (other !== `${repository}:${tag}`) await removeTag(connection, other)
  }
}
