// The host name of a leaf that names none. A host name is an alias in the engine's DNS, so a candidate that runs beside
// the live container must not have the leaf's name; one that runs alone keeps its identity over a swap.

import type { Leaf, Tree } from '../desired/tree.ts'
import type { ImageFacts } from './observed.ts'
import { swapOrder } from './swap-order.ts'

/**
 * The leaf with `spec.hostname` filled in where it is the leaf's name by default: stop-first leaves with a network and
 * UTS namespace of their own. Which order a leaf has by itself is asked, not which one a swap happens to take.
 */
export function withHostname(leaf: Leaf, tree: Tree, image: ImageFacts | null): Leaf {
  const { spec } = leaf
  if (spec.hostname !== undefined || spec.network_mode !== undefined || spec.uts !== undefined) return leaf
  if (leaf.kind === 'job' || swapOrder(leaf, tree, image, null).kind === 'start-first') return leaf
  return { ...leaf, spec: { ...spec, hostname: leaf.name } }
}
