// The clients of the fleet: two for each web, one with a new connection for each request, one that keeps its own. What a
// client loses is judged by the leaf that it asks.

import { startLoad } from '../engine/load/client.ts'
import type { Fleet } from './fleet.ts'

/** Milliseconds that a client waits for an answer. */
export const CLIENT_PATIENCE = 5_000
/** Milliseconds between two requests of one client. */
const PACE = 80

/** What clients of some leaves were answered. */
export interface Answered {
  readonly requests: number
  readonly failed: number
  /** The longest time that one client was without an answer, milliseconds. */
  readonly pause: number
  /** When and how requests failed; of the first 200 of all clients. */
  readonly failures: readonly string[]
}

export interface Clients {
  /** Since the last take: the clients of these leaves. */
  take(leaves: ReadonlySet<string>): Promise<Answered>
  stop(): Promise<void>
}

/** The webs that have to answer. */
export function served(fleet: Fleet): Set<string> {
  return new Set(fleet.leaves.flatMap(({ kind, name, live }) => (kind === 'web' && live !== null ? [name] : [])))
}

export function startClients({ leaves }: Fleet): Clients {
  const webs = leaves.filter(({ kind }) => kind === 'web')
  const http = webs.map(({ port }) => ({ host: '127.0.0.1', port }))
  const each = webs.length
  const load = startLoad({ http, fresh: each, kept: each, paceMs: PACE, patienceMs: CLIENT_PATIENCE })
  const asks = (client: string) => webs[Number(/\d+$/.exec(client)?.[0] ?? 0) % each]?.name ?? ''
  return {
    async take(of) {
      const { clients, failures } = await load.take()
      const counted = Object.entries(clients).flatMap(([client, figures]) => (of.has(asks(client)) ? [figures] : []))
      return {
        requests: counted.reduce((sum, { succeeded, failed }) => sum + succeeded + failed, 0),
        failed: counted.reduce((sum, { failed }) => sum + failed, 0),
        pause: Math.round(Math.max(0, ...counted.map(({ pause }) => pause))),
        failures: failures.flatMap(({ at, client, kind, detail }) =>
          of.has(asks(client)) ? [`${new Date(at).toISOString()} ${asks(client)} ${kind} ${detail}`] : [],
        ),
      }
    },
    stop: async () => void (await load.stop()),
  }
}
