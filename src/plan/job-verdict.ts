// The verdict on a job: it runs once per generation, going up only. That it has completed is an empty labelled volume.

import { privilegesOf } from '../desired/privileges.ts'
import type { Leaf } from '../desired/tree.ts'
import { failedBefore, type LeafContext } from './container-verdict.ts'
import { liveName } from './names.ts'
import type { Observed } from './observed.ts'
import { hold, inPlace, keep, verdictOf, type Proposal } from './proposal.ts'
import { markJobDone } from './steps.ts'

export function jobVerdict(leaf: Leaf, context: LeafContext): Proposal {
  const { input, situation, image } = context
  const { live } = situation
  const refusal = input.refused.get(leaf.name)
  if (refusal !== undefined) return { verdict: verdictOf(leaf, live, 'refuse', refusal.message), work: null }
  const done = completedGeneration(leaf.name, input.tree.name, input.observed)
  const inherited = inheritedMark(leaf, done, context)
  if (inherited !== null && !leaf.suspend) return inherited
  if (done !== null && done >= leaf.generation) {
    return keep(leaf, live, done === leaf.generation ? 'completed' : `not run again: generation ${done} has completed`)
  }
  if (leaf.suspend) return hold(leaf, live, 'its set is suspended; graft looks and does not touch')
  if (leaf.state === 'stopped') return keep(leaf, live, 'its set is stopped')
  const blocked = failedBefore(leaf, null, context)
  if (blocked !== null) return blocked
  const name = liveName(input.tree.prefix, leaf.name)
  const holder = live === null ? input.observed.foreignNames.get(name) : undefined
  if (holder !== undefined) {
    return hold(leaf, null, `the name ${name} is taken by a container that is not this deployment's: ${holder}`)
  }
  const because = done === null ? 'it has not run yet' : `generation ${done} → ${leaf.generation}`
  const gains = privilegesOf(leaf, input.tree).map((privilege) => privilege.text)
  if (image.facts === null) {
    if (leaf.pull_policy === 'never') {
      return hold(leaf, live, `the image ${image.reference} is not on this host, and pull_policy is never`)
    }
    const notes = [`the image ${image.reference} is fetched first`]
    return {
      verdict: verdictOf(leaf, live, 'run', because, { gains, notes }),
      work: { kind: 'pull', leaf, image: image.reference },
    }
  }
  return {
    verdict: verdictOf(leaf, live, 'run', because, { gains }),
    work: {
      kind: 'swap',
      leaf,
      image,
      live,
      failed: situation.failed,
      order: { kind: 'stop-first', because: 'a job runs once' },
    },
  }
}

/** What the job did under the name it was renamed from counts, and is written down under the new one. */
function inheritedMark(leaf: Leaf, done: number | null, { input, situation }: LeafContext): Proposal | null {
  const { tree, observed } = input
  if (leaf.renamed_from === null || tree.leaves.has(leaf.renamed_from)) return null
  const generation = completedGeneration(leaf.renamed_from, tree.name, observed)
  if (generation === null || generation <= (done ?? -1)) return null
  const because = `renamed from ${leaf.renamed_from}, which has completed generation ${generation}`
  const mark = markJobDone(tree.name, { name: leaf.name, generation })
  return { verdict: verdictOf(leaf, situation.live, 'restore', because), work: inPlace(leaf.name, [mark]) }
}

/** The highest generation of a job that has completed on this engine; null for none. */
export function completedGeneration(leaf: string, deployment: string, observed: Observed): number | null {
  let highest: number | null = null
  for (const volume of observed.volumes.values()) {
    if (volume.kind !== 'job-done' || volume.deployment !== deployment || volume.leaf !== leaf) continue
    if (volume.generation !== null && (highest === null || volume.generation > highest)) highest = volume.generation
  }
  return highest
}
