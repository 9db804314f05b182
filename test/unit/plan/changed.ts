// The plan of a change from one tree to another, for tests.

import type { Tree } from '../../../src/desired/tree.ts'
import type { PlanInput } from '../../../src/plan/planning.ts'
import type { Plan } from '../../../src/plan/verdict.ts'
import { hostOf, planOf } from './build.ts'

/** `before` runs, `after` is wanted. */
export async function change(before: Tree, after: Tree, more: Partial<PlanInput> = {}): Promise<Plan> {
  const host = await hostOf(after)
  for (const name of before.leaves.keys()) await host.put(before, name)
  return planOf(after, await host.observe(after), more)
}
