// The gate: a candidate proves itself before it becomes live. graft runs the check itself, quickly at first, so that a
// candidate is known to be ready when it is ready and not at the next tick of a long interval.

import type { Leaf } from '../desired/tree.ts'
import type { ObservedContainer } from '../plan/observed.ts'
import { chooseCheck, runCheck } from './check.ts'
import type { Clock } from './clock.ts'
import { EngineFault, type Engine, type ProbeResult } from './engine.ts'
import { SpecFailure, Superseded } from './outcome.ts'
import { lastLines } from './log-tail.ts'

export interface GateOptions {
  readonly engine: Engine
  readonly clock: Clock
  readonly leaf: Leaf
  readonly id: string
  readonly signal: AbortSignal
  readonly onProbe: (result: ProbeResult) => void
}

/** How long a container without any check must stay up, unless its leaf says otherwise. */
const SETTLE_UNCHECKED = 3_000
const FIRST_PAUSE = 50
const LONGEST_PAUSE = 1_000
const PAUSE_GROWTH = 1.5
/** How often the engine's own view is asked for while graft probes. */
const INSPECT_EVERY = 1_000
/** An exit is only believed when the engine still answers this much later: it may be going down itself. */
export const EXIT_GRACE = 1_500

/** Resolves with the milliseconds it took; throws SpecFailure, Superseded or EngineFault. */
export async function passGate(options: GateOptions): Promise<number> {
  const { engine, clock, leaf, id, signal } = options
  const begun = clock.now()
  const deadline = begun + leaf.update.deadline
  const inner = new AbortController()
  const stop = () => inner.abort()
  signal.addEventListener('abort', stop)
  let exited = false
  let lost = false
  const exit = engine.waitForExit(id, inner.signal).then(
    () => {
      exited = true
      inner.abort()
    },
    () => {
      // Not by our own hand: the engine was away, if only for a moment.
      lost = !inner.signal.aborted
    },
  )
  /** It exited, and that is its spec's fault only where the engine was there all along. */
  const blame = () => (lost ? awayMeanwhile(leaf) : blameExit(options))
  try {
    const check = chooseCheck(leaf, await inspect(engine, leaf, id))
    const settle = leaf.update.settle ?? (check === null ? SETTLE_UNCHECKED : 0)
    let healthySince: number | null = null
    let pause = FIRST_PAUSE
    let inspected = clock.now()
    let last: ProbeResult | null = null
    for (;;) {
      if (signal.aborted) throw new Superseded(String(signal.reason ?? 'stopped'))
      if (exited || clock.now() - inspected >= INSPECT_EVERY) {
        const container = await inspect(engine, leaf, id)
        inspected = clock.now()
        if (exited || container.state !== 'running') await blame()
        if (container.health === 'unhealthy' && check?.kind === 'command') {
          throw await failure(options, `its health check failed: ${last?.output ?? 'unhealthy'}`)
        }
      }
      if (check !== null) last = await untilAborted(runCheck(engine, leaf, id, check, deadline - clock.now()), signal)
      const healthy = last === null || last.healthy
      if (last !== null) options.onProbe(last)
      healthySince = healthy ? (healthySince ?? (check === null ? begun : clock.now())) : null
      const now = clock.now()
      if (healthySince !== null && now - healthySince >= settle && !exited) {
        const container = await inspect(engine, leaf, id)
        if (container.state === 'running') return now - begun
        await blame()
      }
      if (now >= deadline) {
        const seen = last === null ? 'it did not stay up' : `last check: ${last.output}`
        throw await failure(options, `not healthy within ${leaf.update.deadline / 1000} s; ${seen}`)
      }
      const left = healthySince === null ? deadline - now : healthySince + settle - now
      await clock.sleep(Math.max(1, Math.min(pause, left)), inner.signal)
      pause = Math.min(pause * PAUSE_GROWTH, LONGEST_PAUSE)
    }
  } finally {
    signal.removeEventListener('abort', stop)
    inner.abort()
    await exit
  }
}

async function inspect(engine: Engine, leaf: Leaf, id: string): Promise<ObservedContainer> {
  const container = await engine.inspect(id)
  if (container !== null) return container
  throw new EngineFault('not-found', `somebody removed the candidate of ${leaf.name}`, 'It is planned anew')
}

/** A newer commit does not wait for a check that hangs; what the check says then is nobody's concern. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = () => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(new Superseded(String(signal.reason ?? 'stopped')))
    signal.addEventListener('abort', stop)
  })
  work.catch(() => {})
  aborted.catch(() => {})
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function awayMeanwhile(leaf: Leaf): never {
  const message = `the engine was away while ${leaf.name} was at its gate`
  throw new EngineFault('unreachable', message, 'It is tried again')
}

async function blameExit(options: GateOptions): Promise<never> {
  await options.clock.sleep(EXIT_GRACE)
  const container = await inspect(options.engine, options.leaf, options.id)
  if (container.state === 'paused') {
    const message = `somebody paused the candidate of ${options.leaf.name} at its gate`
    throw new EngineFault('engine', message, 'Leave it running; it is tried again')
  }
  const how = container.oomKilled ? 'ran out of memory' : `exited with code ${container.exitCode}`
  throw await failure(options, container.error === '' ? how : `${how}: ${container.error}`)
}

async function failure(options: GateOptions, message: string): Promise<SpecFailure> {
  return new SpecFailure(options.leaf.name, message, await lastLines(options.engine, options.id))
}
