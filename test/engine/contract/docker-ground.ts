// A real engine as the contract needs it: the images it speaks of, and a deployment of its own that goes at the end.

import type Docker from 'dockerode'

import { engineClient } from '../../../src/demo/engine-address.ts'
import { haproxyImage } from '../../../src/demo/haproxy-image.ts'
import { defaultCacheFolder } from '../../../src/demo/host-system.ts'
import { callEngine } from '../../../src/engine/call.ts'
import { connectEngine, type EngineConnection } from '../../../src/engine/connect.ts'
import { dockerEngine } from '../../../src/engine/docker-engine.ts'
import { deploymentFilter } from '../../../src/engine/labels.ts'
import type { EngineGround } from './contract-bench.ts'
import { OTHER_IMAGE, RICH_IMAGE } from './field-case.ts'
import { INGRESS_IMAGE } from './ingress-contract.ts'
import { RICH_IMAGE_FACTS } from './rich-image-cases.ts'
import { BASE_IMAGE } from './sample-tree.ts'

export interface DockerGround extends EngineGround {
  readonly connection: EngineConnection
}

interface ByHand {
  readonly docker: Docker
  readonly url: string
}

/** `directUrl`: past the proxy, where `url` is one. */
export async function dockerGround(url: string, deployment: string, directUrl = url): Promise<DockerGround> {
  const connection = await connectEngine(url)
  const direct = url === directUrl ? connection : await connectEngine(directUrl)
  // What the test does by hand is none of graft's calls.
  const byHand: ByHand = { docker: engineClient(url), url }
  await cleanUp(byHand, deployment)
  await ensureImages(byHand)
  await haproxyImage(byHand.docker, { reference: INGRESS_IMAGE, folder: defaultCacheFolder(process.env) })
  return {
    connection,
    engine: dockerEngine(connection),
    direct: dockerEngine(direct),
    deployment,
    addForeign: async (name) => {
      const { Id: id } = await callEngine<{ Id: string }>(byHand, 'make a foreign container', {
        method: 'POST',
        path: '/containers/create',
        query: { name },
        body: { Image: BASE_IMAGE, Cmd: ['sleep', '1000'] },
      })
      return async () => {
        await callEngine(byHand, 'remove it', {
          method: 'DELETE',
          path: `/containers/${id}`,
          query: { force: true },
        })
      }
    },
    cleanUp: async () => {
      await cleanUp(byHand, deployment)
      connection.close()
      if (direct !== connection) direct.close()
    },
  }
}

/** `other` has another id than the base, `rich` says all that an image can say. */
async function ensureImages(connection: ByHand): Promise<void> {
  const facts = RICH_IMAGE_FACTS
  const { Id: id } = await callEngine<{ Id: string }>(connection, 'make an image', {
    method: 'POST',
    path: '/containers/create',
    body: { Image: BASE_IMAGE, Cmd: ['true'], Labels: {} },
  })
  const commit = (reference: string, body: object) => {
    const [repo = '', tag = ''] = reference.split(':')
    const query = { container: id, repo, tag }
    return callEngine(connection, 'commit an image', { method: 'POST', path: '/commit', query, body })
  }
  await commit(OTHER_IMAGE, { Cmd: ['other'] })
  await commit(RICH_IMAGE, {
    Cmd: facts.command,
    Entrypoint: facts.entrypoint,
    Env: Object.entries(facts.environment).map(([name, value]) => `${name}=${value}`),
    User: facts.user,
    WorkingDir: facts.working_dir,
    Labels: facts.labels,
    ExposedPorts: Object.fromEntries(facts.expose.map((port) => [port, {}])),
    Volumes: Object.fromEntries(facts.volumes.map((path) => [path, {}])),
    StopSignal: facts.stop_signal,
    Healthcheck: { Test: facts.healthcheck?.test, Interval: 7e9, Retries: 2 },
  })
  await callEngine(connection, 'remove it', { method: 'DELETE', path: `/containers/${id}`, query: { force: true } })
}

async function cleanUp(connection: ByHand, deployment: string): Promise<void> {
  const filters = JSON.stringify({ label: [deploymentFilter(deployment)] })
  const remove = (path: string, query = {}) =>
    callEngine(connection, `remove ${path}`, { method: 'DELETE', path, query })
  const containers = await callEngine<{ Id: string }[]>(connection, 'list', {
    path: '/containers/json',
    query: { all: true, filters },
  })
  for (const { Id: id } of containers) await remove(`/containers/${id}`, { force: true, v: true })
  const networks = await callEngine<{ Id: string }[]>(connection, 'list', { path: '/networks', query: { filters } })
  for (const { Id: id } of networks) await remove(`/networks/${id}`)
  const volumes = await callEngine<{ Volumes: { Name: string }[] | null }>(connection, 'list', {
    path: '/volumes',
    query: { filters },
  })
  for (const { Name: name } of volumes.Volumes ?? []) await remove(`/volumes/${name}`)
}
