// After the switch: the old container keeps its open connections for a while, and as long as it is there to go back to,
// the new one goes on being checked. A newer commit does not end it: connections get the drain they were promised, and
// going back to the old one serves people better until the newer one is ready than a container that has failed.

import type { Leaf } from '../desired/tree.ts'
import type { ObservedContainer } from '../plan/observed.ts'
import { chooseCheck, runCheck, type Check } from './check.ts'
import type { Clock } from './clock.ts'
import { drain } from './drain.ts'
import { EngineFault, type Engine, type ProbeResult } from './engine.ts'
import { blameExit, inspectSuspect, Interference, pausedFault, specFailure, type Suspect } from './exit-blame.ts'
import type { Drain } from './outcome.ts'

export interface ProveOptions {
  readonly engine: Engine
  readonly clock: Clock
  readonly leaf: Leaf
  /** Of the new container, live by now. */
  readonly id: string
  /** How often the engine had restarted it when it was switched to; null: what the first look says. */
  readonly restarts: number | null
  /** Id of the old one. */
  readonly old: string
  /** The longest drain. */
  readonly milliseconds: number
  readonly closing: AbortSignal
  readonly onProbe: (result: ProbeResult) => void
}

const CHECK_EVERY = 1_000
const LOOK_EVERY = 250
/** Docker's default (Engine API 1.41, HealthConfig.Retries). */
const RETRIES = 3

/**
 * Resolves when the old container may go. Throws SpecFailure where the new one exits, restarts or fails its check as
 * often as its leaf allows; EngineFault where somebody paused, stopped or removed it. An engine that does not answer is no verdict.
 */
export async function prove(options: ProveOptions): Promise<Drain> {
  const { engine, clock, old, milliseconds, closing } = options
  const over = new AbortController()
  const failed = new AbortController()
  const watching = watch(options, over.signal).catch((error: unknown) => {
    failed.abort()
    throw error
  })
  watching.catch(() => {})
  try {
    return await drain({ engine, clock, id: old, milliseconds, signal: AbortSignal.any([closing, failed.signal]) })
  } finally {
    over.abort()
    await watching
  }
}

async function watch(options: ProveOptions, over: AbortSignal): Promise<void> {
  const { engine, clock, leaf, id } = options
  const when = ' after the switch'
  const suspect: Suspect = { engine, clock, leaf, id, who: `the new container of ${leaf.name}${when}`, when }
  const first = await orNoVerdict(inspectSuspect(suspect))
  if (first === null) return
  // Whatever ended it between its gate and now, its restart policy was not in force yet.
  if (first.state === 'exited') {
    throw new Interference('engine', `${suspect.who} went down while the names were switched`, 'It is tried again')
  }
  const check = chooseCheck(leaf, first)
  const inner = new AbortController()
  const ended = AbortSignal.any([over, inner.signal])
  try {
    await Promise.all([
      watchLife(options, suspect, first, check, ended),
      check === null ? undefined : repeatCheck(options, suspect, first, check, ended),
    ])
  } finally {
    inner.abort()
  }
}

/** Whether it is still the same start of the same program. What was seen before `ended` is judged to its end. */
async function watchLife(
  { engine, clock, restarts: restartsBefore }: ProveOptions,
  suspect: Suspect,
  first: ObservedContainer,
  check: Check | null,
  ended: AbortSignal,
): Promise<void> {
  const stop = new AbortController()
  let exitCode: number | null = null
  let lost = false
  let known = first
  let restarts = restartsBefore
  const waitForExit = () =>
    engine.waitForExit(suspect.id, stop.signal).then(
      (exited) => void (exitCode = exited.exitCode),
      () => void (lost = !stop.signal.aborted),
    )
  let exit = waitForExit()
  try {
    for (let container: ObservedContainer | null = first; ;) {
      let wasLost = lost
      if (container !== null) {
        const restarted =
          container.startedAt !== known.startedAt || container.restartCount > (restarts ?? known.restartCount)
        if (exitCode !== null || container.state !== 'running' || restarted) {
          if (container.state === 'paused') throw pausedFault(suspect)
          // An engine that was away may have stopped or restarted it itself: nobody can tell any more. But the old one
          // must not go while this one is down.
          if (lost && container.state !== 'running') throw downMeanwhile(suspect)
          if (!lost) {
            if (container.state === 'restarting' || container.state === 'exited') exitCode ??= container.exitCode
            await orNoVerdict(blameExit(suspect, exitCode))
            throw downMeanwhile(suspect)
          }
        }
        if (lost) {
          // What it did before is not known. What it does from here on is its own doing again.
          lost = false
          known = container
          restarts = container.restartCount
          exit = waitForExit()
        }
        if (container.health === 'unhealthy' && check?.kind === 'command') {
          throw await specFailure(suspect, `its health check failed${suspect.when}`)
        }
      }
      if (ended.aborted) return
      const pause = clock.sleep(LOOK_EVERY, ended)
      wasLost ||= lost
      await (wasLost ? pause : Promise.race([pause, exit]))
      container = await orNoVerdict(inspectSuspect(suspect))
      lost ||= container === null
    }
  } finally {
    stop.abort()
    await exit
  }
}

function downMeanwhile({ who }: Suspect): Interference {
  return new Interference('unreachable', `the engine was away, and ${who} is down since`, 'It is planned anew')
}

/** graft's own look, at least as often as the leaf's: as many failures in a row as the leaf allows blame its spec. */
async function repeatCheck(
  { engine, clock, leaf, id, onProbe }: ProveOptions,
  suspect: Suspect,
  first: ObservedContainer,
  check: Check,
  ended: AbortSignal,
): Promise<void> {
  const timing = leaf.probe ?? timingOf(first)
  const pause = Math.min(CHECK_EVERY, timing.interval ?? CHECK_EVERY)
  const over = aborted(ended)
  for (let failures = 0; !ended.aborted;) {
    const work = orNoVerdict(runCheck(engine, leaf, id, check, Number.POSITIVE_INFINITY))
    const result = await Promise.race([work, over])
    if (ended.aborted) return
    if (result !== null) {
      onProbe(result)
      failures = result.healthy ? 0 : failures + 1
      if (failures >= (timing.retries ?? RETRIES)) {
        // One that no longer runs fails its check, too; why it does not run is for the other watch to say.
        const now = await orNoVerdict(inspectSuspect(suspect))
        if (now === null || now.state !== 'running') return
        throw await specFailure(suspect, `its check failed${suspect.when}: ${result.output}`)
      }
    }
    await clock.sleep(pause, ended)
  }
}

/** Null where the engine does not answer; what somebody did to the container is told. */
async function orNoVerdict<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work
  } catch (error) {
    const isTold = error instanceof Interference || (error instanceof EngineFault && error.kind === 'not-found')
    if (error instanceof EngineFault && !isTold) return null
    throw error
  }
}

function timingOf({ running }: ObservedContainer): { readonly interval?: number; readonly retries?: number } {
  const { healthcheck } = running
  return healthcheck === undefined || 'disable' in healthcheck ? {} : healthcheck
}

function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(null)
    signal.addEventListener('abort', () => resolve(null), { once: true })
  })
}
