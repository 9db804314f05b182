// Leaves that share a process namespace see one another's files: /proc/PID/root is the whole of what the other one has
// mounted, secrets included. Pure.

import { namespaceOwner, namespaceOwners } from './namespace-owner.ts'
import type { Leaf, Tree } from './tree.ts'

/** More than that are not looked at one by one, each with each: they count as sharing the host's processes. */
export const MOST_SHARING = 32

const remembered = new WeakMap<Tree['leaves'], ReadonlyMap<string, readonly Leaf[]>>()

/** The leaves in the process namespace of a leaf, itself among them, in the tree's order; none where it is alone. */
export function sharesProcesses(leaf: Leaf, { leaves }: Pick<Tree, 'leaves'>): readonly Leaf[] {
  let groups = remembered.get(leaves)
  if (groups === undefined) {
    groups = groupsOf(leaves)
    remembered.set(leaves, groups)
  }
  return groups.get(namespaceOwner(leaf, 'pid', { leaves })?.name ?? '') ?? []
}

/** By the leaf whose namespace it is; only namespaces that more than one leaf lives in. */
function groupsOf(leaves: Tree['leaves']): ReadonlyMap<string, readonly Leaf[]> {
  const joining = namespaceOwners('pid', leaves)
  const groups = new Map<string, Leaf[]>()
  for (const owner of joining.values()) if (owner !== null) groups.set(owner.name, [])
  if (groups.size === 0) return groups
  for (const leaf of leaves.values()) {
    const owner = joining.has(leaf.name) ? joining.get(leaf.name) : leaf
    if (owner != null) groups.get(owner.name)?.push(leaf)
  }
  return groups
}
