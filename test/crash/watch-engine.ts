// Watches a deployment by the invariants, and counts what runs of it at a time, for a table.

import type { AcceptedCommits } from '../invariants/accepted.ts'
import type { Look } from '../invariants/look.ts'
import { watchDocker } from '../invariants/watch-docker.ts'
import type { Stage } from '../engine/stage/stage.ts'

export interface Watched {
  /** Leaves that may never be without a healthy container (I1). */
  readonly startFirst?: readonly string[]
  /** Leaves of which there may only be one (I2). */
  readonly exclusive?: readonly string[]
  /** Volumes, by their names in the repository, that only one container may use at a time (I2). */
  readonly alone?: readonly string[]
  /** More leaves that are counted. */
  readonly counted?: readonly string[]
  readonly accepted: AcceptedCommits
  /** As of `lookAtDocker`. */
  readonly images?: boolean
  /** As of `watchDocker`. */
  readonly correct?: (look: Look) => Promise<Look>
}

export interface Seen {
  /** Most and fewest running containers of a leaf that were seen at one time. */
  readonly leaf: (name: string) => Counts
  readonly looks: number
  /** Violations of the invariants, in words. */
  readonly broken: readonly string[]
}

export interface Counts {
  readonly most: number
  readonly fewest: number
}

const EVERY = 10
/** Marks of graft's own. */
const MARK = /\.(done|adopted)-g\d/

/** Looks until it is stopped. Of an engine that goes down with its containers meanwhile nothing is start-first. */
export function watchEngine(stage: Stage, watched: Watched): { looks(): number; stop(): Promise<Seen> } {
  const { startFirst = [], exclusive = [], alone = [], accepted } = watched
  const names = [...startFirst, ...exclusive, ...(watched.counted ?? [])]
  const counted = new Map(names.map((leaf) => [leaf, { most: 0, fewest: Infinity }]))
  /** A daemon may be faster than whoever reads the commit for this. */
  const unknown = new Map<string, () => boolean>()
  const watch = watchDocker({
    docker: stage.docker,
    expected: {
      deployment: stage.name,
      isStartFirst: (leaf) => startFirst.includes(leaf),
      isExclusive: (leaf) => exclusive.includes(leaf),
      isWanted: () => true,
      isAccepted(leaf, generation, digest) {
        const isKnown = () => accepted.has(leaf, generation, digest)
        if (!isKnown())
          unknown.set(`${leaf} ran generation ${generation}, which no accepted commit declared so`, isKnown)
        return true
      },
      isData: (volume) => volume.startsWith(`${stage.name}_`) && !MARK.test(volume),
      isExclusiveVolume: (volume) => alone.some((name) => volume === `${stage.name}_${name}`),
    },
    continuity: true,
    every: EVERY,
    ...(watched.images === undefined ? {} : { images: watched.images }),
    ...(watched.correct === undefined ? {} : { correct: watched.correct }),
    onLook({ containers }) {
      for (const [leaf, counts] of counted) {
        const own = containers.filter((one) => one.deployment === stage.name && one.leaf === leaf && one.running)
        counts.most = Math.max(counts.most, own.length)
        counts.fewest = Math.min(counts.fewest, own.length)
      }
    },
  })
  return {
    looks: () => watch.looks(),
    async stop() {
      await watch.stop()
      await accepted.note()
      for (const [text, isKnown] of unknown) if (!isKnown()) watch.invariants.say('I4', Date.now(), text)
      return {
        leaf: (name) => counted.get(name) ?? { most: 0, fewest: 0 },
        looks: watch.looks(),
        broken: watch.invariants.violations().map(({ invariant, text }) => `${invariant}: ${text}`),
      }
    },
  }
}
