// What somebody said of removals counts for a commit, also where it is judged anew because a file of the host changed.

import type { Wish } from './reconcile.ts'

/** `next` with what was said of the same commit `before`. */
export function stillMeant(next: Wish, before: Wish | null): Wish {
  const isSame = before !== null && next.tree.commit !== null && before.tree.commit?.id === next.tree.commit.id
  return isSame ? { ...next, removals: { ...before.removals, limit: next.removals.limit } } : next
}
