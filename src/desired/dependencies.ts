// Dependencies of every leaf, with sets resolved to the leaves below them and what a set needs handed down to its
// leaves. Pure in behaviour; equal results of two readings are the same object, so that leaves stay the same too.

import type { Need, Needs } from './dependency-names.ts'
import type { Problem } from './problem.ts'
import type { ReadLeaf } from './read-leaf.ts'
import type { Reading } from './set-context.ts'
import type { SetNode, SetTree } from './set-tree.ts'
import type { Dependency } from './tree.ts'

export type Dependencies = ReadonlyMap<string, Dependency>

/** What was worked out in earlier readings. */
export interface DependencyMemory {
  /** Set path → what depending on it means. */
  readonly offered: Map<string, Dependencies>
  /** Set path → what it hands down, with what that was made of. */
  readonly handedDown: Map<string, { readonly from: readonly unknown[]; readonly result: Dependencies }>
  /** Leaf → its dependencies, with what they were made of. */
  readonly own: WeakMap<ReadLeaf, { readonly from: readonly unknown[]; readonly result: Dependencies }>
}

export function createDependencyMemory(): DependencyMemory {
  return { offered: new Map(), handedDown: new Map(), own: new WeakMap() }
}

const NOTHING: Dependencies = new Map()
const STRENGTH = { service_started: 0, service_healthy: 1, service_completed_successfully: 2 } as const
/** One object for each possible dependency, so that equal ones are the same. */
const DEPENDENCY = {
  service_started: [dependency('service_started', false), dependency('service_started', true)],
  service_healthy: [dependency('service_healthy', false), dependency('service_healthy', true)],
  service_completed_successfully: [
    dependency('service_completed_successfully', false),
    dependency('service_completed_successfully', true),
  ],
} as const

function dependency(condition: Dependency['condition'], restart: boolean): Dependency {
  return { condition, restart }
}

/** The dependencies of each leaf; asks for what cannot be are problems. */
export function resolveDependencies(
  tree: SetTree,
  needs: Needs,
  memory: DependencyMemory,
  reading: Reading,
): { of: ReadonlyMap<ReadLeaf, Dependencies>; problems: Problem[] } {
  const problems: Problem[] = []
  const offered = offerings(tree, memory)
  const handedDown = new Map<SetNode, Dependencies>()
  for (const node of tree.nodes) {
    const outer = node.parent === null ? NOTHING : (handedDown.get(node.parent) ?? NOTHING)
    const sources = (needs.ofSet.get(node) ?? []).map((need) => sourceOf(need, offered))
    const known = memory.handedDown.get(node.path)
    const made = remember(known, [outer, ...sources.flat()], () => union([outer, ...sources.map(asMap)]))
    memory.handedDown.set(node.path, made)
    handedDown.set(node, made.result)
  }
  const of = new Map<ReadLeaf, Dependencies>()
  for (const node of tree.nodes) {
    const outer = handedDown.get(node) ?? NOTHING
    for (const leaf of node.leaves) {
      const own = needs.ofLeaf.get(leaf)
      if (own === undefined) {
        of.set(leaf, outer)
        continue
      }
      for (const need of own) problems.push(...impossible(need, leaf, reading))
      const sources = own.map((need) => sourceOf(need, offered))
      const made = remember(memory.own.get(leaf), [outer, ...sources.flat()], () =>
        union([outer, ...sources.map(asMap)]),
      )
      memory.own.set(leaf, made)
      of.set(leaf, made.result)
    }
  }
  return { of, problems }
}

/** What depending on a set means: every leaf below it, a job completed, a container healthy if it has a check. */
function offerings(tree: SetTree, memory: DependencyMemory): ReadonlyMap<SetNode, Dependencies> {
  const offered = new Map<SetNode, Dependencies>()
  for (const node of [...tree.nodes].reverse()) {
    const fresh = new Map<string, Dependency>()
    for (const inner of node.sets) for (const [name, wish] of offered.get(inner) ?? NOTHING) fresh.set(name, wish)
    for (const leaf of node.leaves) fresh.set(leaf.name, asOffered(leaf))
    const known = memory.offered.get(node.path)
    const result = known !== undefined && sameMap(known, fresh) ? known : fresh
    memory.offered.set(node.path, result)
    offered.set(node, result)
  }
  return offered
}

function asOffered(leaf: ReadLeaf): Dependency {
  if (leaf.parts?.kind === 'job') return DEPENDENCY.service_completed_successfully[0]
  const check = leaf.parts?.spec.healthcheck
  const hasCheck = leaf.parts?.probe != null || (check !== undefined && !('disable' in check))
  return hasCheck ? DEPENDENCY.service_healthy[0] : DEPENDENCY.service_started[0]
}

/** What a need stands for, as a list of objects that are the same exactly when it means the same. */
type Source = readonly [Dependencies, boolean] | readonly [string, Dependency]

function sourceOf(need: Need, offered: ReadonlyMap<SetNode, Dependencies>): Source {
  if ('set' in need.target) return [offered.get(need.target.set) ?? NOTHING, need.asked?.restart === true]
  const { leaf } = need.target
  const usual = asOffered(leaf)
  const isJob = leaf.parts?.kind === 'job'
  const condition = need.asked === null || isJob ? usual.condition : need.asked.condition
  return [leaf.name, DEPENDENCY[condition][need.asked?.restart === true ? 1 : 0]]
}

function asMap([first, second]: Source): Dependencies {
  if (typeof first === 'string') return typeof second === 'boolean' ? NOTHING : new Map([[first, second]])
  if (second !== true) return first
  return new Map([...first].map(([name, { condition }]) => [name, DEPENDENCY[condition][1]]))
}

/** Of two asks for one leaf the stronger condition holds. */
function union(parts: readonly Dependencies[]): Dependencies {
  const filled = parts.filter((part) => part.size > 0)
  const [only] = filled
  if (filled.length <= 1) return only ?? NOTHING
  const result = new Map<string, Dependency>()
  for (const part of filled) {
    for (const [name, wish] of part) {
      const before = result.get(name)
      const stronger = before !== undefined && STRENGTH[before.condition] > STRENGTH[wish.condition] ? before : wish
      result.set(name, DEPENDENCY[stronger.condition][wish.restart || before?.restart === true ? 1 : 0])
    }
  }
  return result
}

function impossible(need: Need, leaf: ReadLeaf, reading: Reading): Problem[] {
  if (need.asked?.condition !== 'service_completed_successfully' || !('leaf' in need.target)) return []
  const { parts, name } = need.target.leaf
  if (parts === null || parts.kind === 'job') return []
  const message = `${name} is a container, which never completes`
  const remedy = 'write service_healthy or service_started, or make it a job with `kind: job`'
  return [{ ...need.place(reading), message, remedy, leaf: leaf.name, severity: 'unreadable' }]
}

function remember(
  known: { readonly from: readonly unknown[]; readonly result: Dependencies } | undefined,
  from: readonly unknown[],
  make: () => Dependencies,
): { readonly from: readonly unknown[]; readonly result: Dependencies } {
  const same =
    known !== undefined && known.from.length === from.length && known.from.every((item, index) => item === from[index])
  return same ? known : { from, result: make() }
}

function sameMap(a: Dependencies, b: Dependencies): boolean {
  if (a.size !== b.size) return false
  const names = b.keys()
  for (const [name, wish] of a) {
    // The order is part of it: it decides the order of what is made of the map.
    if (names.next().value !== name || b.get(name) !== wish) return false
  }
  return true
}
