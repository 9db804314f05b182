// Files from the repository into a container that was not started yet: one archive with their modes and owners.

import { buffer } from 'node:stream/consumers'

import { pack } from 'tar-stream'

import type { Leaf } from '../desired/tree.ts'
import { rawCall } from './call.ts'
import type { EngineConnection } from './connect.ts'
import { toEngineFault } from './faults.ts'
import { secretArchives } from './secret-files.ts'

/** The same files always give the same archive. */
const FIXED_TIME = new Date(0)

/**
 * A tar of the leaf's files by their paths in the container. It holds no folders: the engine makes missing ones as
 * root with 0755, while a folder's entry would reset mode and owner of one that the image has.
 */
export async function filesArchive(leaf: Leaf): Promise<Buffer> {
  const archive = pack()
  for (const [path, facts] of Object.entries(leaf.spec.files)) {
    const content = leaf.fileContents.get(path)
    if (content === undefined) throw new TypeError(`${leaf.name} has no content for ${path}`)
    const name = path.replace(/^\/+/, '')
    const { mode, uid, gid } = facts
    archive.entry({ name, mode, uid, gid, mtime: FIXED_TIME, type: 'file' }, Buffer.from(content))
  }
  archive.finalize()
  return buffer(archive)
}

/**
 * Putting them twice is no error. A container with a read-only root was created with its files in it
 * (`imageWithFiles`), because the engine refuses to change it.
 */
export async function putFiles(connection: EngineConnection, id: string, leaf: Leaf): Promise<void> {
  if (!leaf.spec.read_only) await putArchive(connection, id, leaf)
  await putSecrets(connection, id, leaf)
}

/** Whatever the container's root is. */
export async function putArchive(connection: EngineConnection, id: string, leaf: Leaf): Promise<void> {
  if (Object.keys(leaf.spec.files).length === 0) return
  await put(connection, id, { path: '/', file: await filesArchive(leaf), what: `the files of ${leaf.name}` })
}

/** Into the container's own layer, or into the folder that is mounted for them. */
async function putSecrets(connection: EngineConnection, id: string, leaf: Leaf): Promise<void> {
  for (const { folder, file } of await secretArchives(leaf)) {
    await put(connection, id, { path: folder, file, what: `the secrets of ${leaf.name}` })
  }
}

async function put(
  connection: EngineConnection,
  id: string,
  { path, file, what }: { readonly path: string; readonly file: Buffer; readonly what: string },
): Promise<void> {
  try {
    await rawCall(connection, {
      method: 'PUT',
      path: `/containers/${encodeURIComponent(id)}/archive`,
      query: { path, copyUIDGID: false },
      file,
    })
  } catch (error) {
    throw toEngineFault(error, connection.url, `put ${what} into its container`)
  }
}
