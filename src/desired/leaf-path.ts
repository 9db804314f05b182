// A leaf's place in the deployment, as the patterns of a policy name it. Pure.

import { matchesGlob } from './glob.ts'
import type { Leaf } from './tree.ts'

/** What globs in `paths` are compared with: `control/nova/nova-api`. */
export function leafPath(leaf: Pick<Leaf, 'name' | 'set'>): string {
  return leaf.set === '' ? leaf.name : `${leaf.set}/${leaf.name}`
}

/** Whether one of the globs names it. */
export function isAmong(leaf: Pick<Leaf, 'name' | 'set'>, patterns: readonly string[]): boolean {
  const path = leafPath(leaf)
  return patterns.some((pattern) => matchesGlob(pattern, path))
}
