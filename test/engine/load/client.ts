// A load of clients in a process of its own, so that what the test does meanwhile does not slow them: HTTP with and
// without keep-alive, and long-lived TCP connections with an echo every few milliseconds.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface Address {
  readonly host: string
  readonly port: number
}

export interface LoadOrder {
  /** Asked by `fresh` and `kept`, who are dealt out over them. */
  readonly http?: readonly Address[]
  /** Where the long-lived connections go: a server that answers each line with `WORD LINE`. */
  readonly echo?: readonly Address[]
  /** Clients that open a connection for each request. */
  readonly fresh?: number
  /** Clients that keep theirs. One that the server closed before anything was sent on it is opened again: no failure. */
  readonly kept?: number
  /** Clients that keep theirs, and ask seldom: every `idleMs` on average, between half and one and a half times that. */
  readonly idle?: number
  /** Milliseconds; 2500 when left out. */
  readonly idleMs?: number
  /** Long-lived connections; opened again when they end. */
  readonly long?: number
  /** Milliseconds between two requests of one client; 0, which is full speed, when left out. */
  readonly paceMs?: number
  /** Milliseconds between an echo and the next line; 5 when left out. */
  readonly echoEveryMs?: number
  /** Milliseconds until an answer or a connection counts as a time-out; 5000 when left out. */
  readonly patienceMs?: number
}

export type LoadClass = 'fresh' | 'kept' | 'idle' | 'long'

export interface ClassFigures {
  readonly tried: number
  readonly succeeded: number
  /** Kind (refused, reset, cut, time-out, wrong status, wrong answer, other) → count. */
  readonly failed: Readonly<Record<string, number>>
  /** Connections opened. */
  readonly opened: number
  /** Longest time between two successes of the class, milliseconds. */
  readonly pause: number
  /** Its beginning, milliseconds since 1970. */
  readonly pauseAt: number
  /** The same for one client alone: the worst of them. */
  readonly onePause: number
  readonly onePauseAt: number
  /** Milliseconds from the beginning of a try to its success. */
  readonly ms: { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number }
}

/** The end of a long-lived connection that the client did not end. */
export interface LongEnd {
  /** Milliseconds since 1970, like `openedAt`. */
  readonly at: number
  readonly openedAt: number
  readonly client: string
  /** The word before the last echo; null where none came. */
  readonly generation: string | null
  readonly echoes: number
  /** reset, cut (an orderly end), time-out, other. */
  readonly kind: string
  readonly detail: string
}

export interface LoadResult {
  /** Milliseconds since 1970. */
  readonly since: number
  readonly until: number
  readonly tried: number
  readonly succeeded: number
  readonly failed: number
  /** Longest time in which not one client of any class succeeded, milliseconds; what still goes on counts. */
  readonly pause: number
  readonly pauseAt: number
  readonly classes: Readonly<Record<LoadClass, ClassFigures>>
  readonly ends: readonly LongEnd[]
  /** The first 200, with their times. */
  readonly failures: readonly {
    readonly at: number
    readonly class: LoadClass
    /** The class and a number from 0, by which clients are dealt out over the addresses: `fresh0`. */
    readonly client: string
    readonly kind: string
    /** With the client. */
    readonly detail: string
  }[]
  /** What answered → how often. */
  readonly generations: Readonly<Record<string, number>>
  /** By client; of those that did anything. `pause` as in a class, for this one alone. */
  readonly clients: Readonly<
    Record<string, { readonly succeeded: number; readonly failed: number; readonly pause: number }>
  >
}

export interface Load {
  /** The figures so far. */
  look(): Promise<LoadResult>
  /** The figures since the beginning or the last `take`; those that follow begin anew. */
  take(): Promise<LoadResult>
  /** The last figures; the process is gone then. */
  stop(): Promise<LoadResult>
}

const program = fileURLToPath(new URL('client-process.mjs', import.meta.url))

export function startLoad(order: LoadOrder): Load {
  const child = fork(program, [JSON.stringify(order)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] })
  const exit = once(child, 'exit')
  let last = 0
  const waiting = new Map<number, (result: LoadResult | null) => void>()
  child.on('message', (message: { id: number; result: LoadResult }) => {
    waiting.get(message.id)?.(message.result)
    waiting.delete(message.id)
  })
  child.on('exit', () => {
    for (const answer of waiting.values()) answer(null)
    waiting.clear()
  })
  const ask = async (what: 'look' | 'take' | 'stop'): Promise<LoadResult> => {
    last += 1
    const id = last
    const result = await new Promise<LoadResult | null>((resolve) => {
      waiting.set(id, resolve)
      if (child.exitCode !== null || !child.connected) resolve(null)
      else child.send({ id, ask: what })
    })
    if (result === null) throw new Error(`the load client ended by itself (${child.exitCode ?? child.signalCode})`)
    return result
  }
  return {
    look: () => ask('look'),
    take: () => ask('take'),
    async stop() {
      const result = await ask('stop')
      await exit
      return result
    },
  }
}
