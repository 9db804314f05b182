// What happens to a deployment's containers, as it happens. An event says when to look, never what is true.

import type { EngineEvent } from '../apply/engine.ts'
import { callForStream, rawCall } from './call.ts'
import type { EngineConnection } from './connect.ts'
import { toEngineFault } from './faults.ts'
import { jsonLines } from './json-lines.ts'
import { deploymentFilter, deploymentOf, isLock, leafOf } from './labels.ts'
import type { WireContainerRow } from './wire.ts'

/** Everything that can change what a look finds. `exec_…` is left out: graft's own checks would wake it. */
const ACTIONS = (
  'create start restart die stop kill oom pause unpause rename update destroy ' + 'health_status connect disconnect'
).split(' ')

/** One event, as far as graft reads it (Engine API 1.41, SystemEvents). */
interface Message {
  readonly Type?: string
  readonly Action?: string
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Readonly<Record<string, string>> }
  readonly time?: number
  readonly timeNano?: number
}

/**
 * Events of one deployment's containers, and of networks they are connected to or cut from. The connection is made at
 * once, not at the first `next`. Ends quietly when the signal is aborted or the engine closes the stream; throws an
 * EngineFault of kind `unreachable` when the connection breaks. While it is open, what looks remember of the engine is
 * kept, and each event makes them forget its container.
 */
export function engineEvents(
  connection: EngineConnection,
  deployment: string,
  signal: AbortSignal,
): AsyncIterable<EngineEvent> {
  const opened = open(connection, deployment, signal)
  // Whoever iterates gets the failure; until then it has an owner here.
  opened.catch(() => {})
  return follow(connection, deployment, signal, opened)
}

interface Opened {
  readonly stream: NodeJS.ReadableStream
  readonly known: Set<string>
  readonly detach: () => void
}

async function open(connection: EngineConnection, deployment: string, signal: AbortSignal): Promise<Opened> {
  // Network events carry no labels of containers, so the engine cannot filter them by deployment: that is done here.
  const filters = JSON.stringify({ type: ['container', 'network'], event: ACTIONS })
  const stream = await callForStream(connection, { path: '/events', query: { filters }, signal })
  const detach = connection.memory.attachStream()
  try {
    const query = { all: true, filters: JSON.stringify({ label: [deploymentFilter(deployment)] }) }
    const list = await rawCall<WireContainerRow[]>(connection, { path: '/containers/json', query, signal })
    return { stream, known: new Set(list.map((container) => container.Id)), detach }
  } catch (error) {
    detach()
    throw error
  }
}

async function* follow(
  connection: EngineConnection,
  deployment: string,
  signal: AbortSignal,
  opened: Promise<Opened>,
): AsyncGenerator<EngineEvent, void, undefined> {
  let detach = () => {}
  try {
    const { stream, known, detach: end } = await opened
    detach = end
    for await (const value of jsonLines(stream)) {
      const message = (typeof value === 'object' && value !== null ? value : {}) as Message
      const event = readEvent(message, deployment, known, connection.memory)
      if (event === null) continue
      connection.memory.forget(event.containerId)
      yield event
    }
  } catch (error) {
    if (!signal.aborted) throw toEngineFault(error, connection.url, 'follow the events')
  } finally {
    detach()
  }
}

/** null where it is not about this deployment. Keeps `known`, the ids of its containers, up to date. */
function readEvent(
  message: Message,
  deployment: string,
  known: Set<string>,
  { adoptions }: EngineConnection['memory'],
): EngineEvent | null {
  const isOf = (labels: Readonly<Record<string, string>>, id: string) =>
    (deploymentOf(labels) ?? adoptions.get(id)?.labels.deployment) === deployment
  const { Type: type, Action: action, Actor: actor } = message
  const attributes = actor?.Attributes ?? {}
  if (action === undefined) return null
  const time = message.timeNano === undefined ? (message.time ?? 0) * 1000 : Math.floor(message.timeNano / 1e6)
  if (type === 'network') {
    const containerId = attributes['container']
    if (containerId === undefined || !(known.has(containerId) || isOf({}, containerId))) return null
    return { action, containerId, leaf: null, time }
  }
  const containerId = actor?.ID
  if (type !== 'container' || containerId === undefined || !isOf(attributes, containerId)) return null
  // The beat of its lock says nothing of the deployment.
  if (action === 'update' && isLock(attributes)) return null
  if (action === 'destroy') known.delete(containerId)
  else known.add(containerId)
  const leaf = leafOf(attributes) ?? adoptions.get(containerId)?.labels.leaf ?? null
  return { action, containerId, leaf, time }
}
