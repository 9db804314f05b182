// The files of graft's own in an ingress container, put and read by archive.

import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'

import { extract, pack } from 'tar-stream'

import { CONFIG_PATH } from '../plan/ingress-config.ts'
import { callEngine, callForBytes } from './call.ts'
import type { EngineConnection } from './connect.ts'
import { statusOf, toEngineFault } from './faults.ts'

export const FOLDER = CONFIG_PATH.slice(0, CONFIG_PATH.lastIndexOf('/'))
/** The configuration in force, in that folder. */
export const LIVE_FILE = CONFIG_PATH.slice(FOLDER.length + 1)

const FIXED_TIME = new Date(0)

/** Into the folder, which is made where it is missing. */
export async function putFile(connection: EngineConnection, id: string, name: string, text: string): Promise<void> {
  const archive = pack()
  const entry = { uid: 0, gid: 0, mtime: FIXED_TIME }
  archive.entry({ ...entry, name: FOLDER.slice(1), type: 'directory', mode: 0o755 })
  archive.entry({ ...entry, name: `${FOLDER.slice(1)}/${name}`, mode: 0o644 }, text)
  archive.finalize()
  await callEngine(connection, `put the configuration into the ingress ${id.slice(0, 12)}`, {
    method: 'PUT',
    path: `/containers/${id}/archive`,
    query: { path: '/', copyUIDGID: false },
    file: await buffer(archive),
  })
}

/** A configuration of thousands of services is some megabytes. */
const MOST_BYTES = 64 * 1024 ** 2

/** null where there is none. */
export async function readFile(connection: EngineConnection, id: string, name: string): Promise<string | null> {
  try {
    const request = { path: `/containers/${id}/archive`, query: { path: `${FOLDER}/${name}` } }
    const archive = await callForBytes(connection, request, MOST_BYTES)
    let text: string | null = null
    for await (const file of Readable.from([archive]).pipe(extract())) {
      const content = await buffer(file)
      if (file.header.type === 'file') text = content.toString('utf8')
    }
    return text
  } catch (error) {
    if (statusOf(error) === 404) return null
    throw toEngineFault(error, connection.url, `read the configuration of the ingress ${id.slice(0, 12)}`)
  }
}
