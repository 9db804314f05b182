// Whether what runs is what is declared, with nothing left over.

import { setTimeout as sleep } from 'node:timers/promises'

import type Docker from 'dockerode'

import type { Fleet } from './fleet.ts'
import { DEPLOYMENT, PREFIX } from './ground.ts'
import { listContainers, type Seen } from './watch.ts'

/** What is not as declared; empty: nothing. */
export function differences(fleet: Fleet, seen: readonly Seen[]): string[] {
  const byName = new Map(seen.map((one) => [one.name, one]))
  const wrong: string[] = []
  const known = new Set(['ingress'])
  // What left the tree stays as long as a leaf runs an older generation than is declared, which may use it.
  const behind = fleet.leaves.some(({ live, generation }) => live !== null && live !== generation)
  for (const { name, kind, generation, live } of fleet.leaves) {
    const one = byName.get(name)
    if (live === null) {
      if (behind) known.add(name)
      else if (one !== undefined) wrong.push(`${name} is there`)
      continue
    }
    known.add(name)
    // What does not work is tried again now and then where nothing stops for it.
    if (generation !== live) known.add(`${name}.next`)
    if (one === undefined) {
      wrong.push(`${name} is missing`)
      continue
    }
    const stopped = kind === 'worker' && fleet.workersStopped
    const state = kind === 'job' || stopped ? 'exited' : 'running'
    if (one.state !== state) wrong.push(`${name} is ${one.state}`)
    if (one.generation !== String(live) && !stopped) wrong.push(`${name} is generation ${one.generation}, not ${live}`)
  }
  if (byName.get('ingress')?.state !== 'running') wrong.push('ingress does not run')
  for (const { name } of seen) if (!known.has(name) && !name.endsWith('.failed')) wrong.push(`${name} is left over`)
  return wrong
}

/** Resolves to the milliseconds it took, or to what is still wrong after `patience` milliseconds. */
export async function converges(docker: Docker, fleet: Fleet, patience: number): Promise<number | string[]> {
  const begun = performance.now()
  for (;;) {
    const seen = await listContainers(docker, DEPLOYMENT, PREFIX).catch(() => null)
    const wrong = seen === null ? ['the engine does not answer'] : differences(fleet, seen)
    if (wrong.length === 0) return performance.now() - begun
    if (performance.now() - begun > patience) return wrong
    await sleep(150)
  }
}
