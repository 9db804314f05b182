// For a container with a read-only root: an image that is the leaf's own plus its files, because an engine puts no
// archive into such a container. Its name tells the base image and the files, so it is made once for each pair.

import { createHash } from 'node:crypto'

import type { CreateOrder } from '../apply/engine.ts'
import { filesDigest } from '../plan/digests.ts'
import { rollbackRepository } from '../plan/rollback-tag.ts'
import { callEngine, rawCall } from './call.ts'
import type { EngineConnection } from './connect.ts'
import { putArchive } from './files-archive.ts'
import { findImage, removeTag } from './images.ts'
import { helperLabels, LABEL_PREFIX } from './labels.ts'

/** Resolves to the reference of the image, `graft.local/DEPLOYMENT/LEAF/files:DIGEST12`. */
export async function imageWithFiles(connection: EngineConnection, order: CreateOrder): Promise<string> {
  const { tree, leaf } = order
  const repository = `${rollbackRepository(tree.name, leaf.name)}/files`
  const content = `${order.image.id} ${filesDigest(leaf.spec.files)}`
  const tag = createHash('sha256').update(content).digest('hex').slice(0, 12)
  const reference = `${repository}:${tag}`
  if ((await findImage(connection, reference)) !== null) return reference

  const what = `prepare an image with the files of ${leaf.name}`
  const { Id: id } = await callEngine<{ Id: string }>(connection, what, {
    method: 'POST',
    path: '/containers/create',
    body: {
      Image: order.image.id,
      // An image may say no command at all; this container never starts.
      ...(order.image.command.length + order.image.entrypoint.length === 0 ? { Cmd: ['none'] } : {}),
      Labels: helperLabels(tree.name, leaf.name),
      HostConfig: { NetworkMode: 'none' },
    },
    timeout: 120_000,
  })
  try {
    await putArchive(connection, id, leaf)
    await callEngine(connection, what, {
      method: 'POST',
      path: '/commit',
      query: { container: id, repo: repository, tag, pause: false, comment: 'files of the repository' },
      body: committedConfig(order),
      timeout: 120_000,
    })
  } finally {
    await rawCall(connection.docker, {
      method: 'DELETE',
      path: `/containers/${id}`,
      query: { force: true, v: true },
    }).catch(() => {})
  }
  await removeOthers(connection, repository, tag)
  return reference
}

/** The image's own configuration: what is said here replaces what the helper container had. */
function committedConfig(order: CreateOrder): object {
  const { image } = order
  const labels = Object.fromEntries(Object.entries(image.labels).filter(([key]) => !key.startsWith(LABEL_PREFIX)))
  return {
    Cmd: [...image.command],
    Entrypoint: image.entrypoint.length === 0 ? null : [...image.entrypoint],
    Labels: labels,
  }
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
