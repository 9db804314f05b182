// A job runs to its end: exit 0 is success, anything else blames its spec, with the last lines of its log.

import type { Leaf } from '../desired/tree.ts'
import type { Clock } from './clock.ts'
import { EngineFault, type Engine } from './engine.ts'
import { EXIT_GRACE, fromOutside, Interference, pausedFault, stoppedFault } from './exit-blame.ts'
import { lastLines } from './log-tail.ts'
import { SpecFailure, Superseded } from './outcome.ts'

export interface JobOptions {
  readonly engine: Engine
  readonly clock: Clock
  readonly leaf: Leaf
  readonly id: string
  readonly signal: AbortSignal
}

/** Resolves with the milliseconds it took; throws SpecFailure, Superseded or EngineFault. */
export async function waitForJob({ engine, clock, leaf, id, signal }: JobOptions): Promise<number> {
  const begun = clock.steady()
  const inner = new AbortController()
  const stop = () => inner.abort()
  signal.addEventListener('abort', stop)
  let late = false
  void clock.sleep(leaf.update.deadline, inner.signal).then(() => {
    if (!inner.signal.aborted) {
      late = true
      inner.abort()
    }
  })
  try {
    const { exitCode } = await engine.waitForExit(id, inner.signal)
    if (exitCode === 0) return clock.steady() - begun
    await clock.sleep(EXIT_GRACE)
    const container = await engine.inspect(id)
    if (container !== null && (await fromOutside(engine, container, exitCode)))
      throw stoppedFault(`the job ${leaf.name}`)
    const how = container?.oomKilled === true ? 'ran out of memory' : `exited with code ${exitCode}`
    throw new SpecFailure(leaf.name, how, await lastLines(engine, id))
  } catch (error) {
    // Also where the engine went away in the grace: then nobody is to blame yet.
    if (late && !(error instanceof EngineFault)) {
      const container = await engine.inspect(id)
      // One that its engine starts again and again never ends.
      if (container !== null && container.restartPolicy !== 'no') throw againFault(leaf)
      if (container?.state === 'paused') throw pausedFault({ who: `the job ${leaf.name}` })
      const limit = leaf.update.deadline / 1000
      throw new SpecFailure(leaf.name, `did not end within ${limit} s`, await lastLines(engine, id))
    }
    if (signal.aborted && !(error instanceof SpecFailure)) throw new Superseded(String(signal.reason ?? 'stopped'))
    if (error instanceof SpecFailure || error instanceof EngineFault) throw error
    throw new EngineFault('engine', `waiting for the job ${leaf.name} failed: ${String(error)}`, 'It is tried again', {
      cause: error,
    })
  } finally {
    signal.removeEventListener('abort', stop)
    inner.abort()
  }
}

function againFault({ name }: Leaf): Interference {
  return new Interference(
    'engine',
    `somebody gave the job ${name} a restart policy, so it never ends`,
    'It is run anew',
  )
}
