// The wish for nothing: what is left of a deployment when it is taken down.

import type { Tree } from '../desired/tree.ts'
import type { DepartedLeaf } from '../plan/planning.ts'
import type { Bound } from './binding.ts'
import type { Wish } from './reconcile.ts'

/** `known`: what it declares as far as that is known; dependents go before what they depend on. */
export function nothingWanted({ name, prefix }: Bound, known: Pick<Wish, 'tree' | 'departed'> | null): Wish {
  const departed = new Map<string, DepartedLeaf>()
  for (const [leaf, { dependencies }] of known?.departed ?? []) departed.set(leaf, { prune: true, dependencies })
  for (const [leaf, { dependencies }] of known?.tree.leaves ?? []) {
    departed.set(leaf, { prune: true, dependencies: [...dependencies.keys()] })
  }
  return {
    tree: emptyTree(name, prefix),
    refused: new Map(),
    departed,
    removals: { limit: () => 0, confirmed: true },
    bind: async () => undefined,
  }
}

function emptyTree(name: string, prefix: string): Tree {
  return {
    commit: null,
    name,
    prefix,
    root: {
      path: '',
      name,
      description: '',
      depends_on: [],
      together: false,
      state: 'running',
      suspend: false,
      sets: [],
      leaves: [],
    },
    leaves: new Map(),
    networks: new Map(),
    volumes: new Map(),
    ingress: null,
    removal_limit: null,
  }
}
