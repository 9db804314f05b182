// graft's own probes of live containers (http, tcp and that of the ingress), for good: what the engine does itself for
// command checks.

import type { Clock } from '../apply/clock.ts'
import type { Engine } from '../apply/engine.ts'
import type { Leaf, Probe } from '../desired/tree.ts'
import { liveName } from '../plan/names.ts'
import type { Turn } from './reconcile.ts'

export interface HealthWatch {
  /** Probes what runs after a turn, and nothing else any more. */
  follow(turn: Turn): void
  /**
   * By leaf: false after `retries` failures in a row, true after a success; absent until one of the two. What runs
   * another generation than is declared has to succeed once before its failures count.
   */
  seen(): ReadonlyMap<string, boolean>
  /** What the last probe of a leaf saw, for a person; null for none. */
  output(leaf: string): string | null
}

interface Watched {
  readonly containerId: string
  readonly startedAt: number | null
  readonly probe: Probe
  /** Whether the probe was declared with this generation of the container; another one's need not fit. */
  readonly isItsOwn: boolean
  readonly stop: AbortController
}

export function createHealthWatch(
  engine: Engine,
  clock: Clock,
  signal: AbortSignal,
  onChange: () => void,
): HealthWatch {
  const watched = new Map<string, Watched>()
  const seen = new Map<string, boolean>()
  const outputs = new Map<string, string>()
  /** When graft looked last, by the steady clock. */
  let lookedAt: number | null = null
  signal.addEventListener('abort', () => {
    for (const { stop } of watched.values()) stop.abort()
  })

  /**
   * Milliseconds; the engine's clock may be another than this host's, ahead or behind. What is new in this look started
   * after the one before.
   */
  function upFor(startedAt: number | null): number {
    const most = lookedAt === null ? Number.POSITIVE_INFINITY : clock.steady() - lookedAt
    return Math.min(most, Math.max(0, clock.now() - (startedAt ?? clock.now())))
  }

  async function watch(leaf: string, { containerId, startedAt, probe, isItsOwn, stop }: Watched): Promise<void> {
    let failures = 0
    let fits = isItsOwn
    const graceUntil = clock.steady() + probe.start_period - upFor(startedAt)
    while (!stop.signal.aborted) {
      await clock.sleep(probe.interval, stop.signal)
      if (stop.signal.aborted) return
      // An engine that does not answer says nothing about the container.
      const result = await engine.probe(containerId, probe, probe.timeout).catch(() => null)
      if (result === null || stop.signal.aborted) continue
      const { healthy, output } = result
      outputs.set(leaf, output)
      failures = healthy ? 0 : failures + 1
      fits ||= healthy
      const isSick = fits && failures >= probe.retries && clock.steady() > graceUntil
      const verdict = healthy ? true : isSick ? false : undefined
      if (verdict === undefined || seen.get(leaf) === verdict) continue
      seen.set(leaf, verdict)
      onChange()
    }
  }

  function drop(leaf: string): void {
    watched.get(leaf)?.stop.abort()
    watched.delete(leaf)
    seen.delete(leaf)
    outputs.delete(leaf)
  }

  return {
    follow({ wish, observed }) {
      if (signal.aborted) return
      const live = new Map(observed.containers.map((container) => [container.name, container]))
      const wanted = new Map<string, Watched>()
      for (const leaf of wish.tree.leaves.values()) {
        const container = live.get(liveName(wish.tree.prefix, leaf.name))
        if (!isProbed(leaf) || container?.state !== 'running') continue
        const { id, startedAt, labels } = container
        const isItsOwn = labels.generation === leaf.generation
        const stop = new AbortController()
        wanted.set(leaf.name, { containerId: id, startedAt, probe: leaf.probe, isItsOwn, stop })
      }
      for (const [leaf, old] of watched) {
        const next = wanted.get(leaf)
        if (next !== undefined && isSame(next, old)) wanted.delete(leaf)
        else drop(leaf)
      }
      for (const [leaf, next] of wanted) {
        watched.set(leaf, next)
        void watch(leaf, next)
      }
      lookedAt = clock.steady()
    },
    seen: () => seen,
    output: (leaf) => outputs.get(leaf) ?? null,
  }
}

/** A commit that is read afresh may make an equal probe anew. */
function isSame(next: Watched, old: Watched): boolean {
  if (next.containerId !== old.containerId || next.startedAt !== old.startedAt) return false
  if (next.isItsOwn && !old.isItsOwn) return false
  return next.probe === old.probe || JSON.stringify(next.probe) === JSON.stringify(old.probe)
}

function isProbed(leaf: Leaf): leaf is Leaf & { readonly probe: Probe } {
  return leaf.probe !== null && leaf.kind === 'container' && leaf.state === 'running' && !leaf.suspend
}
