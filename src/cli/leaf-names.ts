// The leaves that a person means by names of leaves and of sets.

import { isMisnamed, leavesIn, namedSet, nothingNamed, setNames } from '../daemon/named-set.ts'
import type { Tree } from '../desired/tree.ts'
import { Mistake } from './mistakes.ts'

/** All where nothing is named. Throws a Mistake for a name that nothing has. */
export function leafNames(tree: Tree, asked: readonly string[]): ReadonlySet<string> {
  if (asked.length === 0) return new Set(tree.leaves.keys())
  return new Set(
    asked.flatMap((name) => {
      if (tree.leaves.has(name)) return [name]
      const set = namedSet(tree, name)
      if (isMisnamed(set)) throw new Mistake(set.message, set.remedy)
      if (set !== null) return leavesIn(set)
      const names = [...tree.leaves.keys(), ...setNames(tree)]
      const { message, remedy } = nothingNamed(tree, name, 'no leaf and no set', names)
      throw new Mistake(message, remedy)
    }),
  )
}
