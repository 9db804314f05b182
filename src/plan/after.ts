// Which tables had better wait for which, besides what dependencies ask: one that takes something over waits for the stop
// of who holds it, and what comes back waits for the swap of what it depends on.

import type { Tree } from '../desired/tree.ts'
import { exclusivesOfContainer, exclusivesOfLeaf } from './exclusive.ts'
import type { ObservedContainer } from './observed.ts'
import type { Work } from './proposal.ts'
import type { Wish } from './table-order.ts'

type InPlace = Extract<Work, { kind: 'steps' }>

/** A port, address or volume of a leaf whose set is stopped goes to another leaf: the stop comes first. */
export function afterStops(
  works: readonly Work[],
  stopping: readonly (ObservedContainer | null)[],
  tree: Tree,
  tableOf: ReadonlyMap<string, string>,
): Wish[] {
  const given = new Map<string, string[]>()
  for (const live of stopping) {
    if (live === null) continue
    const { leaf } = live.labels
    for (const { key } of exclusivesOfContainer(live))
      given.set(key, [...(given.get(key) ?? []), tableOf.get(leaf) ?? leaf])
  }
  if (given.size === 0) return []
  return works.flatMap((work) => {
    const leaf = work.kind === 'swap' ? work.leaf : work.kind === 'steps' ? tree.leaves.get(work.leaf) : undefined
    const next = leaf === undefined ? undefined : tableOf.get(leaf.name)
    if (leaf === undefined || next === undefined || leaf.state === 'stopped') return []
    const image = work.kind === 'swap' ? work.image.facts : null
    return exclusivesOfLeaf(leaf, tree, image).flatMap(({ key }) =>
      (given.get(key) ?? []).filter((first) => first !== next).map((first) => ({ first, next })),
    )
  })
}

/** What comes back in place comes after what it depends on, where that gets a new container. */
export function afterSwaps(inPlace: readonly InPlace[], tree: Tree, tableOf: ReadonlyMap<string, string>): Wish[] {
  return inPlace
    .filter(({ launches }) => launches === true)
    .flatMap(({ leaf }) =>
      [...(tree.leaves.get(leaf)?.dependencies.keys() ?? [])].flatMap((name) => {
        const first = tableOf.get(name)
        return first === undefined ? [] : [{ first, next: leaf }]
      }),
    )
}
