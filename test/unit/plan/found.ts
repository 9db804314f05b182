// What an earlier turn left of one leaf, and what the plan does about it, for tests.

import type { Tree } from '../../../src/desired/tree.ts'
import type { ObservedContainer } from '../../../src/plan/observed.ts'
import type { PlanInput } from '../../../src/plan/planning.ts'
import { hostOf, job, leaf, planOf, treeOf, verdictOn, withContainer, type Put } from './build.ts'
import { words } from './render-table.ts'

const VOLUME = 'volumes: ["data:/data"]'
export const VOLUMES = 'volumes: {data: {}}\n'
const SLOW_DRAIN = 'update: {drain: 5s}'

/** Generation 1 is what ran, 2 is what is wanted, 3 is what a still newer commit wants. */
export const startFirst = (generation: number) => treeOf({ web: leaf(generation, SLOW_DRAIN) })
export const stopFirst = (generation: number) => treeOf({ web: leaf(generation, VOLUME) }, VOLUMES)
export const asJob = (generation: number) => treeOf({ web: job(generation) })

export type Kind = typeof startFirst

export interface Found {
  readonly old?: Put | null
  readonly candidate?: Put | null
  readonly more?: readonly (readonly [generation: number, put: Put])[]
  readonly wanted?: number
  readonly input?: (tree: Tree) => Partial<PlanInput>
  readonly change?: Readonly<Record<string, Partial<ObservedContainer>>>
  readonly tree?: (tree: Tree) => Tree
}

/** The plan for a leaf of which `found` is there. */
export async function planFor(kind: Kind, found: Found) {
  const { old = null, candidate = null, wanted = 2 } = found
  const tree = found.tree?.(kind(wanted)) ?? kind(wanted)
  const host = await hostOf(tree)
  if (old !== null) await host.put(kind(1), 'web', old)
  if (candidate !== null) await host.put(kind(2), 'web', candidate)
  for (const [generation, put] of found.more ?? []) await host.put(kind(generation), 'web', put)
  let observed = await host.observe(tree)
  for (const [name, change] of Object.entries(found.change ?? {})) observed = withContainer(observed, name, change)
  const planned = planOf(tree, observed, found.input?.(tree) ?? {})
  return { planned, verdict: verdictOn(planned, 'web') }
}

/** The verdict's kind and reason, and what is done, on one line each. */
export async function what(kind: Kind, found: Found): Promise<string[]> {
  const { planned, verdict } = await planFor(kind, found)
  const actions = planned.tables.flatMap(({ prepare, commit, cleanup }) => [...prepare, ...commit, ...cleanup])
  return [`${verdict.kind}: ${verdict.because}`, ...actions.map(({ action }) => words(action))]
}

export const DOWN = { state: 'stopped', policy: 'no' } as const
export const RUNS = { state: 'running' } as const
export const PREV = { role: 'retired' } as const
export const NEXT = { role: 'candidate' } as const
