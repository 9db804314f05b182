// What a plan says of one leaf, and what it does to it, for tests.

import type { Tree } from '../../../src/desired/tree.ts'
import type { Observed } from '../../../src/plan/observed.ts'
import type { PlanInput } from '../../../src/plan/planning.ts'
import { hostOf, planOf, verdictOn, type Host } from './build.ts'
import { words } from './render-table.ts'

/** Verdict and steps for `web`. */
export function on(tree: Tree, observed: Observed, more: Partial<PlanInput> = {}, name = 'web') {
  const planned = planOf(tree, observed, more)
  const { kind, because, ...rest } = verdictOn(planned, name)
  const tables = planned.tables.filter(({ leaves }) => leaves.includes(name))
  const steps = tables.flatMap(({ prepare, commit, cleanup }) => [...prepare, ...commit, ...cleanup])
  return { said: `${kind}: ${because}`, steps: steps.map(({ action }) => words(action)), ...rest, planned }
}

/** A host on which every leaf of the tree runs; `more` is what it has images and networks for. */
export async function running(tree: Tree, more = tree): Promise<Host> {
  const host = await hostOf(more)
  for (const name of tree.leaves.keys()) await host.put(tree, name)
  return host
}
