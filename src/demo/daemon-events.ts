// What the daemon's log says, line by line, as far as the demo tells of it.

export interface DaemonEvent {
  /** Milliseconds since 1970. */
  readonly time: number
  readonly event: string
  readonly message: string
  readonly leaf: string | null
  readonly leaves: readonly string[]
  /** Of `step`: what is done. */
  readonly step: string | null
  readonly undo: boolean
  /** Of `probe`. */
  readonly healthy: boolean
  readonly commit: string | null
  readonly milliseconds: number
  /** Milliseconds by leaf. */
  readonly gates: Readonly<Record<string, number>>
  readonly gaps: Readonly<Record<string, number>>
  /** Of `failed` and `fault`. */
  readonly reason: string
  readonly log: readonly string[]
}

interface Entry extends Partial<Omit<DaemonEvent, 'time' | 'leaves'>> {
  readonly time?: string
  readonly msg?: string
  readonly fault?: string
  /** What ended has more to say of each leaf than its name. */
  readonly leaves?: readonly (string | { readonly leaf: string })[]
}

/** Null for a line that is none of the daemon's entries. */
export function readEvent(line: string): DaemonEvent | null {
  try {
    const entry = JSON.parse(line) as Entry
    if (entry.event === undefined) return null
    const leaves = (entry.leaves ?? []).map((named) => (typeof named === 'string' ? named : named.leaf))
    const { event, leaf = null, step = null, undo = false, healthy = false, commit = null } = entry
    const { milliseconds = 0, gates = {}, gaps = {}, reason = '', fault = '', log = [] } = entry
    const time = Date.parse(String(entry.time))
    return {
      time,
      event,
      message: entry.msg ?? '',
      leaf,
      leaves,
      step,
      undo,
      healthy,
      commit,
      milliseconds,
      gates,
      gaps,
      reason: reason || fault,
      log,
    }
  } catch {
    return null
  }
}

/** Turns pieces of text into events; `foreign` is what was none (an error before the log began). */
export function createEventReader(): { take(text: string): DaemonEvent[]; readonly foreign: readonly string[] } {
  let rest = ''
  const foreign: string[] = []
  return {
    foreign,
    take(text) {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      return lines.flatMap((line) => {
        const event = readEvent(line)
        if (event === null && line.trim() !== '') foreign.push(line)
        return event === null ? [] : [event]
      })
    },
  }
}
