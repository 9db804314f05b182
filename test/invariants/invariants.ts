// What must hold whatever happens, written once: docs/invariants.md says it in words. Looks go in, violations come out.

import { excuses } from './excuses.ts'
import { findSeen, isCandidate, serves, type Look, type SeenContainer } from './look.ts'

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
  /** Volumes that only one running container may have mounted, whichever leaf it is of; absent: none. */
  readonly isExclusiveVolume?: (volume: string) => boolean
  /** How many containers of a generation there may have been by now; absent: any number. */
  readonly mostTries?: (leaf: string, generation: string) => number
}

export interface InvariantWatch {
  /** After each change, or as often as the engine answers. */
  see(look: Look): void
  /** graft is about to take this container down, for good or for a moment; `look` is of just before. */
  takesDown(look: Look, container: string): void
  /** graft is about to change this container. */
  touches(look: Look, container: string): void
  /** All is to be as it was wished by now: container name → generation of what has to run. */
  settled(look: Look, wanted: ReadonlyMap<string, string>): void
  /**
   * Somebody else makes two of the leaf, or takes it down: it counts again from its next sound look on. What was sound
   * when this was said is no such look; neither is any before `act` has settled, where the act lasts.
   */
  excuse(leaf: string, act?: Promise<unknown>): void
  /**
   * Somebody takes the engine itself down, until `act` has settled: that nothing healthy is left meanwhile is not
   * graft's doing, and what is not ours has to be as it was when it is over. Two of what must be one stay forbidden.
   */
  engineGoes(act: Promise<unknown>): void
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
  const excused = excuses()
  const wasHealthy = new Set<string>()
  /** `LEAF generation N` → ids of the containers that there were of it. */
  const tries = new Map<string, Set<string>>()
  let engineIsGoing = 0
  let volumes: ReadonlySet<string> = new Set()
  let foreign: ReadonlyMap<string, string> = new Map()
  const everOwn = new Set<string>()

  function say(invariant: Invariant, at: number, text: string): void {
    const key = `${invariant} ${text}`
    if (said.has(key)) return
    said.add(key)
    found.push({ invariant, at, text })
  }

  const ours = (look: Look) => look.containers.filter(({ deployment }) => deployment === expected.deployment)

  function seeLeaf(at: number, leaf: string, containers: readonly SeenContainer[]): void {
    const running = containers.filter((one) => one.running)
    const two = expected.isExclusive(leaf) && running.length > 1
    const startFirst = expected.isStartFirst(leaf)
    const healthy = containers.some((one) => serves(one) && !isCandidate(one))
    const isExcused = excused.see(leaf, containers, !two && (healthy || !startFirst))
    if (two && !isExcused) say('I2', at, `${leaf} runs ${running.length} times: ${namesOf(running)}`)
    if (!startFirst) wasHealthy.delete(leaf)
    else if (healthy) wasHealthy.add(leaf)
    else if (!expected.isWanted(leaf) || engineIsGoing > 0) wasHealthy.delete(leaf)
    else if (continuity && wasHealthy.has(leaf) && !isExcused)
      say('I1', at, `${leaf} was healthy, and nothing healthy of it is left`)
    for (const { name, generation, runDigest } of running) {
      if (!expected.isAccepted(leaf, generation ?? '', runDigest ?? ''))
        say('I4', at, `${name} runs generation ${generation ?? '?'}, which no accepted commit declared so`)
    }
    if (expected.mostTries !== undefined) seeTries(at, leaf, containers, expected.mostTries)
  }

  function seeTries(
    at: number,
    leaf: string,
    containers: readonly SeenContainer[],
    most: (leaf: string, generation: string) => number,
  ): void {
    for (const { id, generation } of containers) {
      if (generation === null) continue
      const key = `${leaf} generation ${generation}`
      const ids = tries.get(key) ?? new Set()
      tries.set(key, ids.add(id))
      if (ids.size > most(leaf, generation)) say('I6', at, `${key}, which failed, was tried ${ids.size} times`)
    }
  }

  function seeVolumesInUse(at: number, containers: readonly SeenContainer[]): void {
    if (expected.isExclusiveVolume === undefined) return
    const users = new Map<string, SeenContainer[]>()
    for (const one of containers) {
      if (!one.running) continue
      for (const volume of one.volumes ?? []) users.set(volume, [...(users.get(volume) ?? []), one])
    }
    for (const [volume, list] of users) {
      const isExcused = list.some(({ leaf }) => leaf !== null && excused.has(leaf))
      if (list.length > 1 && expected.isExclusiveVolume(volume) && !isExcused)
        say('I2', at, `the volume ${volume} is used by ${list.length} at a time: ${namesOf(list)}`)
    }
  }

  return {
    say,
    violations: () => found,
    excuse: (leaf, act) => excused.add(leaf, act),
    engineGoes(act) {
      engineIsGoing++
      const isBack = (): void => {
        engineIsGoing--
        // It counts again from its next healthy look on.
        wasHealthy.clear()
      }
      act.then(isBack, isBack)
    },

    see(look) {
      const byLeaf = groups(ours(look))
      for (const leaf of new Set([...byLeaf.keys(), ...wasHealthy, ...excused.leaves()]))
        seeLeaf(look.at, leaf, byLeaf.get(leaf) ?? [])
      seeVolumesInUse(look.at, ours(look))
      // An image of graft's own is without its name for a moment while it is made, and while it is removed.
      for (const what of look.own ?? []) everOwn.add(what)
      if (look.foreign !== null && engineIsGoing === 0) {
        for (const [what, is] of foreign) {
          const now = look.foreign.get(what)
          if (now === is || (now === undefined && everOwn.has(what))) continue
          say('I3', look.at, `${what} is not ours, and changed: ${is} → ${now ?? 'gone'}`)
        }
        foreign = look.foreign
      }
      if (look.volumes === null) return
      const left = new Set(look.volumes)
      for (const volume of volumes)
        if (!left.has(volume) && expected.isData(volume)) say('I7', look.at, `the volume ${volume} is gone`)
      volumes = left
    },

    takesDown(look, container) {
      const target = findSeen(look, container)
      if (target?.leaf == null || target.deployment !== expected.deployment) return
      if (!expected.isStartFirst(target.leaf) || !expected.isWanted(target.leaf)) return
      if (!serves(target) || isCandidate(target)) return
      const others = ours(look).filter((one) => one.leaf === target.leaf && one.id !== target.id && serves(one))
      if (others.length === 0)
        say('I1', look.at, `${target.name} is taken down, the only healthy one of ${target.leaf}`)
    },

    touches(look, container) {
      const target = findSeen(look, container)
      if (target !== null && target.deployment !== expected.deployment)
        say('I3', look.at, `${target.name} is not ours, and graft changes it`)
    },

    settled(look, wanted) {
      const all = new Map(ours(look).map((one) => [one.name, one]))
      for (const [name, generation] of wanted) {
        const one = all.get(name)
        if (one === undefined || !one.running) say('I5', look.at, `${name} does not run`)
        else if (one.generation !== generation)
          say('I5', look.at, `${name} is generation ${one.generation ?? '?'}, not ${generation}`)
      }
      for (const name of all.keys()) if (/\.(next|prev-[^.]*)$/.test(name)) say('I5', look.at, `${name} is left over`)
    },
  }
}

function namesOf(containers: readonly SeenContainer[]): string {
  return containers
    .map(({ name }) => name)
    .toSorted()
    .join(', ')
}

function groups(containers: Look['containers']): Map<string, SeenContainer[]> {
  const byLeaf = new Map<string, SeenContainer[]>()
  for (const container of containers) {
    if (container.leaf === null) continue
    const list = byLeaf.get(container.leaf) ?? []
    list.push(container)
    byLeaf.set(container.leaf, list)
  }
  return byLeaf
}
