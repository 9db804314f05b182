// Probes a container from inside its network namespace: a container of a small image that joins it, asks once and goes.
// For engines whose containers have no address that graft can reach.

import type { Readable } from 'node:stream'

import type Dockerode from 'dockerode'

import { EngineFault } from '../apply/engine.ts'
import type { ProbeResult, NetworkTarget } from '../apply/engine.ts'
import { callForStream, rawCall } from './call.ts'
import type { EngineConnection } from './connect.ts'
import { statusOf, toEngineFault } from './faults.ts'
import { deploymentOf, helperLabels, leafOf } from './labels.ts'
import { statusIsHealthy } from './probe.ts'
import { frames } from './stream-frames.ts'

/** What the engine may take to start and remove the helper, besides the probe's own time (milliseconds). */
const OVERHEAD = 10_000
const OUTPUT_LIMIT = 8192

/**
 * `info` is the inspection of the container to probe, `address` its own as seen from inside. The helper ends by itself
 * after `timeout` milliseconds and removes itself, also when graft dies meanwhile. Throws an EngineFault of kind
 * `engine` where the image is missing: it is never pulled in passing.
 */
export async function probeByHelper(
  connection: EngineConnection,
  info: Dockerode.ContainerInspectInfo,
  address: string,
  target: NetworkTarget,
  timeout: number,
  image: string,
): Promise<ProbeResult> {
  const seconds = String(Math.max(1, Math.ceil(timeout / 1000)))
  const command = ['timeout', '-s', 'KILL', seconds, ...commandFor(address, target, seconds)]
  const helper = await createHelper(connection, info, image, command)
  const signal = AbortSignal.timeout(timeout + OVERHEAD)
  try {
    const stream = await attachHelper(connection, helper, signal)
    const query = { condition: 'next-exit' }
    const ended = rawCall<{ StatusCode?: number }>(connection, {
      method: 'POST',
      path: `/containers/${helper}/wait`,
      query,
      waits: timeout + OVERHEAD,
      signal,
    })
    // Whichever comes first decides; the other must not be left without an owner.
    ended.catch(() => {})
    await startHelper(connection, helper, signal)
    const output = await collect(stream)
    const status = target.kind === 'http' ? statusIn(output) : null
    if (target.kind === 'http' && status !== null) {
      return { healthy: statusIsHealthy(status, target.status), output: `HTTP ${status}` }
    }
    const { StatusCode: exitCode } = await ended
    return judge(target, exitCode ?? 0, output, timeout)
  } catch (error) {
    if (signal.aborted) return { healthy: false, output: `no answer within ${timeout / 1000} s` }
    throw toEngineFault(error, connection.url, 'probe from a helper container')
  } finally {
    await removeHelper(connection, helper)
  }
}

/** argv for busybox. `nc -e true` ends as soon as the connection is there; `wget -S` prints the status line. */
function commandFor(address: string, target: NetworkTarget, seconds: string): string[] {
  if (target.kind === 'tcp') return ['nc', '-w', seconds, address, String(target.port), '-e', 'true']
  const headers = Object.entries(target.headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`])
  const host = address.includes(':') ? `[${address}]` : address
  const url = `${target.scheme}://${host}:${target.port}${target.path}`
  const insecure = target.scheme === 'https' ? ['--no-check-certificate'] : []
  // Not wget's own -T: it crashes some static builds of busybox.
  return ['wget', '-S', '-O', '/dev/null', ...insecure, ...headers, url]
}

/** Resolves to its id. */
export async function createHelper(
  connection: EngineConnection,
  info: Dockerode.ContainerInspectInfo,
  image: string,
  command: string[],
): Promise<string> {
  const labels = info.Config.Labels
  try {
    const body = {
      Image: image,
      Entrypoint: ['sh'],
      // The kernel keeps a first process from being killed from inside, so the shell is that one.
      Cmd: ['-c', '"$@"; exit $?', 'probe', ...command],
      Labels: helperLabels(deploymentOf(labels) ?? '', leafOf(labels) ?? ''),
      HostConfig: { NetworkMode: `container:${info.Id}`, AutoRemove: true, ReadonlyRootfs: true, CapDrop: ['ALL'] },
    }
    const request = { method: 'POST', path: '/containers/create', body } as const
    return (await rawCall<{ Id: string }>(connection, request)).Id
  } catch (error) {
    if (statusOf(error) !== 404) throw toEngineFault(error, connection.url, 'make a helper container for a probe')
    const message = `the engine has no image ${image}, which graft needs to probe containers from inside their network`
    const remedy = `Pull ${image} on the engine, name another image with wget and nc as probe_image, or use a \`test\` as the check.`
    throw new EngineFault('engine', message, remedy, { cause: error })
  }
}

/** Before it starts, so that nothing of what it says is missed. */
export function attachHelper(connection: EngineConnection, id: string, signal: AbortSignal): Promise<Readable> {
  const query = { stream: true, stdout: true, stderr: true }
  return callForStream(connection, { method: 'POST', path: `/containers/${id}/attach`, query, signal })
}

export async function startHelper(connection: EngineConnection, id: string, signal: AbortSignal): Promise<void> {
  await rawCall(connection, { method: 'POST', path: `/containers/${id}/start`, signal })
}

/** It removes itself, too; nobody waits for it. */
export async function removeHelper(connection: EngineConnection, id: string): Promise<void> {
  const query = { force: true }
  await rawCall(connection, { method: 'DELETE', path: `/containers/${id}`, query, timeout: OVERHEAD }).catch(() => {})
}

/** Everything it says; a status line ends it, since wget goes on to follow redirects and to read a whole answer. */
async function collect(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const frame of frames(stream, false)) {
    if (text.length < OUTPUT_LIMIT) text += frame.bytes.toString('utf8')
    if (statusIn(text) !== null) break
  }
  return text
}

function statusIn(output: string): number | null {
  const digits = /^ *HTTP\/[0-9.]+ +([0-9]{3})\b.*\n/m.exec(output)?.[1]
  return digits === undefined ? null : Number(digits)
}

function judge(target: NetworkTarget, exitCode: number, output: string, timeout: number): ProbeResult {
  if (target.kind === 'tcp' && exitCode === 0) return { healthy: true, output: `port ${target.port} is open` }
  if (/refused/i.test(output)) return { healthy: false, output: 'connection refused' }
  if (exitCode === 137 || exitCode === 143 || /timed? ?out/i.test(output)) {
    return { healthy: false, output: `no answer within ${timeout / 1000} s` }
  }
  const last = output.trim().split('\n').at(-1)?.trim() ?? ''
  return { healthy: false, output: last === '' ? `the probe ended with exit ${exitCode}` : last }
}
