// For how long each service had no running container under its name, from the engine's own events: exact to the
// millisecond, and without a load that would disturb what is measured.

import type Docker from 'dockerode'

export interface Availability {
  /** Longest gap of each service in milliseconds; 0 for one that always had a running container. */
  readonly gaps: ReadonlyMap<string, number>
}

export interface AvailabilityWatch {
  end(): Promise<Availability>
}

/** Which service a container serves under its present name; null for none. */
export type ServiceOf = (labels: Readonly<Record<string, string>>, name: string) => string | null

interface EngineMessage {
  readonly Type?: string
  readonly Action?: string
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Readonly<Record<string, string>> }
  readonly timeNano?: number
}

interface Known {
  labels: Readonly<Record<string, string>>
  name: string
  running: boolean
}

/** Resolves when watching has begun. Containers without `label` are not looked at. */
export async function watchAvailability(
  docker: Docker,
  label: string,
  serviceOf: ServiceOf,
): Promise<AvailabilityWatch> {
  const abort = new AbortController()
  const filters = JSON.stringify({ type: ['container'], event: ['start', 'die', 'rename', 'destroy'] })
  const options: Docker.GetEventsOptions & { abortSignal: AbortSignal } = { filters, abortSignal: abort.signal }
  const stream = await docker.getEvents(options)
  const begun = Date.now()
  let text = ''
  stream.on('data', (chunk) => (text += String(chunk)))
  stream.on('error', () => undefined)

  const known = new Map<string, Known>()
  for (const row of await docker.listContainers({ all: true, filters: { label: [label] } })) {
    const name = (row.Names[0] ?? '').slice(1)
    known.set(row.Id, { labels: row.Labels, name, running: row.State === 'running' })
  }
  return {
    async end() {
      // The last events are on their way.
      await new Promise((resolve) => setTimeout(resolve, 300))
      abort.abort()
      const messages = text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as EngineMessage)
      return { gaps: longestGaps(known, messages, begun, serviceOf, label) }
    },
  }
}

function longestGaps(
  known: Map<string, Known>,
  messages: readonly EngineMessage[],
  begun: number,
  serviceOf: ServiceOf,
  label: string,
): Map<string, number> {
  const [labelKey = ''] = label.split('=')
  const gaps = new Map<string, number>()
  const downSince = new Map<string, number>()
  const serving = (): Set<string> => {
    const names = [...known.values()].map(({ labels, name, running }) => (running ? serviceOf(labels, name) : null))
    return new Set(names.filter((name) => name !== null))
  }
  let before = serving()
  for (const service of before) gaps.set(service, 0)
  for (const { Action: action, Actor: actor, timeNano } of messages) {
    const id = actor?.ID
    const attributes = actor?.Attributes
    if (id === undefined || attributes === undefined || !(labelKey in attributes)) continue
    const at = timeNano === undefined ? begun : timeNano / 1e6
    const container = known.get(id) ?? { labels: attributes, name: '', running: false }
    container.name = attributes['name'] ?? container.name
    if (action === 'start') container.running = true
    if (action === 'die') container.running = false
    if (action === 'destroy') known.delete(id)
    else known.set(id, container)
    const now = serving()
    for (const service of before) if (!now.has(service)) downSince.set(service, at)
    for (const service of now) {
      const since = downSince.get(service)
      if (since !== undefined) gaps.set(service, Math.max(gaps.get(service) ?? 0, at - since))
      downSince.delete(service)
    }
    before = now
  }
  for (const service of downSince.keys()) gaps.set(service, Number.POSITIVE_INFINITY)
  return gaps
}
