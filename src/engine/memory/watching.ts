// What waits on an engine in memory: events, the exit of a container, its log. Wakes for changes that somebody makes
// and for those that time brings.

import { EngineFault } from '../../apply/engine.ts'
import type { EngineEvent, LogLine, LogOptions } from '../../apply/engine.ts'
import type { ContainerState } from '../../plan/observed.ts'
import { get } from './containers.ts'
import { catchUp, nextTransition } from './lifecycle.ts'
import type { World, WorldEvent } from './world.ts'

const LIVE: ReadonlySet<ContainerState> = new Set(['running', 'paused', 'restarting'])

/** Listens from the call on, not from the first `next`. Ends quietly on an abort; throws when the engine goes down. */
export function events(world: World, deployment: string, signal: AbortSignal): AsyncIterable<EngineEvent> {
  const queue: WorldEvent[] = []
  const listener = (told: WorldEvent) => queue.push(told)
  world.listeners.add(listener)
  return (async function* () {
    try {
      for (;;) {
        catchUp(world)
        const told = queue.shift()
        if (told?.kind === 'down') throw connectionBroke()
        if (told?.deployment === deployment) yield told.event
        if (signal.aborted) return
        if (told === undefined) await nextChange(world, signal)
      }
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      world.listeners.delete(listener)
    }
  })()
}

export async function waitForExit(world: World, id: string, signal: AbortSignal): Promise<{ exitCode: number }> {
  const container = get(world, id)
  let down = false
  const listener = (told: WorldEvent) => {
    down ||= told.kind === 'down'
  }
  world.listeners.add(listener)
  try {
    for (;;) {
      signal.throwIfAborted()
      catchUp(world)
      if (down) throw connectionBroke()
      // One that its policy brings back still counts as running.
      if (!LIVE.has(container.state)) return { exitCode: container.exitCode }
      await nextChange(world, signal)
    }
  } finally {
    world.listeners.delete(listener)
  }
}

export async function* logs(world: World, id: string, options: LogOptions): AsyncGenerator<LogLine, void, undefined> {
  const signal = options.signal ?? new AbortController().signal
  if (signal.aborted) return
  const container = get(world, id)
  let given = options.tail === undefined ? 0 : Math.max(0, container.log.length - options.tail)
  for (;;) {
    catchUp(world)
    yield* container.log.slice(given)
    given = container.log.length
    if (options.follow !== true || !LIVE.has(container.state) || signal.aborted) return
    try {
      await nextChange(world, signal)
    } catch (error) {
      if (signal.aborted) return
      throw error
    }
  }
}

/** Resolves at the next change, whoever brings it; rejects with the signal's reason. */
function nextChange(world: World, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const alarm = new AbortController()
    const finish = () => {
      world.listeners.delete(changed)
      signal.removeEventListener('abort', aborted)
      alarm.abort()
    }
    const changed = () => {
      finish()
      resolve()
    }
    const aborted = () => {
      finish()
      reject(signal.reason)
    }
    if (signal.aborted) return reject(signal.reason)
    world.listeners.add(changed)
    signal.addEventListener('abort', aborted)
    const due = nextTransition(world)
    // An alarm that is taken back ends at once, after everything here is settled.
    if (due !== null) void world.clock.sleep(Math.max(0, due - world.clock.steady()), alarm.signal).then(changed)
  })
}

function connectionBroke(): EngineFault {
  return new EngineFault('unreachable', 'the connection to the engine in memory broke', 'See whether the engine runs')
}
