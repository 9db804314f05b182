// Which nodes of a graph wait for one another in a circle. Pure.

/**
 * The strongly connected parts with more than one node, each in no particular order. `edges` may name nodes that are
 * not in `nodes`; they are left out. Path-based search (Gabow, 2000) with stacks of its own, so that a chain of ten
 * thousand nodes does not exhaust the call stack.
 */
export function circlesIn(nodes: Iterable<string>, edges: (node: string) => Iterable<string>): string[][] {
  const all = new Set(nodes)
  const visited = new Map<string, number>()
  const assigned = new Set<string>()
  const open: string[] = []
  const roots: string[] = []
  const circles: string[][] = []
  const numberOf = (node: string): number => visited.get(node) ?? 0

  for (const start of all) {
    if (visited.has(start)) continue
    const path: { node: string; next: Iterator<string> }[] = []
    const enter = (node: string) => {
      visited.set(node, visited.size)
      open.push(node)
      roots.push(node)
      path.push({ node, next: edges(node)[Symbol.iterator]() })
    }
    enter(start)
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { done, value } = top.next.next()
      if (done !== true) {
        if (!all.has(value)) continue
        if (!visited.has(value)) enter(value)
        else if (!assigned.has(value)) while (numberOf(roots.at(-1) ?? value) > numberOf(value)) roots.pop()
        continue
      }
      path.pop()
      if (roots.at(-1) !== top.node) continue
      roots.pop()
      const part = open.splice(open.lastIndexOf(top.node))
      for (const node of part) assigned.add(node)
      if (part.length > 1) circles.push(part)
    }
  }
  return circles
}
