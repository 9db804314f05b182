// A whole deployment in memory: graft's own reconciler on the engine in memory, with graft "killed" at any engine call,
// and a watch that sees every change of every container.

import type { Engine } from '../../../src/apply/engine.ts'
import type { Tree } from '../../../src/desired/tree.ts'
import { createReconciler, type Reconciler, type ReconcilerOptions, type Wish } from '../../../src/daemon/reconcile.ts'
import type { MemoryEngine } from '../../../src/engine/memory/memory-engine.ts'
import type { DepartedLeaf } from '../../../src/plan/planning.ts'
import { runDigest, type Host } from '../plan/build.ts'

export function wishOf(tree: Tree, before: Tree | null = null, more: Partial<Wish> = {}): Wish {
  const departed = new Map<string, DepartedLeaf>()
  for (const leaf of before?.leaves.values() ?? []) {
    departed.set(leaf.name, { prune: leaf.prune, dependencies: [...leaf.dependencies.keys()] })
  }
  return {
    tree,
    refused: new Map(),
    departed,
    removals: { limit: () => 100, confirmed: false },
    bind: () => Promise.resolve(),
    ...more,
  }
}

export function reconcilerOn(
  host: Host,
  engine: Engine = host.engine,
  more: Partial<ReconcilerOptions> = {},
): Reconciler {
  return createReconciler({
    engine,
    clock: host.clock,
    runDigest,
    mirror: (reference) => reference,
    parallel: 4,
    report: () => undefined,
    probed: () => new Map(),
    onChange: () => undefined,
    ...more,
  })
}

/** Turns until nothing is left to do, in virtual time. */
export function settle(host: Host, wish: Wish, reconciler = reconcilerOn(host)): ReturnType<Reconciler['settle']> {
  return host.clock.run(reconciler.settle(wish, new AbortController().signal))
}

export class Killed extends Error {}

export interface KillAt {
  /** 1-based among the calls. */
  readonly call: number
  readonly moment: 'before' | 'after'
}

/** The engine as a process sees it that is killed at one call: nothing it does from then on has any effect. */
export function mortal(engine: MemoryEngine, kill: KillAt | null): { engine: Engine; calls: () => readonly string[] } {
  const calls: string[] = []
  const isDead = () => kill !== null && calls.length > kill.call
  const mortalEngine = new Proxy<Engine>(engine, {
    get(target, key, receiver) {
      const value: unknown = Reflect.get(target, key, receiver)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        calls.push(String(key))
        const isLast = kill !== null && calls.length === kill.call
        if (isDead() || (isLast && kill.moment === 'before')) return dead(key)
        const result: unknown = Reflect.apply(value, target, args)
        return isLast && result instanceof Promise ? result.then(die, die) : result
      }
    },
  })
  return { engine: mortalEngine, calls: () => calls }
}

function die(): never {
  throw new Killed()
}

function dead(key: string | symbol): unknown {
  if (key !== 'logs' && key !== 'events') return Promise.reject(new Killed())
  return (async function* () {
    await Promise.reject(new Killed())
    yield undefined
  })()
}

export interface Seen {
  most: number
  fewest: number
}

/** Most and fewest running containers of each leaf, seen after every single change. */
export function watch(engine: MemoryEngine, leaves: readonly string[]): ReadonlyMap<string, Seen> {
  const world = engine.world()
  const seen = new Map(leaves.map((leaf) => [leaf, { most: 0, fewest: Number.POSITIVE_INFINITY }]))
  const look = () => {
    for (const [leaf, counts] of seen) {
      const running = [...world.containers.values()].filter(
        ({ labels, state }) => labels?.leaf === leaf && (state === 'running' || state === 'paused'),
      ).length
      counts.most = Math.max(counts.most, running)
      counts.fewest = Math.min(counts.fewest, running)
    }
  }
  world.listeners.add(look)
  look()
  return seen
}

/** Every container of the deployment: name → `STATE gGENERATION POLICY`. */
export function standing(engine: MemoryEngine): Record<string, string> {
  const lines = [...engine.world().containers.values()].map(
    ({ name, state, labels, restartPolicy }) =>
      [name, `${state} g${labels?.generation ?? '?'} ${restartPolicy}`] as const,
  )
  return Object.fromEntries(lines.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
