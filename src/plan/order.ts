// The order of leaves: what others depend on comes first.

import type { Tree } from '../desired/tree.ts'

/** Names of all leaves, dependencies before dependents, otherwise in path order. The reader has refused cycles. */
export function launchOrder(tree: Tree): string[] {
  const ordered: string[] = []
  const seen = new Set<string>()
  for (const start of tree.leaves.keys()) {
    // An explicit stack: a chain of ten thousand leaves must not exhaust the call stack.
    const stack: { name: string; open: boolean }[] = [{ name: start, open: true }]
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      if (!top.open) {
        ordered.push(top.name)
        continue
      }
      if (seen.has(top.name)) continue
      seen.add(top.name)
      stack.push({ name: top.name, open: false })
      const dependencies = [...(tree.leaves.get(top.name)?.dependencies.keys() ?? [])]
      for (const name of dependencies.toReversed())
        if (!seen.has(name) && tree.leaves.has(name)) stack.push({ name, open: true })
    }
  }
  return ordered
}
