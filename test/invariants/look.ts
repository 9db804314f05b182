// One look at everything on an engine that the invariants speak of, whichever engine it is.

export interface SeenContainer {
  readonly id: string
  readonly name: string
  /** null: nobody's that graft knows. */
  readonly deployment: string | null
  readonly leaf: string | null
  readonly generation: string | null
  readonly runDigest: string | null
  readonly commit: string | null
  /** Paused counts as running; waiting for its restart does not. */
  readonly running: boolean
  /** null: nothing checks it. */
  readonly healthy: boolean | null
  readonly restartPolicy: string
}

export interface Look {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly containers: readonly SeenContainer[]
  /** Names. */
  readonly volumes: readonly string[]
  /** What is not this deployment's → a text that differs where graft could have changed something about it. */
  readonly foreign: ReadonlyMap<string, string>
}

/** Running, and no check says otherwise. */
export function serves({ running, healthy }: SeenContainer): boolean {
  return running && healthy !== false
}
