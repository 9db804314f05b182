// The gate: a candidate proves itself before it becomes live. graft runs the check itself, quickly at first, so that a
// candidate is known to be ready when it is ready and not at the next tick of a long interval.

import type { Leaf } from '../desired/tree.ts'
import { chooseCheck, runCheck } from './check.ts'
import type { Clock } from './clock.ts'
import { EngineFault, type Engine, type ProbeResult } from './engine.ts'
import { blameExit, inspectSuspect, specFailure, type Suspect } from './exit-blame.ts'
import { Superseded } from './outcome.ts'
import { AWAY_AFTER, withPulse } from './pulse.ts'

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
const SHORTEST_PAUSE = 50
const LONGEST_PAUSE = 1_000
/** Part of the time waited so far: what has taken long already is not known late by much, compared with that. */
const PAUSE_PART = 0.02
/** How often the engine's own view is asked for while graft probes. */
const INSPECT_EVERY = 1_000

/** Resolves with the milliseconds it took; throws SpecFailure, Superseded or EngineFault. */
export async function passGate(options: GateOptions): Promise<number> {
  const { engine, clock, leaf, id, signal } = options
  const suspect: Suspect = { engine, clock, leaf, id, who: `the candidate of ${leaf.name} at its gate`, when: '' }
  const begun = clock.steady()
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
  const blame = () => (lost ? awayMeanwhile(leaf) : blameExit(suspect))
  try {
    const check = chooseCheck(leaf, await inspectSuspect(suspect))
    const settle = leaf.update.settle ?? (check === null ? SETTLE_UNCHECKED : 0)
    let healthySince: number | null = null
    let inspected = clock.steady()
    let last: ProbeResult | null = null
    for (;;) {
      if (signal.aborted) throw new Superseded(String(signal.reason ?? 'stopped'))
      if (exited || clock.steady() - inspected >= INSPECT_EVERY) {
        const container = await inspectSuspect(suspect)
        inspected = clock.steady()
        if (exited || container.state !== 'running') await blame()
        if (container.health === 'unhealthy' && check?.kind === 'command') {
          throw await specFailure(suspect, `its health check failed: ${last?.output ?? 'unhealthy'}`)
        }
      }
      if (check !== null) {
        const running = untilAborted(runCheck(engine, leaf, id, check, deadline - clock.steady()), signal)
        last = await withPulse(running, suspect, () => (lost = true))
      }
      const healthy = last === null || last.healthy
      if (last !== null) options.onProbe(last)
      healthySince = healthy ? (healthySince ?? (check === null ? begun : clock.steady())) : null
      const now = clock.steady()
      if (healthySince !== null && now - healthySince >= settle && !exited) {
        const container = await inspectSuspect(suspect)
        if (container.state === 'running') return now - begun
        await blame()
      }
      if (now >= deadline) {
        const seen = last === null ? 'it did not stay up' : `last check: ${last.output}`
        const asked = clock.steady()
        const container = await inspectSuspect(suspect)
        if (lost || clock.steady() - asked >= AWAY_AFTER) awayMeanwhile(leaf)
        if (exited || container.state !== 'running') await blame()
        throw await specFailure(suspect, `not healthy within ${leaf.update.deadline / 1000} s; ${seen}`)
      }
      const left = healthySince === null ? deadline - now : healthySince + settle - now
      await clock.sleep(Math.max(1, Math.min(pauseAfter(now - begun), left)), inner.signal)
    }
  } finally {
    signal.removeEventListener('abort', stop)
    inner.abort()
    await exit
  }
}

/** Milliseconds between two probes after so many milliseconds at the gate. */
export function pauseAfter(waited: number): number {
  return Math.min(LONGEST_PAUSE, Math.max(SHORTEST_PAUSE, waited * PAUSE_PART))
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
