// The tree from parts that are all in order. Pure; a leaf made of the same parts as last time is the same object.

import type { Snapshot } from '../repository/snapshot.ts'
import type { Dependencies } from './dependencies.ts'
import { INGRESS_LEAF } from './ingress-names.ts'
import type { RootContext } from './read-deployment.ts'
import type { ReadLeaf } from './read-leaf.ts'
import type { SetNode, SetTree } from './set-tree.ts'
import type { ContainerSet, Leaf, NetworkWish, Tree } from './tree.ts'

const NONE: Dependencies = new Map()

export function buildTree(
  snapshot: Snapshot,
  root: RootContext,
  sets: SetTree,
  dependencies: ReadonlyMap<ReadLeaf, Dependencies>,
): Tree | null {
  const [top] = sets.nodes
  const { parts } = root
  if (top === undefined || parts === null) return null
  const leaves = new Map<string, Leaf>()
  for (const leaf of sets.list) {
    const made = leafOf(leaf, dependencies.get(leaf) ?? NONE)
    if (made === null) return null
    leaves.set(leaf.name, made)
  }
  return {
    commit: snapshot.commit,
    name: parts.name,
    prefix: parts.prefix,
    root: setOf(top, parts.name),
    leaves,
    networks: networksInUse(root, leaves),
    volumes: root.volumes,
    ingress: parts.ingress === null ? null : { leaf: INGRESS_LEAF, ...parts.ingress },
    removal_limit: parts.removal_limit,
  }
}

function setOf(node: SetNode, name: string): ContainerSet {
  const { parts, state, suspend } = node.context
  return {
    path: node.path,
    name,
    description: parts?.description ?? '',
    depends_on: parts?.depends_on ?? [],
    together: parts?.together ?? false,
    state,
    suspend,
    sets: node.sets.map((inner) => setOf(inner, inner.name)),
    leaves: node.leaves.map((leaf) => leaf.name),
  }
}

/** Null for a leaf with problems. */
export function leafOf(read: ReadLeaf, dependencies: Dependencies): Leaf | null {
  if (read.last?.dependencies === dependencies) return read.last.leaf
  const { parts, spec, document } = read
  if (parts === null || spec === null) return null
  const leaf: Leaf = {
    name: read.name,
    kind: parts.kind,
    file: document.entry.path,
    set: read.set.path,
    generation: parts.generation,
    generationLine: document.generation?.line ?? 1,
    digestComment: document.generation?.digestComment ?? null,
    renamed_from: parts.renamed_from,
    spec,
    ledgerDigest: read.digest,
    fileContents: read.contents.files,
    ...(read.contents.secretOrigins.size === 0 ? {} : { secretOrigins: read.contents.secretOrigins }),
    pull_policy: parts.pull_policy,
    probe: parts.probe,
    update: parts.update,
    image_policy: parts.image_policy,
    on_unhealthy: parts.on_unhealthy,
    prune: parts.prune,
    dependencies,
    state: read.set.state,
    suspend: read.set.suspend,
  }
  read.last = { dependencies, leaf }
  return leaf
}

/** All that are declared, and `default` only where a leaf joins it or the file declares it. */
function networksInUse(root: RootContext, leaves: ReadonlyMap<string, Leaf>): ReadonlyMap<string, NetworkWish> {
  const isDeclared = root.parts !== null && Object.hasOwn(root.parts.networks, 'default')
  if (isDeclared || [...leaves.values()].some((leaf) => Object.hasOwn(leaf.spec.networks, 'default')))
    return root.networks
  return new Map([...root.networks].filter(([key]) => key !== 'default'))
}
