// What must hold whatever happens, written once: docs/invariants.md says it in words. Looks go in, violations come out.

import { serves, type Look } from './look.ts'

export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8'

export interface Violation {
  readonly invariant: Invariant
  /** Milliseconds since 1970. */
  readonly at: number
  readonly text: string
}

export interface Expected {
  readonly deployment: string
  /** Whether nothing of the leaf is exclusive, so that it may never be without a healthy container. */
  readonly isStartFirst: (leaf: string) => boolean
  /** Whether there may only be one of it. */
  readonly isExclusive: (leaf: string) => boolean
  /** Whether every commit that graft may be working on wants it to run. */
  readonly isWanted: (leaf: string) => boolean
  /** Whether an accepted commit declared this generation with this run digest. */
  readonly isAccepted: (leaf: string, generation: string, runDigest: string) => boolean
  /** Volumes that are no mark of graft's own, of which none may ever go. */
  readonly isData: (volume: string) => boolean
}

export interface InvariantWatch {
  /** After each change, or as often as the engine answers. */
  see(look: Look): void
  /** graft is about to take this container down, for good or for a moment; `look` is of just before. */
  takesDown(look: Look, id: string): void
  /** graft is about to change this object of the engine. */
  touches(look: Look, id: string): void
  /** Somebody else made two of the leaf, or took it down: it counts again from its next sound look on. */
  excuse(leaf: string): void
  say(invariant: Invariant, at: number, text: string): void
  violations(): readonly Violation[]
}

/**
 * `continuity`: whether looks come often enough, and nobody else takes containers down, so that a start-first leaf
 * without a healthy container in a look is graft's doing (I1). Without it only `takesDown` judges that.
 */
export function watchInvariants(expected: Expected, { continuity }: { readonly continuity: boolean }): InvariantWatch {
  const found: Violation[] = []
  const said = new Set<string>()
  const excused = new Set<string>()
  const wasHealthy = new Set<string>()
  let volumes: ReadonlySet<string> = new Set()
  let foreign: ReadonlyMap<string, string> = new Map()

  function say(invariant: Invariant, at: number, text: string): void {
    const key = `${invariant} ${text}`
    if (said.has(key)) return
    said.add(key)
    found.push({ invariant, at, text })
  }

  const ours = (look: Look) => look.containers.filter(({ deployment }) => deployment === expected.deployment)

  return {
    say,
    violations: () => found,
    excuse: (leaf) => void excused.add(leaf),

    see(look) {
      const byLeaf = groups(ours(look))
      for (const leaf of new Set([...byLeaf.keys(), ...wasHealthy])) {
        const containers = byLeaf.get(leaf) ?? []
        const running = containers.filter((one) => one.running)
        const healthy = containers.filter(serves)
        if (expected.isExclusive(leaf)) {
          if (running.length <= 1) excused.delete(leaf)
          else if (!excused.has(leaf))
            say('I2', look.at, `${leaf} runs ${running.length} times: ${running.map(({ name }) => name).join(', ')}`)
        }
        if (expected.isStartFirst(leaf)) {
          if (healthy.length > 0) {
            wasHealthy.add(leaf)
            excused.delete(leaf)
          } else if (!expected.isWanted(leaf)) wasHealthy.delete(leaf)
          else if (continuity && wasHealthy.has(leaf) && !excused.has(leaf))
            say('I1', look.at, `${leaf} was healthy, and nothing healthy of it is left`)
        }
        for (const { name, generation, runDigest } of running) {
          if (!expected.isAccepted(leaf, generation ?? '', runDigest ?? ''))
            say('I4', look.at, `${name} runs generation ${generation ?? '?'}, which no accepted commit declared so`)
        }
      }
      for (const [what, is] of foreign) {
        const now = look.foreign.get(what)
        if (now !== is) say('I3', look.at, `${what} is not ours, and changed: ${is} → ${now ?? 'gone'}`)
      }
      foreign = look.foreign
      const left = new Set(look.volumes)
      for (const volume of volumes)
        if (!left.has(volume) && expected.isData(volume)) say('I7', look.at, `the volume ${volume} is gone`)
      volumes = left
    },

    takesDown(look, id) {
      const target = ours(look).find((one) => one.id === id)
      if (target?.leaf == null || !expected.isStartFirst(target.leaf) || !expected.isWanted(target.leaf)) return
      // A candidate is not live yet; that it seems healthy for a moment is no promise to anybody.
      if (!serves(target) || target.name.endsWith('.next')) return
      const others = ours(look).filter((one) => one.leaf === target.leaf && one.id !== id && serves(one))
      if (others.length === 0)
        say('I1', look.at, `${target.name} is taken down, the only healthy one of ${target.leaf}`)
    },

    touches(look, id) {
      const target = look.containers.find((one) => one.id === id)
      if (target !== undefined && target.deployment !== expected.deployment)
        say('I3', look.at, `${target.name} is not ours, and graft changes it`)
    },
  }
}

function groups(containers: Look['containers']): Map<string, Look['containers'][number][]> {
  const byLeaf = new Map<string, Look['containers'][number][]>()
  for (const container of containers) {
    if (container.leaf === null) continue
    const list = byLeaf.get(container.leaf) ?? []
    list.push(container)
    byLeaf.set(container.leaf, list)
  }
  return byLeaf
}
