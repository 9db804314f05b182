// What a plan is made from, besides the tree and what was observed. Everything that moves (time, failures, what is
// being worked on) comes in as an argument, so that the same input always gives the same plan.

import type { Problem } from '../desired/problem.ts'
import type { Leaf, Tree } from '../desired/tree.ts'
import type { Observed, ObservedContainer } from './observed.ts'
import type { RunDigest } from './run-digest.ts'

export interface PlanInput {
  readonly tree: Tree
  readonly observed: Observed
  /** Leaves that the ledger or the host's policy refuses, with what to tell the person. */
  readonly refused: ReadonlyMap<string, Problem>
  /** What is known of leaves that are no longer in the tree, from the last commit that had them. */
  readonly departed: ReadonlyMap<string, DepartedLeaf>
  readonly runDigest: RunDigest
  /** The host's mirror rules: authored reference → the reference this host pulls and looks for. */
  readonly mirror: (reference: string) => string
  /** Leaves (and tables of networks and volumes) that wait after a fault, by name or id. */
  readonly waits: ReadonlyMap<string, Wait>
  /** Leaves that a table is working on now; they are left alone. */
  readonly busy: ReadonlySet<string>
  readonly removals: {
    /** The most leaves that may go without confirmation. */
    readonly limit: number
    readonly confirmed: boolean
    /** Ids of containers whose removal somebody approved. */
    readonly approved?: ReadonlySet<string>
  }
  /** The leaves that are meant: nothing is said of others, no network or volume of theirs is made, none is removed. Left out: all. */
  readonly only?: ReadonlySet<string>
  /** Health that graft's own probes saw, by leaf: true is healthy. A leaf that is absent was not probed. */
  readonly probed: ReadonlyMap<string, boolean>
  /**
   * Digest of the configuration that each running ingress container serves, by its id; null where it does not answer.
   * Empty without an ingress.
   */
  readonly ingress: ReadonlyMap<string, string | null>
  /** Leaves whose ports HAProxy did not take, so that they are not served. */
  readonly leftOut: ReadonlySet<string>
  /** Leaves that somebody asked to have a new container of the same generation, and has not got yet. */
  readonly restarts: ReadonlySet<string>
  /** Gaps that were measured when a leaf was last swapped stop-first, in milliseconds, by leaf. */
  readonly gaps: ReadonlyMap<string, number>
  /** Milliseconds since 1970. */
  readonly now: number
}

export interface DepartedLeaf {
  readonly prune: boolean
  /** Names of the leaves it depended on; these are stopped after it. */
  readonly dependencies: readonly string[]
}

/** A fault is over when its time has come, or when the leaf changes. */
export interface Wait {
  /** Generation and run digest that the fault happened with. */
  readonly generation: number
  readonly digest: string
  /** Whether it was to run or to be stopped; left out: it counts for both. */
  readonly state?: Leaf['state']
  readonly until: number
  /** One clause: `registry.example is not reachable`. */
  readonly because: string
}

/** Whether a container was made from exactly what the leaf says now. */
export function isWanted(container: ObservedContainer, leaf: Leaf, digest: string): boolean {
  return container.labels.generation === leaf.generation && container.labels.digest === digest
}

/** Whether the container runs, whatever its health. */
export function runs(container: ObservedContainer | null): boolean {
  return container !== null && (container.state === 'running' || container.state === 'restarting')
}

/** What the leaf's own check says of its container: graft's probe where it has one, else the engine's view. */
export function isUnhealthy(leaf: Leaf, live: ObservedContainer | null, probed: PlanInput['probed']): boolean {
  return leaf.probe === null ? live?.health === 'unhealthy' : probed.get(leaf.name) === false
}
