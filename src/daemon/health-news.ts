// Tells when the health of what is live turns: by graft's own probes, else by the engine's checks.

import type { Leaf } from '../desired/tree.ts'
import { liveName } from '../plan/names.ts'
import type { ObservedContainer } from '../plan/observed.ts'
import type { Turn } from './reconcile.ts'

export interface HealthTurn {
  readonly leaf: string
  readonly generation: number
  readonly healthy: boolean
  /** What graft's own probe saw last; null where the engine runs the check. */
  readonly output: string | null
  /** Nothing follows from it, because its file says so. */
  readonly ignored: boolean
}

/** What graft's own probes know, by leaf. */
export interface Probed {
  readonly healthy: ReadonlyMap<string, boolean>
  readonly output: (leaf: string) => string | null
}

/** The returned function gives what has turned since it was called last; what a leaf begins with is no news. */
export function createHealthNews(): (turn: Turn, probed: Probed) => HealthTurn[] {
  const known = new Map<string, boolean>()
  return ({ wish, observed }, probed) => {
    const live = new Map(observed.containers.map((container) => [container.name, container]))
    const turns: HealthTurn[] = []
    for (const leaf of wish.tree.leaves.values()) {
      const container = live.get(liveName(wish.tree.prefix, leaf.name))
      const healthy = leaf.kind === 'job' || container === undefined ? null : healthOf(leaf, container, probed)
      if (healthy === null || container === undefined) continue
      const before = known.get(leaf.name)
      known.set(leaf.name, healthy)
      if (before === undefined || before === healthy) continue
      const output = leaf.probe === null || healthy ? null : probed.output(leaf.name)
      const { generation } = container.labels
      turns.push({ leaf: leaf.name, generation, healthy, output, ignored: leaf.on_unhealthy === 'ignore' })
    }
    for (const name of known.keys()) if (!wish.tree.leaves.has(name)) known.delete(name)
    return turns
  }
}

/** Null where nothing is known now: it starts, it does not run, it has no check. */
function healthOf(leaf: Leaf, container: ObservedContainer, probed: Probed): boolean | null {
  if (container.state !== 'running') return null
  if (leaf.probe !== null) return probed.healthy.get(leaf.name) ?? null
  if (container.health === 'none' || container.health === 'starting') return null
  return container.health === 'healthy'
}
