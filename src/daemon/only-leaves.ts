// A wish that concerns a few leaves only: all others are looked at and left alone.

import type { Wish } from './reconcile.ts'

/** Leaves that are gone stay, too, and so do networks and volumes that only others use. */
export function onlyLeaves(wish: Wish, names: ReadonlySet<string>): Wish {
  const leaves = new Map(
    [...wish.tree.leaves].map(([name, leaf]) => [name, names.has(name) ? leaf : { ...leaf, suspend: true }]),
  )
  const departed = new Map([...wish.departed].map(([name, leaf]) => [name, { ...leaf, prune: false }]))
  return {
    ...wish,
    tree: { ...wish.tree, leaves },
    departed,
    removals: { limit: () => 0, confirmed: false },
    only: names,
  }
}
