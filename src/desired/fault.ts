// What of a leaf a rule of the host forbids or misses. Pure.

export interface Fault {
  /** A clause: `cap_add: NET_ADMIN`, `it has no mem_limit`. */
  readonly says: string
  /** What its author can write: `write mem_limit: 2g or less`. */
  readonly right: string
}

export function fault(says: string, right: string): Fault {
  return { says, right }
}
