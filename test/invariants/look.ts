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
  /** null: nothing checks it, or what checks it has said nothing yet. */
  readonly healthy: boolean | null
  /** null: not looked at. */
  readonly restartPolicy: string | null
  /** Names of the volumes that are mounted in it; absent: not looked at. */
  readonly volumes?: readonly string[]
}

export interface Look {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly containers: readonly SeenContainer[]
  /** Names; null: not looked at this time. */
  readonly volumes: readonly string[] | null
  /**
   * What is not this deployment's → a text that differs where graft could have changed something about it; null: not
   * looked at this time.
   */
  readonly foreign: ReadonlyMap<string, string> | null
  /** Keys of `foreign` whose things are this deployment's: a person may hand over what was somebody else's. */
  readonly own?: ReadonlySet<string>
}

/** Running, and no check says otherwise. */
export function serves({ running, healthy }: SeenContainer): boolean {
  return running && healthy !== false
}

/**
 * Not live yet: that it seems healthy for a moment is no promise to anybody. A name that somebody gave it at its gate
 * makes it no more.
 */
export function isCandidate({ name }: Pick<SeenContainer, 'name'>): boolean {
  return /\.next(-by-hand-\d+)?$/.test(name)
}

/** The one that an engine takes a text for: an id, a name, or the beginning of one id alone. */
export function findSeen({ containers }: Look, text: string): SeenContainer | null {
  const whole = containers.find(({ id }) => id === text) ?? containers.find(({ name }) => name === text)
  if (whole !== undefined || text === '') return whole ?? null
  const [one, ...others] = containers.filter(({ id }) => id.startsWith(text))
  return one === undefined || others.length > 0 ? null : one
}
