// Makes a container again that somebody removed while it was stopped in a swap: from what was inspected before it was
// stopped, with the files that graft had put into it.

import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'

import { extract, pack } from 'tar-stream'

import { EngineFault, type CapturedContainer } from '../apply/engine.ts'
import { CONFIG_PATH } from '../plan/ingress-config.ts'
import { rawCall } from './call.ts'
import type { EngineConnection } from './connect.ts'
import { statusOf, toEngineFault } from './faults.ts'
import type { WireContainer, WireEndpoint } from './wire.ts'

interface Capture {
  readonly inspected: WireContainer
  /** Tar archives of one file each, as the engine gave them, by the file's path. */
  readonly archives: readonly { readonly path: string; readonly archive: Buffer }[]
}

/** Null where the container is gone. Rejects with EngineFault. */
export async function captureContainer(
  connection: EngineConnection,
  id: string,
  paths: readonly string[],
): Promise<CapturedContainer | null> {
  try {
    const inspected = await rawCall<WireContainer>(connection.docker, { path: `/containers/${id}/json` })
    const archives: Capture['archives'][number][] = []
    const own = inspected.Config.Cmd?.includes(CONFIG_PATH) === true ? [CONFIG_PATH] : []
    for (const path of [...paths, ...own]) {
      const archive = await readArchive(connection, id, path)
      if (archive !== null) archives.push({ path, archive })
    }
    const content: Capture = { inspected, archives }
    return { name: inspected.Name.slice(1), content }
  } catch (error) {
    if (statusOf(error) === 404) return null
    throw toEngineFault(error, connection.url, `read container ${id.slice(0, 12)}`)
  }
}

/** Resolves to the new container's id; it is stopped and its restart policy is `no`. Rejects with EngineFault. */
export async function recreateContainer(connection: EngineConnection, captured: CapturedContainer): Promise<string> {
  const { inspected, archives } = captured.content as Capture
  const { Config, HostConfig, Image } = inspected
  const own = inspected.Id.slice(0, 12)
  const endpoints = Object.entries(inspected.NetworkSettings?.Networks ?? {}).map(
    ([name, endpoint]) => [name, asked(endpoint, own)] as const,
  )
  const [first, ...others] = endpoints
  const body = {
    ...Config,
    // The engine gave it its own id for a name; the new one gets its own.
    ...(Config.Hostname === own ? { Hostname: undefined } : {}),
    Image,
    HostConfig: { ...HostConfig, RestartPolicy: { Name: 'no' } },
    ...(first === undefined ? {} : { NetworkingConfig: { EndpointsConfig: Object.fromEntries([first]) } }),
  }
  try {
    const query = { name: captured.name }
    const created = await rawCall<{ Id: string }>(connection.docker, {
      method: 'POST',
      path: '/containers/create',
      query,
      body,
    })
    for (const [network, EndpointConfig] of others) {
      const path = `/networks/${encodeURIComponent(network)}/connect`
      await rawCall(connection.docker, { method: 'POST', path, body: { Container: created.Id, EndpointConfig } })
    }
    if (archives.length > 0 && HostConfig.ReadonlyRootfs !== true) {
      const file = await joinArchives(archives)
      const path = `/containers/${created.Id}/archive`
      await rawCall(connection.docker, { method: 'PUT', path, query: { path: '/' }, file })
    }
    return created.Id
  } catch (error) {
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

async function readArchive(connection: EngineConnection, id: string, path: string): Promise<Buffer | null> {
  try {
    const stream = await connection.docker.getContainer(id).getArchive({ path })
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(Buffer.from(chunk))
    return Buffer.concat(chunks)
  } catch (error) {
    if (statusOf(error) === 404) return null
    throw error instanceof EngineFault ? error : toEngineFault(error, connection.url, `read ${path}`)
  }
}

/** One archive for the root folder, with full paths: the engine then makes the folders that are missing. */
async function joinArchives(archives: Capture['archives']): Promise<Buffer> {
  const joined = pack()
  for (const { path, archive } of archives) {
    for await (const entry of Readable.from([archive]).pipe(extract())) {
      const content = await buffer(entry)
      if (entry.header.type === 'file') joined.entry({ ...entry.header, name: path.replace(/^\/+/, '') }, content)
    }
  }
  joined.finalize()
  return buffer(joined)
}
