// Whose namespace a leaf lives in: its own, or in the end that of a leaf that it joins with `service:LEAF`. Pure.

import type { Leaf, Tree } from './tree.ts'

export type Joinable = 'network_mode' | 'pid' | 'ipc'

type Owners = ReadonlyMap<string, Leaf | null>

const remembered = new WeakMap<Tree['leaves'], Map<Joinable, Owners>>()

/** Null where the joins lead nowhere or in a circle, which is told elsewhere. A tree is walked once for each namespace. */
export function namespaceOwner(leaf: Leaf, key: Joinable, { leaves }: Pick<Tree, 'leaves'>): Leaf | null {
  if (joined(leaf, key) === null) return leaf
  return namespaceOwners(key, leaves).get(leaf.name) ?? null
}

/** Of each leaf that joins another one's. */
export function namespaceOwners(key: Joinable, leaves: Tree['leaves']): Owners {
  const known = remembered.get(leaves) ?? new Map<Joinable, Owners>()
  remembered.set(leaves, known)
  let owners = known.get(key)
  if (owners === undefined) {
    owners = findOwners(key, leaves)
    known.set(key, owners)
  }
  return owners
}

function findOwners(key: Joinable, leaves: Tree['leaves']): Owners {
  const owners = new Map<string, Leaf | null>()
  for (const leaf of leaves.values()) {
    const way = new Set<string>()
    let at: Leaf | undefined = leaf
    let owner: Leaf | null = null
    while (at !== undefined && !way.has(at.name)) {
      const next = joined(at, key)
      const found: Leaf | null | undefined = next === null ? at : owners.get(at.name)
      if (found !== undefined) {
        owner = found
        break
      }
      way.add(at.name)
      at = leaves.get(next ?? '')
    }
    for (const name of way) owners.set(name, owner)
  }
  return owners
}

function joined({ spec }: Leaf, key: Joinable): string | null {
  const mode = spec[key]
  return mode?.startsWith('service:') === true ? mode.slice('service:'.length) : null
}
