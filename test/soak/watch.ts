// Watches the fleet by the invariants all the time, and knows what this round's act and fault may take down.

import type Docker from 'dockerode'

import type { Violation } from '../invariants/invariants.ts'
import { watchDocker } from '../invariants/watch-docker.ts'
import { accepted, isStartFirst, type Fleet } from './fleet.ts'

export interface Seen {
  readonly id: string
  readonly name: string
  readonly leaf: string
  readonly generation: string
  readonly state: string
}

export interface Watch {
  /** Somebody else takes these down in this round, or may. `all`: the engine itself goes down. */
  excuse(leaves: readonly string[] | 'all'): void
  /** The round is over: from here on each of them has to be there again, once it was seen. */
  unexcuse(): void
  /** What was declared of these in this round does not work, and nothing disturbs it: it is tried once. */
  failsOnce(leaves: readonly string[]): void
  violations(): readonly Violation[]
  looks(): number
  stop(): Promise<void>
}

export interface WatchOptions {
  readonly docker: Docker
  readonly deployment: string
  readonly fleet: Fleet
}

const EVERY = 200
/** The deployment's own, which is in no model. */
const INGRESS = 'ingress'

export function startWatch({ docker, deployment, fleet }: WatchOptions): Watch {
  const leafOf = (name: string) => fleet.leaves.find((leaf) => leaf.name === name)
  let failing: readonly string[] = []
  let round = newRound()
  const watch = watchDocker({
    docker,
    expected: {
      deployment,
      isStartFirst(name) {
        const leaf = leafOf(name)
        return leaf !== undefined && isStartFirst(leaf)
      },
      isExclusive(name) {
        const leaf = leafOf(name)
        return leaf !== undefined && !isStartFirst(leaf)
      },
      // One that left the tree may go rounds later, when nothing can use it any more.
      isWanted(name) {
        const leaf = leafOf(name)
        const stopped = leaf?.kind === 'worker' && fleet.workersStopped
        return leaf !== undefined && leaf.generation !== null && !stopped
      },
      // The model knows generations; their digests are graft's own.
      isAccepted: (name, generation) => name === INGRESS || accepted(fleet).has(`${name} ${generation}`),
      isData: (volume) => /^[^.]*_store-\d+$/.test(volume) && volume.startsWith(`${deployment}_`),
      isExclusiveVolume: (volume) => volume.startsWith(`${deployment}_store-`),
      mostTries(name, generation) {
        const isFailing = failing.includes(name) && generation === String(leafOf(name)?.generation)
        return isFailing ? 1 : Number.POSITIVE_INFINITY
      },
    },
    continuity: true,
    every: EVERY,
  })
  return {
    excuse(leaves) {
      if (leaves === 'all') watch.invariants.engineGoes(round.ended)
      else for (const leaf of leaves) watch.invariants.excuse(leaf, round.ended)
    },
    unexcuse() {
      round.end()
      round = newRound()
    },
    failsOnce: (leaves) => void (failing = leaves.filter((name) => leafOf(name)?.kind === 'store')),
    violations: () => watch.invariants.violations(),
    looks: () => watch.looks(),
    stop: () => watch.stop().then(() => undefined),
  }
}

function newRound(): { readonly ended: Promise<void>; readonly end: () => void } {
  let end = (): void => undefined
  const ended = new Promise<void>((resolve) => (end = resolve))
  return { ended, end }
}

/** Without the lock. */
export async function listContainers(docker: Docker, deployment: string, prefix: string): Promise<Seen[]> {
  const filters = { label: [`dev.graft.deployment=${deployment}`] }
  const rows = await docker.listContainers({ all: true, filters })
  return rows.flatMap(({ Id: id, Names: names, Labels: labels, State: state }) => {
    const leaf = labels['dev.graft.leaf']
    if (leaf === undefined) return []
    const name = (names[0] ?? '').replace(/^\//, '').replace(prefix, '')
    return [{ id, name, leaf, generation: labels['dev.graft.generation'] ?? '', state }]
  })
}
