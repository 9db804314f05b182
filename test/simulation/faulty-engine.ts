// The engine as one process of graft sees it: with calls that fail before or after their effect, that take effect after
// their caller has given up, events that come late, twice or never, and a process that dies between two calls.

import type { Clock } from '../../src/apply/clock.ts'
import { EngineFault, type Engine, type EngineEvent } from '../../src/apply/engine.ts'

export type CallFault = 'refused' | 'lost' | 'reset' | 'late-answer' | 'late-effect' | 'failed' | 'failed-after'
export const CALL_FAULTS: readonly CallFault[] = [
  'refused',
  'lost',
  'reset',
  'late-answer',
  'late-effect',
  'failed',
  'failed-after',
]

export interface Weather {
  /** What happens to the next call; null: nothing. Asked once for each call. */
  fault(call: string): CallFault | null
  /** What happens to the next event; null: nothing. */
  event(): 'late' | 'twice' | 'never' | null
  /** Whether the engine answers at all. */
  isAway(): boolean
}

export interface Process {
  readonly engine: Engine
  readonly clock: Clock
  /** Calls it has made. */
  calls(): number
  /** From now on nothing it does has any effect, and nothing in it goes on. */
  kill(): void
  /** Dies at its next call but so many. */
  dieIn(calls: number, moment: 'before' | 'after'): void
  isDead(): boolean
}

export interface ProcessOptions {
  readonly engine: Engine
  readonly clock: Clock
  readonly weather: Weather
  /** What the engine is still to do for callers that gave up, by container; it outlives them. */
  readonly onTheWay: Map<unknown, Promise<unknown>>
  /** Told before a call takes effect, and after. */
  readonly onCall: (call: string, args: readonly unknown[], moment: 'before' | 'after') => void
  readonly onFault: () => void
  /** Told when a call that something befell is over, and when one has taken effect that was given up long ago. */
  readonly onDisturbed: () => void
  readonly onDeath: () => void
}

/** What the client waits for an answer. */
const PATIENCE = 60_000
/** The engine goes on with what it was asked after its caller has given up. */
const BEHIND = 20_000

const ONE_AT_A_TIME: ReadonlySet<string> = new Set([
  'start',
  'stop',
  'unpause',
  'setRestartPolicy',
  'updateLimits',
  'rename',
  'remove',
  'capture',
  'connect',
  'disconnect',
  'putFiles',
  'inspect',
])

export function startProcess({
  engine,
  clock,
  weather,
  onTheWay,
  onCall,
  onFault,
  onDisturbed,
  onDeath,
}: ProcessOptions): Process {
  let calls = 0
  let dead = false
  let end: { at: number; moment: 'before' | 'after' } | null = null

  /** Of a dead process nothing ever goes on. */
  const alive = <T>(value: T): T | Promise<T> => (dead ? new Promise<T>(() => undefined) : value)
  const die = (): void => {
    if (dead) return
    dead = true
    onDeath()
  }

  async function perform(call: string, args: readonly unknown[], effect: () => unknown): Promise<unknown> {
    calls++
    const last = end !== null && calls >= end.at
    if (last && end?.moment === 'before') die()
    await alive(null)
    if (weather.isAway()) throw away()
    // The engine does one thing at a time to one container.
    const one = ONE_AT_A_TIME.has(call) ? args[0] : undefined
    while (one !== undefined && onTheWay.has(one)) await onTheWay.get(one)
    const does = async (): Promise<unknown> => {
      onCall(call, args, 'before')
      try {
        return await effect()
      } finally {
        onCall(call, args, 'after')
      }
    }
    const fault = weather.fault(call)
    if (fault !== null) onFault()
    const result = await alive(await (fault === null ? does() : faulty(fault, one, does).finally(onDisturbed)))
    if (last) die()
    return alive(result)
  }

  async function faulty(fault: CallFault, one: unknown, does: () => Promise<unknown>): Promise<unknown> {
    switch (fault) {
      case 'refused':
        throw away()
      case 'failed':
        throw new EngineFault('engine', 'HTTP 500: something is wrong', 'It is tried again')
      case 'lost':
        await clock.sleep(PATIENCE)
        throw silent()
      case 'reset':
        await does()
        throw away()
      case 'failed-after':
        await does()
        throw new EngineFault('engine', 'HTTP 500: something is wrong', 'It is tried again')
      case 'late-answer':
        await does()
        await clock.sleep(PATIENCE)
        throw silent()
      case 'late-effect': {
        const later: Promise<unknown> = clock
          .sleep(PATIENCE + BEHIND)
          .then(does)
          .catch(() => undefined)
          .finally(() => {
            onDisturbed()
            if (onTheWay.get(one) === later) onTheWay.delete(one)
          })
        if (one !== undefined) onTheWay.set(one, later)
        await clock.sleep(PATIENCE)
        throw silent()
      }
    }
  }

  async function* events(...args: Parameters<Engine['events']>): AsyncGenerator<EngineEvent, void, undefined> {
    if (weather.isAway()) throw away()
    for await (const event of engine.events(...args)) {
      await alive(null)
      const kind = weather.event()
      if (kind === 'never') continue
      if (kind === 'late') await clock.sleep(30_000)
      yield event
      if (kind === 'twice') yield event
    }
  }

  const proxy = new Proxy<Engine>(engine, {
    get(target, key, receiver) {
      const value: unknown = Reflect.get(target, key, receiver)
      if (typeof value !== 'function') return value
      if (key === 'events') return events
      // A log is only read, for words.
      if (key === 'logs') return (...args: unknown[]): unknown => Reflect.apply(value, target, args)
      return (...args: unknown[]) => perform(String(key), args, () => Reflect.apply(value, target, args) as unknown)
    },
  })

  return {
    engine: proxy,
    clock: {
      now: () => clock.now(),
      steady: () => clock.steady(),
      sleep: async (milliseconds, signal) => {
        await clock.sleep(milliseconds, signal)
        await alive(null)
      },
    },
    calls: () => calls,
    kill: die,
    dieIn(count, moment) {
      end = { at: calls + Math.max(1, count), moment }
    },
    isDead: () => dead,
  }
}

function away(): EngineFault {
  return new EngineFault('unreachable', 'the engine does not answer: connection refused', 'See whether it runs')
}

function silent(): EngineFault {
  return new EngineFault('unreachable', 'the engine did not answer within 60 s', 'See what it does')
}
