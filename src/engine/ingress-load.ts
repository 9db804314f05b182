// Gives an ingress container its configuration: checked by HAProxy, tried on the ports that are new, put in by archive
// and taken over by a signal. Whatever it does not take leaves what is served as it is.

import { EngineFault, IngressRejection, type IngressConfig } from '../apply/engine.ts'
import { callEngine } from './call.ts'
import type { EngineConnection } from './connect.ts'
import { execOnce } from './exec.ts'
import { ingressDigest, untilServed } from './ingress-check.ts'
import { FOLDER, LIVE_FILE, putFile, readFile } from './ingress-file.ts'
import { ASIDE, bindsOf, complaintIn, withBindsOnly, type Complaint } from './ingress-words.ts'
import { deploymentFilter, deploymentOf, leafOf } from './labels.ts'
import { readLogs } from './logs.ts'
import type { WireContainer, WireContainerRow } from './wire.ts'

const NEXT_FILE = 'next.cfg'
const TRY_FILE = 'try.cfg'
/** Milliseconds for HAProxy to read a configuration of thousands of ports, and to take it over. */
const CHECK_TIMEOUT = 20_000
const START_TIMEOUT = 10_000
/**
 * How long each signal is given, in milliseconds. A first process loses a signal that comes while HAProxy is starting or
 * taking over, when it serves already and does not listen for signals yet; one more reload does no harm.
 */
const PATIENCE = [1_000, 2_000, 3_000, 4_000]

/** Into a container that was not started yet; putting it twice is no error. */
export async function putIngressConfig(connection: EngineConnection, id: string, text: string): Promise<void> {
  await putFile(connection, id, LIVE_FILE, text)
}

/** See `Engine.loadIngressConfig`. */
export async function loadIngressConfig(
  connection: EngineConnection,
  id: string,
  config: IngressConfig,
  helperImage: string,
): Promise<void> {
  const ask = () => ingressDigest(connection, id, config.checkPort, helperImage)
  const container = await callEngine<WireContainer>(connection, 'look at the ingress', {
    path: `/containers/${id}/json`,
  })
  if (container.State.Status !== 'running') throw silent(id, 'does not run')
  // Nothing to talk to before it has started.
  if (!(await untilServed(ask, null, START_TIMEOUT))) throw silent(id, 'does not answer')
  const before = await readFile(connection, id, LIVE_FILE)

  await putFile(connection, id, NEXT_FILE, config.text)
  await check(connection, id)
  const text = before === null ? config.text : await withFreePorts(connection, id, config.text, before)

  const since = await lastLogTime(connection, id)
  await putFile(connection, id, LIVE_FILE, text)
  let complaint: Complaint = { words: [], lines: [] }
  for (const patience of PATIENCE) {
    await signal(connection, id)
    if (await untilServed(ask, servedBy(text, config), patience)) return
    complaint = await complaintsSince(connection, id, since)
    if (complaint.words.length > 0) break
  }
  if (before !== null) {
    await putFile(connection, id, LIVE_FILE, before)
    await signal(connection, id)
  }
  if (complaint.words.length > 0) throw new IngressRejection(complaint.words, complaint.lines)
  throw silent(id, 'did not take over its new configuration')
}

/** The digest that a text answers with: its own where ports had to be left to a neighbour. */
function servedBy(text: string, config: IngressConfig): string {
  return text === config.text ? config.digest : partialDigest(config.digest)
}

/** Not the digest that is wanted, so that the ports are taken over as soon as the neighbour is gone. */
function partialDigest(digest: string): string {
  return digest.replaceAll(/./g, '0').slice(0, -12) + digest.slice(-12)
}

async function check(connection: EngineConnection, id: string): Promise<void> {
  const result = await execOnce(connection, id, ['haproxy', '-c', '-f', `${FOLDER}/${NEXT_FILE}`], CHECK_TIMEOUT)
  if (result.healthy) return
  const { words, lines } = complaintIn(result.output, NEXT_FILE, ASIDE)
  if (words.length > 0) throw new IngressRejection(words, lines)
  throw silent(id, `could not check its new configuration: ${result.output}`)
}

/**
 * A reload that cannot bind a port stops all others for a second or two before HAProxy gives up. So new ports are bound
 * by a process that ends at once, first: it fails on purpose at its next step, a folder that is not there. A port that
 * another ingress container of the deployment holds (its predecessor, its candidate) is left to that one for now.
 */
async function withFreePorts(connection: EngineConnection, id: string, text: string, before: string): Promise<string> {
  const served = bindsOf(before)
  const fresh = new Set([...bindsOf(text)].filter((bind) => !served.has(bind)))
  if (fresh.size === 0) return text
  const trial = (binds: ReadonlySet<string>) =>
    withBindsOnly(text, (bind) => binds.has(bind)).replace(/^.*stats socket.*$/m, `  chroot ${FOLDER}/no-such-folder`)
  const taken = await tryPorts(connection, id, trial(fresh))
  if (taken === null) return text

  const neighbours = await neighbourBinds(connection, id)
  const own = new Set([...fresh].filter((bind) => !neighbours.has(bind)))
  if (own.size === fresh.size) throw new IngressRejection(taken.words, taken.lines)
  const stillTaken = own.size === 0 ? null : await tryPorts(connection, id, trial(own))
  if (stillTaken !== null) throw new IngressRejection(stillTaken.words, stillTaken.lines)
  const wanted = /string ([0-9a-f]{64})/.exec(text)?.[1] ?? ''
  const kept = withBindsOnly(text, (bind) => !fresh.has(bind) || own.has(bind))
  return kept.replace(`string ${wanted}`, `string ${partialDigest(wanted)}`)
}

/** null where all its ports can be bound. */
async function tryPorts(connection: EngineConnection, id: string, text: string): Promise<Complaint | null> {
  await putFile(connection, id, TRY_FILE, text)
  const result = await execOnce(connection, id, ['haproxy', '-db', '-f', `${FOLDER}/${TRY_FILE}`], CHECK_TIMEOUT)
  const complaint = complaintIn(result.output, TRY_FILE, /cannot chroot|Some protocols failed to start/i)
  if (complaint.words.length > 0) return complaint
  if (/cannot chroot/i.test(result.output)) return null
  throw silent(id, `could not try its new ports: ${result.output}`)
}

/** What the other running ingress containers of this one's deployment listen on. */
async function neighbourBinds(connection: EngineConnection, id: string): Promise<ReadonlySet<string>> {
  const what = 'look at the containers of the ingress'
  const own = await callEngine<WireContainer>(connection, what, { path: `/containers/${id}/json` })
  const filters = JSON.stringify({ label: [deploymentFilter(deploymentOf(own.Config.Labels) ?? '')] })
  const rows = await callEngine<WireContainerRow[]>(connection, what, { path: '/containers/json', query: { filters } })
  const binds = new Set<string>()
  for (const row of rows) {
    if (row.Id === own.Id || leafOf(row.Labels) !== leafOf(own.Config.Labels)) continue
    for (const bind of bindsOf((await readFile(connection, row.Id, LIVE_FILE)) ?? '')) binds.add(bind)
  }
  return binds
}

async function signal(connection: EngineConnection, id: string): Promise<void> {
  const query = { signal: 'SIGUSR2' }
  await callEngine(connection, `reload the ingress ${id.slice(0, 12)}`, {
    method: 'POST',
    path: `/containers/${id}/kill`,
    query,
  })
}

/** When the newest line of its log was written, by the engine's clock; a log that cannot be read has none. */
async function lastLogTime(connection: EngineConnection, id: string): Promise<number> {
  let time = 0
  try {
    for await (const line of readLogs(connection, id, { tail: 1 })) time = line.time
  } catch {
    // Some logging drivers give nothing back.
  }
  return time
}

async function complaintsSince(connection: EngineConnection, id: string, since: number): Promise<Complaint> {
  const lines: string[] = []
  try {
    for await (const line of readLogs(connection, id, { tail: 200 })) if (line.time > since) lines.push(line.text)
  } catch {
    // As above.
  }
  return complaintIn(lines.join('\n'), LIVE_FILE, ASIDE)
}

function silent(id: string, what: string): EngineFault {
  return new EngineFault('engine', `the ingress ${id.slice(0, 12)} ${what}`, 'Look at its log; it is tried again')
}
