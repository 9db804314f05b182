// What is done to a container that exists. Every call may be repeated: what is already so is no error.

import { setTimeout as sleep } from 'node:timers/promises'

import type { Leaf } from '../desired/tree.ts'
import { compareVersions } from '../plan/api-needs.ts'
import { CONFIG_PATH } from '../plan/ingress-config.ts'
import { type EngineRequest, rawCall } from './call.ts'
import type { EngineConnection } from './connect.ts'
import { updateOptions } from './create-limits.ts'
import { endpointOptions } from './create-networking.ts'
import { blamesCommand, engineWords, startFailed, statusOf, toEngineFault } from './faults.ts'
import { ownsSecretsFolder } from './secret-files.ts'
import type { WireContainer } from './wire.ts'

/** Milliseconds between the two signals that end an ingress. */
const SECOND_SIGNAL = 250
/** The engine's own grace period, in seconds. */
const USUAL_GRACE = 10

/** Rejects with `start-failed` where the container's own command could not be run. */
export async function startContainer(connection: EngineConnection, id: string): Promise<void> {
  const what = `start container ${short(id)}`
  try {
    await act(connection, id, { method: 'POST', path: `${at(id)}/start`, times: 2 })
  } catch (error) {
    throw blamesCommand(engineWords(error)) ? startFailed(error, what) : toEngineFault(error, connection.url, what)
  }
}

/** A paused container is woken first: asleep it cannot hear the signal. */
export async function stopContainer(connection: EngineConnection, id: string): Promise<void> {
  await attempt(connection, `stop container ${short(id)}`, async () => {
    const { Config: config, State: state } = await rawCall<WireContainer>(connection, { path: `${at(id)}/json` })
    if (state.Status === 'paused') await unpauseContainer(connection, id)
    if (config.Cmd?.includes(CONFIG_PATH) === true && state.Status === 'running') await endSoftly(connection, id)
    const waits = (config.StopTimeout ?? USUAL_GRACE) * 1000
    await act(connection, id, { method: 'POST', path: `${at(id)}/stop`, waits })
  })
}

/**
 * HAProxy loses a signal that comes while it takes over a configuration, and would be killed with all its connections
 * when its grace period is over. So an ingress is told twice: here, and when it is stopped.
 */
async function endSoftly(connection: EngineConnection, id: string): Promise<void> {
  const request: EngineRequest = { method: 'POST', path: `${at(id)}/kill`, query: { signal: 'SIGUSR1' } }
  await act(connection, id, request, /is not running/i)
  await sleep(SECOND_SIGNAL)
}

export async function unpauseContainer(connection: EngineConnection, id: string): Promise<void> {
  await attempt(connection, `unpause container ${short(id)}`, async () => {
    await act(connection, id, { method: 'POST', path: `${at(id)}/unpause` }, /is not paused|is not running/i)
  })
}

/** `no`, `always`, `unless-stopped`, `on-failure[:N]`. */
export async function setRestartPolicy(connection: EngineConnection, id: string, policy: string): Promise<void> {
  const [name = 'no', retries = '0'] = policy.split(':')
  const body = { RestartPolicy: { Name: name, MaximumRetryCount: Number(retries) } }
  await attempt(connection, `set the restart policy of container ${short(id)} to ${policy}`, async () => {
    await act(connection, id, { method: 'POST', path: `${at(id)}/update`, body })
  })
}

/** Sets the limits named by `fields` to what the leaf's spec says. */
export async function updateLimits(
  connection: EngineConnection,
  id: string,
  leaf: Leaf,
  fields: readonly string[],
): Promise<void> {
  const body = updateOptions(leaf.spec, fields)
  if (Object.keys(body).length === 0) return
  await attempt(connection, `update the limits of container ${short(id)}`, async () => {
    await act(connection, id, { method: 'POST', path: `${at(id)}/update`, body })
  })
}

/** Rejects with `name-taken` where another container has the name. */
export async function renameContainer(connection: EngineConnection, id: string, name: string): Promise<void> {
  await attempt(connection, `rename container ${short(id)} to ${name}`, async () => {
    const request: EngineRequest = { method: 'POST', path: `${at(id)}/rename`, query: { name } }
    await act(connection, id, request, /same name as its current name/i)
  })
}

/** By force, without its volumes. */
export async function removeContainer(connection: EngineConnection, id: string): Promise<void> {
  await attempt(connection, `remove container ${short(id)}`, async () => {
    try {
      const query = { force: true, v: await hasSecretsFolder(connection, id) }
      await act(connection, id, { method: 'DELETE', path: at(id), query, times: 2 })
    } catch (error) {
      const status = statusOf(error)
      if (status === 404) return
      if (status === 409 && /already in progress/i.test(engineWords(error))) return untilGone(connection, id)
      throw error
    }
  })
}

/** A folder of secrets is a volume without a name, which nobody else can have: it goes with its container. */
async function hasSecretsFolder(connection: EngineConnection, id: string): Promise<boolean> {
  const container = await rawCall<WireContainer>(connection, { path: `${at(id)}/json` })
  return ownsSecretsFolder(container)
}

/** Joins the leaf's network with its aliases and addresses. */
export async function connectNetwork(
  connection: EngineConnection,
  id: string,
  leaf: Leaf,
  network: string,
  networkName: string,
): Promise<void> {
  const macPerNetwork = compareVersions(connection.facts.apiVersion, '1.44') >= 0
  const body = { Container: id, EndpointConfig: endpointOptions(leaf.spec, network, macPerNetwork) }
  await attempt(connection, `connect container ${short(id)} to network ${networkName}`, async () => {
    const path = `/networks/${encodeURIComponent(networkName)}/connect`
    await act(connection, id, { method: 'POST', path, body }, /already exists in network|already attached to network/i)
  })
}

/** Leaves a network; one that is gone, or not joined, is no error. */
export async function disconnectNetwork(connection: EngineConnection, id: string, networkName: string): Promise<void> {
  await attempt(connection, `disconnect container ${short(id)} from network ${networkName}`, async () => {
    const path = `/networks/${encodeURIComponent(networkName)}/disconnect`
    const done = /is not connected to( the)? network|network \S+ not found/i
    await act(connection, id, { method: 'POST', path, body: { Container: id, Force: false } }, done)
  })
}

/** Words of the engine that match `done` say that it is already so. Whatever comes of it, the container is read anew. */
async function act(connection: EngineConnection, id: string, request: EngineRequest, done?: RegExp): Promise<void> {
  try {
    await rawCall(connection, request)
  } catch (error) {
    if (done === undefined || statusOf(error) === null || !done.test(engineWords(error))) throw error
  } finally {
    connection.memory.forget(id)
  }
}

async function attempt(connection: EngineConnection, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    throw toEngineFault(error, connection.url, what)
  }
}

async function untilGone(connection: EngineConnection, id: string): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    try {
      await rawCall(connection, { path: `${at(id)}/json` })
    } catch (error) {
      if (statusOf(error) === 404) return
      throw error
    }
    await sleep(100)
  }
  throw new Error('the engine is removing it and does not finish')
}

function at(id: string): string {
  return `/containers/${encodeURIComponent(id)}`
}

function short(id: string): string {
  return /^[0-9a-f]{64}$/.test(id) ? id.slice(0, 12) : id
}
