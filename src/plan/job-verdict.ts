// The verdict on a job: it runs once per generation, going up only. That it has completed is an empty labelled volume.

import { privilegesOf } from '../desired/privileges.ts'
import type { Leaf } from '../desired/tree.ts'
import type { LeafContext } from './leaf-context.ts'
import { failedBefore, waitOf } from './meanwhile.ts'
import { liveName } from './names.ts'
import type { Observed } from './observed.ts'
import { hold, inPlace, keep, verdictOf, type Proposal } from './proposal.ts'
import { runs } from './planning.ts'
import { markJobDone, refOf, step } from './steps.ts'

export function jobVerdict(leaf: Leaf, context: LeafContext): Proposal {
  const { input, situation, image } = context
  const { live } = situation
  // Also what is refused is not to run over and over.
  const again = leaf.suspend ? null : runsAgain(leaf, context)
  const refusal = input.refused.get(leaf.name)
  if (refusal !== undefined && (again === null || again.work === null)) {
    return { verdict: verdictOf(leaf, live, 'refuse', refusal.message), work: null }
  }
  const done = completedGeneration(leaf.name, input.tree.name, input.observed)
  const inherited = inheritedMark(leaf, done, context)
  if (inherited !== null && !leaf.suspend && refusal === undefined) return inherited
  if (again !== null) return again
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

/**
 * Somebody started what was done, or had the engine start it. A job ends by itself, so that is waited for: two of them
 * never run side by side.
 */
function runsAgain(leaf: Leaf, context: LeafContext): Proposal | null {
  const { live } = context.situation
  if (live === null) return null
  const waiting = waitOf(leaf, context)
  if (live.restartPolicy !== 'no' && waiting === null) {
    const because = `someone gave it the restart policy ${live.restartPolicy}, and a job runs once`
    const container = refOf(leaf.name, live)
    const verdict = verdictOf(leaf, live, 'restore', because)
    return { verdict, work: inPlace(leaf.name, [step({ do: 'restart-policy', container, policy: 'no' })]) }
  }
  const done = completedGeneration(leaf.name, context.input.tree.name, context.input.observed)
  if (!runs(live) || (done !== null && done >= leaf.generation)) return null
  return hold(
    leaf,
    live,
    `${live.name} runs again, generation ${live.labels.generation}; the next one waits for its end`,
  )
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
