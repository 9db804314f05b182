// Makes a container again that somebody removed while it was stopped in a swap: from what was inspected before it was
// stopped, with the files that graft had put into it.

import { posix } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'

import { extract, pack } from 'tar-stream'

import { EngineFault, type CapturedContainer } from '../apply/engine.ts'
import { SECRETS_FOLDER } from '../desired/secret-source.ts'
import type { GraftLabels } from '../plan/observed.ts'
import { CONFIG_PATH } from '../plan/ingress-config.ts'
import { callForBytes, rawCall, TooLong } from './call.ts'
import type { EngineConnection } from './connect.ts'
import { statusOf, toEngineFault } from './faults.ts'
import { readFilePaths, writtenLabels } from './labels.ts'
import { ownsSecretsFolder, secretPaths } from './secret-files.ts'
import type { WireContainer, WireEndpoint } from './wire.ts'

interface Capture {
  readonly inspected: WireContainer
  /** As what it was taken over; null where it has labels of its own. */
  readonly adopted: GraftLabels | null
  /** Tar archives of one file each, as the engine gave them, by the file's path. */
  readonly archives: readonly Archive[]
}

interface Archive {
  readonly path: string
  readonly archive: Buffer
}

/** All files of a container together; the longest file that a setting allows is 64 MiB. */
const MOST_BYTES = 80 * 1024 ** 2

/** Null where the container is gone. Rejects with EngineFault. */
export async function captureContainer(
  connection: EngineConnection,
  id: string,
  paths: readonly string[],
): Promise<CapturedContainer | null> {
  try {
    const inspected = await rawCall<WireContainer>(connection, { path: `/containers/${id}/json` })
    const archives: Archive[] = []
    const own = inspected.Config.Cmd?.includes(CONFIG_PATH) === true ? [CONFIG_PATH] : []
    let left = MOST_BYTES
    // What it has, and not what its leaf says by now; `paths` knows of one that says nothing of it.
    const written = readFilePaths(inspected.Config.Labels)
    for (const path of new Set([...written, ...paths, ...own, ...secretPaths(inspected)])) {
      const archive = await readArchive(connection, id, path, left)
      if (archive === null) continue
      left -= archive.length
      archives.push({ path, archive })
    }
    const adopted = connection.memory.adoptions.get(inspected.Id)?.labels ?? null
    const content: Capture = { inspected, archives, adopted }
    return { name: inspected.Name.slice(1), content }
  } catch (error) {
    if (statusOf(error) === 404) return null
    throw toEngineFault(error, connection.url, `read container ${id.slice(0, 12)}`)
  }
}

/** Resolves to the new container's id; it is stopped and its restart policy is `no`. Rejects with EngineFault. */
export async function recreateContainer(connection: EngineConnection, captured: CapturedContainer): Promise<string> {
  const { inspected, archives, adopted } = captured.content as Capture
  const { Config, HostConfig, Image } = inspected
  const own = inspected.Id.slice(0, 12)
  const endpoints = Object.entries(inspected.NetworkSettings?.Networks ?? {}).map(
    ([name, endpoint]) => [name, asked(endpoint, own)] as const,
  )
  const [first, ...others] = endpoints
  const body = {
    ...Config,
    // What was taken over gets labels of its own.
    ...(adopted === null ? {} : { Labels: { ...Config.Labels, ...writtenLabels(adopted) } }),
    // The engine gave it its own id for a name; the new one gets its own.
    ...(Config.Hostname === own ? { Hostname: undefined } : {}),
    Image,
    HostConfig: { ...HostConfig, RestartPolicy: { Name: 'no' } },
    ...(first === undefined ? {} : { NetworkingConfig: { EndpointsConfig: Object.fromEntries([first]) } }),
  }
  let made: string | null = null
  try {
    const query = { name: captured.name }
    const created = await rawCall<{ Id: string }>(connection, {
      method: 'POST',
      path: '/containers/create',
      query,
      body,
    })
    made = created.Id
    for (const [network, EndpointConfig] of others) {
      const path = `/networks/${encodeURIComponent(network)}/connect`
      await rawCall(connection, { method: 'POST', path, body: { Container: created.Id, EndpointConfig } })
    }
    const hasFolder = ownsSecretsFolder(inspected)
    const inFolder = ({ path }: Archive): boolean => hasFolder && posix.dirname(path) === SECRETS_FOLDER
    const parts = [
      { folder: SECRETS_FOLDER, held: archives.filter(inFolder) },
      { folder: '/', held: HostConfig.ReadonlyRootfs === true ? [] : archives.filter((one) => !inFolder(one)) },
    ]
    for (const { folder, held } of parts) {
      if (held.length === 0) continue
      const path = `/containers/${created.Id}/archive`
      await rawCall(connection, {
        method: 'PUT',
        path,
        query: { path: folder },
        file: await joinArchives(held, folder),
      })
    }
    return created.Id
  } catch (error) {
    // Half of one would be taken for the whole.
    const request = { method: 'DELETE', path: `/containers/${made ?? ''}`, query: { force: true, v: true } } as const
    if (made !== null) await rawCall(connection, request).catch(() => undefined)
    throw toEngineFault(error, connection.url, `make container ${captured.name} again`)
  }
}

/** What was asked for, without what the engine assigned. */
function asked(endpoint: WireEndpoint, own: string): WireEndpoint {
  const aliases = (endpoint.Aliases ?? []).filter((alias) => alias !== own)
  return {
    ...(aliases.length === 0 ? {} : { Aliases: aliases }),
    ...(endpoint.IPAMConfig == null ? {} : { IPAMConfig: endpoint.IPAMConfig }),
  }
}

/** Null where it is not there, or is by far not what graft had put there: the container may have made it anything. */
async function readArchive(
  connection: EngineConnection,
  id: string,
  path: string,
  most: number,
): Promise<Buffer | null> {
  try {
    return await callForBytes(connection, { path: `/containers/${id}/archive`, query: { path } }, most)
  } catch (error) {
    if (statusOf(error) === 404 || error instanceof TooLong) return null
    throw error instanceof EngineFault ? error : toEngineFault(error, connection.url, `read ${path}`)
  }
}

/** One archive for a folder, with paths from there: the engine then makes the folders that are missing. */
async function joinArchives(archives: readonly Archive[], folder: string): Promise<Buffer> {
  const joined = pack()
  for (const { path, archive } of archives) {
    for await (const entry of Readable.from([archive]).pipe(extract())) {
      const content = await buffer(entry)
      if (entry.header.type === 'file') joined.entry({ ...entry.header, name: posix.relative(folder, path) }, content)
    }
  }
  joined.finalize()
  return buffer(joined)
}
