// Which check tells whether a container is healthy, and running it once.

import type { EngineHealthcheck } from '../desired/spec.ts'
import type { Leaf } from '../desired/tree.ts'
import type { ObservedContainer } from '../plan/observed.ts'
import { EngineFault, type Engine, type ProbeResult } from './engine.ts'

const DEFAULT_TIMEOUT = 30_000

export type Check =
  | { readonly kind: 'probe' }
  | { readonly kind: 'command'; readonly argv: readonly string[]; readonly timeout: number }

/** graft's own probe, else the command the engine would run (the leaf's or the image's), else none. */
export function chooseCheck(leaf: Leaf, container: ObservedContainer): Check | null {
  if (leaf.probe !== null) return { kind: 'probe' }
  const check: EngineHealthcheck | undefined = container.running.healthcheck
  if (check === undefined || 'disable' in check || check.test === undefined) return null
  const [form = '', ...rest] = check.test
  if (form === 'NONE') return null
  const argv = form === 'CMD-SHELL' ? ['/bin/sh', '-c', rest.join(' ')] : form === 'CMD' ? rest : check.test
  return { kind: 'command', argv, timeout: check.timeout ?? DEFAULT_TIMEOUT }
}

/** Runs it once, within its own time-out and at most `left` milliseconds. */
export async function runCheck(
  engine: Engine,
  leaf: Leaf,
  id: string,
  check: Check,
  left: number,
): Promise<ProbeResult> {
  try {
    if (check.kind === 'command') return await engine.exec(id, check.argv, Math.max(1, Math.min(check.timeout, left)))
    if (leaf.probe === null) return { healthy: true, output: '' }
    return await engine.probe(id, leaf.probe, Math.max(1, Math.min(leaf.probe.timeout, left)))
  } catch (error) {
    // The container went away between two looks; whoever asked looks again and sees how.
    if (error instanceof EngineFault && error.kind === 'not-found') return { healthy: false, output: error.message }
    throw error
  }
}
