// From proposals to tables: which leaves share one, and which table waits for which.

import type { Tree } from '../desired/tree.ts'
import { afterStops, afterSwaps } from './after.ts'
import { groupSwaps } from './groups.ts'
import type { ObservedContainer } from './observed.ts'
import type { Proposal, Work } from './proposal.ts'
import { resourceKeys } from './resources.ts'
import type { Table } from './step.ts'
import { removeGone, swapTable, type Removal, type Swap, type SwapGroup } from './swap-table.ts'
import { step } from './steps.ts'
import { oneByOne, withWishes } from './table-order.ts'

type InPlace = Extract<Work, { kind: 'steps' }>

export interface BuiltTables {
  readonly tables: readonly Table[]
  /** The swaps as they were put together. */
  readonly groups: readonly SwapGroup[]
  /** Leaves that are gone and stay for now. */
  readonly waiting: ReadonlySet<string>
}

export interface TableWishes {
  /** The tables that make networks and volumes. */
  readonly resources: readonly Table[]
  /** Nothing is removed but what a swap needs out of its way. */
  readonly removalsWait: boolean
  readonly live: (leaf: string) => ObservedContainer | null
  /** Leaf → what it switches with. */
  readonly together: ReadonlyMap<string, string>
  /** Leaves that are restarted because somebody asked; one goes after the other. */
  readonly rolling: ReadonlySet<string>
}

/** `proposals` in launch order. */
export function buildTables(proposals: readonly Proposal[], tree: Tree, wishes: TableWishes): BuiltTables {
  const { resources, removalsWait, live, together, rolling } = wishes
  const works = proposals.map(({ work }) => work).filter((work) => work !== null)
  const swaps = works.filter((work): work is Swap => work.kind === 'swap')
  const removals = works.filter((work): work is Removal => work.kind === 'remove')
  const inPlace = works.filter((work): work is InPlace => work.kind === 'steps')
  // Also where its spec is refused: whether it runs at all is no part of that.
  const stopping = new Set(inPlace.map(({ leaf }) => leaf).filter((name) => tree.leaves.get(name)?.state === 'stopped'))

  const groups = groupSwaps(swaps, removals, tree, together)
  const tableOf = new Map<string, string>()
  for (const group of groups) {
    const names = [
      ...group.swaps.map(({ leaf }) => leaf.name),
      ...group.removals.map(({ situation }) => situation.leaf),
    ]
    for (const name of names) tableOf.set(name, names.join('+'))
  }
  for (const { leaf } of inPlace) tableOf.set(leaf, leaf)
  const made = new Set(resources.map(({ id }) => id))
  const dependents = dependentsAmong(stopping, tree)

  const pulls = works.flatMap((work): Table[] => (work.kind === 'pull' ? [pullTable(work)] : []))
  const repairs = inPlace.map((work): Table => {
    const dependencies = [...(tree.leaves.get(work.leaf)?.dependencies.keys() ?? [])]
    const before = stopping.has(work.leaf)
      ? (dependents.get(work.leaf) ?? [])
      : dependencies.filter((name) => inPlace.some((other) => other.leaf === name) && !stopping.has(name))
    const connects = work.commit.flatMap(({ action }) =>
      action.do === 'connect' && made.has(`network ${action.network}`) ? [`network ${action.network}`] : [],
    )
    return {
      id: work.leaf,
      leaves: [work.leaf],
      after: [...connects, ...before],
      preemptible: work.preemptible,
      prepare: work.prepare,
      commit: work.commit,
      cleanup: work.cleanup,
    }
  })
  const replacing = new Set(swaps.filter(({ live }) => live !== null).map(({ leaf }) => tableOf.get(leaf.name) ?? ''))
  const waiting = new Set<string>()
  const changes = groups.flatMap((group): Table[] => {
    if (group.swaps.length === 0) {
      if (!removalsWait) return [removalTable(group.removals, removals, tableOf, replacing, tree)]
      for (const { situation } of group.removals) waiting.add(situation.leaf)
      return []
    }
    const own = new Set(group.swaps.map(({ leaf }) => leaf.name))
    const after = new Set<string>()
    for (const { leaf } of group.swaps) {
      for (const key of resourceKeys(leaf)) if (made.has(key)) after.add(key)
      for (const name of leaf.dependencies.keys()) {
        const table = tableOf.get(name)
        if (table !== undefined && !own.has(name)) after.add(table)
      }
    }
    return [swapTable(group, tree, [...after])]
  })
  const tables = [...resources, ...pulls, ...repairs, ...changes]
  const handed = afterStops(works, [...stopping].map(live), tree, tableOf)
  const hoped = withWishes(tables, [...handed, ...afterSwaps(inPlace, tree, tableOf)])
  const inTurn = new Set([...rolling].flatMap((name) => tableOf.get(name) ?? []))
  return { tables: oneByOne(hoped, inTurn), groups, waiting }
}

function pullTable({ leaf, image }: Extract<Work, { kind: 'pull' }>): Table {
  const fetch = step({ do: 'image', leaf: leaf.name, image, always: false })
  const id = `image of ${leaf.name}`
  return { id, leaves: [leaf.name], after: [], preemptible: true, prepare: [fetch], commit: [], cleanup: [] }
}

/** A leaf is removed after the leaves that depended on it, and after those that are replaced and may have used it. */
function removalTable(
  group: readonly Removal[],
  all: readonly Removal[],
  tableOf: ReadonlyMap<string, string>,
  replacing: ReadonlySet<string>,
  tree: Tree,
): Table {
  const leaves = group.map(({ situation }) => situation.leaf)
  const dependents = all.filter(({ dependencies }) => dependencies.some((name) => leaves.includes(name)))
  const others = dependents.map(({ situation }) => situation.leaf).filter((name) => !leaves.includes(name))
  const after = [...new Set([...others.map((name) => tableOf.get(name) ?? name), ...replacing])]
  const steps = removeGone(
    group.map(({ situation }) => situation),
    tree,
  )
  return { id: leaves.join('+'), leaves, after, preemptible: false, prepare: [], commit: steps, cleanup: [] }
}

/** Those of `names` that need another of them, also by way of leaves that are not among them. */
function dependentsAmong(names: ReadonlySet<string>, tree: Tree): Map<string, string[]> {
  const dependents = new Map<string, string[]>()
  for (const name of names) {
    const open = [...(tree.leaves.get(name)?.dependencies.keys() ?? [])]
    const seen = new Set(open)
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (names.has(next)) dependents.set(next, [...(dependents.get(next) ?? []), name])
      else {
        for (const more of tree.leaves.get(next)?.dependencies.keys() ?? []) {
          if (!seen.has(more)) open.push(more)
          seen.add(more)
        }
      }
    }
  }
  return dependents
}
