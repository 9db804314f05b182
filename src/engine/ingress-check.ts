// Asks an ingress container which configuration it serves: by HTTP, on its own loopback address of the engine's host.

import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

import type Dockerode from 'dockerode'

import type { ProbeResult } from '../apply/engine.ts'
import { checkAddress } from '../plan/ingress-address.ts'
import { rawCall } from './call.ts'
import type { EngineConnection } from './connect.ts'
import { statusOf, toEngineFault } from './faults.ts'
import { answerByHelper } from './helper-answer.ts'
import { LIVE_FILE, readFile } from './ingress-file.ts'

/** One question, in milliseconds. */
const TIMEOUT = 2_000
/** An old process may still take connections for a moment after the new one does. */
const ANSWERS_IN_A_ROW = 3

/**
 * The digest in the answer of the container with this full id; null where it does not run or does not answer. Where
 * graft cannot reach the engine's loopback addresses, a container of `helperImage` asks.
 */
export async function ingressDigest(
  connection: EngineConnection,
  id: string,
  checkPort: number,
  helperImage: string,
): Promise<string | null> {
  const at = (port: number) => `http://${checkAddress(id)}:${port}/`
  const url = at(checkPort)
  if (connection.facts.addressesReachable) {
    const digest = readDigest(await askDirectly(url))
    if (digest !== null) return digest
    const other = await portInForce(connection, id)
    return other === null || other === checkPort ? null : readDigest(await askDirectly(at(other)))
  }
  let info: Dockerode.ContainerInspectInfo
  try {
    info = await rawCall(connection, { path: `/containers/${id}/json` })
  } catch (error) {
    if (statusOf(error) === 404) return null
    throw toEngineFault(error, connection.url, `look at container ${id.slice(0, 12)}`)
  }
  if (!info.State.Running || info.State.Paused) return null
  return readDigest(await answerByHelper(connection, info, url, TIMEOUT, helperImage))
}

/** One that was told another check port goes on answering on its own until it has taken over its next configuration. */
async function portInForce(connection: EngineConnection, id: string): Promise<number | null> {
  const text = await readFile(connection, id, LIVE_FILE)
  const port = new RegExp(`^\\s*bind ${checkAddress(id).replaceAll('.', '\\.')}:(\\d+)`, 'm').exec(text ?? '')?.[1]
  return port === undefined ? null : Number(port)
}

/** The probe of the kind `ingress`: healthy where a configuration of graft's is served, whichever. */
export async function probeIngress(
  connection: EngineConnection,
  id: string,
  checkPort: number,
  helperImage: string,
): Promise<ProbeResult> {
  const digest = await ingressDigest(connection, id, checkPort, helperImage)
  return digest === null
    ? { healthy: false, output: `no answer on ${checkAddress(id)}:${checkPort}` }
    : { healthy: true, output: `serves configuration ${digest.slice(0, 12)}` }
}

/** Whether `wanted` (null: any) is served, and by nothing else, within `timeout` milliseconds. */
export async function untilServed(
  ask: () => Promise<string | null>,
  wanted: string | null,
  timeout: number,
): Promise<boolean> {
  const end = performance.now() + timeout
  for (let inARow = 0; ;) {
    const digest = await ask()
    inARow = digest !== null && (wanted === null || digest === wanted) ? inARow + 1 : 0
    if (inARow >= (wanted === null ? 1 : ANSWERS_IN_A_ROW)) return true
    if (performance.now() > end) return false
    if (inARow === 0) await sleep(15)
  }
}

function readDigest(answer: string): string | null {
  return /\b([0-9a-f]{64})\b/.exec(answer)?.[1] ?? null
}

/** Empty where there is none. */
function askDirectly(url: string): Promise<string> {
  return new Promise((resolve) => {
    const asked = request(url, { agent: false, timeout: TIMEOUT }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        text += part
        if (text.length > 4096) asked.destroy()
      })
      response.on('end', () => resolve(response.statusCode === 200 ? text : ''))
      response.on('close', () => resolve(''))
    })
    asked.on('timeout', () => asked.destroy())
    asked.on('error', () => resolve(''))
    asked.on('close', () => resolve(''))
    asked.end()
  })
}
