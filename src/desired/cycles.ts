// Circles in depends_on, over leaves and sets alike: a set is started by what it needs, and done when all below it are. Pure.

import type { Need, Needs } from './dependency-names.ts'
import type { Problem } from './problem.ts'
import type { Reading } from './set-context.ts'
import type { SetNode, SetTree } from './set-tree.ts'

/** Circles that are told apart; more than these help nobody. */
const TOLD = 20

/** One problem for each circle apart from the others, naming every step of it with its place. */
export function findCycles(tree: SetTree, needs: Needs, reading: Reading): Problem[] {
  if (needs.ofLeaf.size === 0 && needs.ofSet.size === 0) return []
  const graph = createGraph(tree, needs)
  const problems: Problem[] = []
  const known = new Set<Need>()
  const colour = new Uint8Array(graph.size)
  for (let start = 0; start < graph.size && problems.length < TOLD; start++) {
    if (colour[start] !== 0) continue
    const path = [{ node: start, edges: graph.edges(start), next: 0 }]
    colour[start] = 1
    while (path.length > 0 && problems.length < TOLD) {
      const top = path.at(-1)
      if (top === undefined) break
      const edge = top.edges[top.next++]
      if (edge === undefined) {
        colour[top.node] = 2
        path.pop()
      } else if (colour[edge.to] === 0) {
        colour[edge.to] = 1
        path.push({ node: edge.to, edges: graph.edges(edge.to), next: 0 })
      } else if (colour[edge.to] === 1) {
        const from = path.findIndex((step) => step.node === edge.to)
        const round = path.slice(from).flatMap((step) => step.edges[step.next - 1]?.asked ?? [])
        // Circles that share a step with one that was told go away, or show themselves, when that one is mended.
        if (!round.some(({ need }) => known.has(need))) problems.push(told(round, reading))
        for (const { need } of round) known.add(need)
      }
    }
  }
  return problems
}

interface Edge {
  readonly to: number
  /** Who asked for it; null where the tree itself implies it. */
  readonly asked: Asked | null
}

interface Asked {
  /** A leaf's name or a set's path. */
  readonly by: string
  readonly need: Need
}

/** Nodes: the leaves, then for each set its start and its end. */
function createGraph(tree: SetTree, needs: Needs) {
  const count = tree.list.length
  const position = new Map(tree.list.map((leaf, index) => [leaf, index]))
  const startOf = (set: SetNode): number => count + 2 * set.index
  const endOf = (set: SetNode): number => count + 2 * set.index + 1
  const asked = (by: string, need: Need): Edge => {
    const { target } = need
    return { to: 'set' in target ? endOf(target.set) : (position.get(target.leaf) ?? 0), asked: { by, need } }
  }
  const edges = (node: number): Edge[] => {
    const leaf = tree.list[node]
    if (leaf !== undefined) {
      const set = tree.byPath.get(leaf.set.path)
      const own = (needs.ofLeaf.get(leaf) ?? []).map((need) => asked(leaf.name, need))
      return set === undefined ? own : [...own, { to: startOf(set), asked: null }]
    }
    const set = tree.nodes[(node - count) >> 1]
    if (set === undefined) return []
    if (node === startOf(set)) {
      const own = (needs.ofSet.get(set) ?? []).map((need) => asked(set.path, need))
      return set.parent === null ? own : [...own, { to: startOf(set.parent), asked: null }]
    }
    return [
      ...set.sets.map((inner) => ({ to: endOf(inner), asked: null })),
      ...set.leaves.map((member) => ({ to: position.get(member) ?? 0, asked: null })),
    ]
  }
  return { size: count + 2 * tree.nodes.length, edges }
}

function told(steps: readonly Asked[], reading: Reading): Problem {
  const places = steps.map(({ need }) => need.place(reading))
  // The circle starts at its first place, so that the same circle always reads the same.
  const first = places.reduce((best, place, index) => {
    const other = places[best]
    return other !== undefined && place.file < other.file ? index : best
  }, 0)
  const text = steps.map((_, offset) => {
    const index = (first + offset) % steps.length
    const step = steps[index]
    return `${step?.by} needs ${step?.need.name} (${places[index]?.file}:${places[index]?.line})`
  })
  const place = places[first] ?? { file: null, line: null, column: null, text: null }
  const message = `depends_on goes round in a circle: ${text.join(', ')}`
  return { ...place, message, remedy: 'take one of these away', leaf: null, severity: 'unreadable' }
}
