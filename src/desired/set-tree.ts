// Which sets and leaves lie directly in which set, found once per reading. Pure.

import type { ReadLeaf } from './read-leaf.ts'
import type { SetContext } from './set-context.ts'

export interface SetNode {
  readonly context: SetContext
  readonly path: string
  /** Last part of the path; '' for the root. */
  readonly name: string
  readonly parent: SetNode | null
  readonly sets: SetNode[]
  readonly leaves: ReadLeaf[]
  /** The same by name; a leaf goes before a set of its name. */
  readonly members: Map<string, { readonly leaf: ReadLeaf } | { readonly set: SetNode }>
  /** Position in `SetTree.nodes`. */
  readonly index: number
}

export interface SetTree {
  /** Outer sets before inner ones; the root first. */
  readonly nodes: readonly SetNode[]
  readonly byPath: ReadonlyMap<string, SetNode>
  /** By name; of several leaves with one name the first. */
  readonly leaves: ReadonlyMap<string, ReadLeaf>
  /** In the order of their paths. */
  readonly list: readonly ReadLeaf[]
}

/** `contexts`: outer sets before inner ones, the root first. `leaves`: in the order of their paths. */
export function setTree(contexts: readonly SetContext[], leaves: readonly ReadLeaf[]): SetTree {
  const byPath = new Map<string, SetNode>()
  const nodes: SetNode[] = []
  for (const context of contexts) {
    const parent = context.parent === null ? null : (byPath.get(context.parent.path) ?? null)
    const name = context.path.slice(context.path.lastIndexOf('/') + 1)
    const node: SetNode = {
      context,
      path: context.path,
      name,
      parent,
      sets: [],
      leaves: [],
      members: new Map(),
      index: nodes.length,
    }
    nodes.push(node)
    byPath.set(context.path, node)
    parent?.sets.push(node)
    parent?.members.set(name, { set: node })
  }
  const byName = new Map<string, ReadLeaf>()
  for (const leaf of leaves) {
    const node = byPath.get(leaf.set.path)
    node?.leaves.push(leaf)
    node?.members.set(leaf.name, { leaf })
    if (!byName.has(leaf.name)) byName.set(leaf.name, leaf)
  }
  return { nodes, byPath, leaves: byName, list: leaves }
}
