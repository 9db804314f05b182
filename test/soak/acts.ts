// Random commits on the fleet: what a day of work does to a repository, in minutes.

import { isStartFirst, leafText, pathOf, setFiles, type Fleet, type LeafModel, type Way } from './fleet.ts'
import type { Random } from './random.ts'

export interface Act {
  readonly what: string
  /** Path → text; null: the file goes. */
  readonly files: Readonly<Record<string, string | null>>
  /** Leaves that this commit takes away or stops. */
  readonly takenDown: readonly string[]
  /** Names of leaves with a generation that does not work. */
  readonly bad: readonly string[]
}

/** Changes the model and says what to commit. */
export function nextAct(fleet: Fleet, random: Random): Act {
  const roll = random.next()
  if (roll < 0.4) return bump(fleet, random)
  if (roll < 0.6) return bad(fleet, random)
  if (roll < 0.74) return rollBack(fleet, random)
  if (roll < 0.82) return removeOrReturn(fleet, random)
  if (roll < 0.9) return stopOrStart(fleet)
  if (roll < 0.95) return together(fleet)
  return { what: 'a commit that does not read', files: { 'webs/set.yaml': 'defaults: [' }, takenDown: [], bad: [] }
}

/** Every file of the fleet as it is declared now. */
export function wholeTree(fleet: Fleet): Record<string, string | null> {
  return { ...setFiles(fleet), ...Object.fromEntries(fleet.leaves.map((leaf) => [pathOf(leaf), leafText(leaf)])) }
}

function declare(leaf: LeafModel, way: Way): void {
  const generation = Math.max(0, ...leaf.ways.keys()) + 1
  leaf.ways.set(generation, way)
  leaf.generation = generation
  if (way === 'good') leaf.live = generation
}

function some(fleet: Fleet, random: Random, fits: (leaf: LeafModel) => boolean, most: number): LeafModel[] {
  const idle = (leaf: LeafModel) => leaf.generation === null || (leaf.kind === 'worker' && fleet.workersStopped)
  const from = fleet.leaves.filter((leaf) => !idle(leaf) && fits(leaf))
  const count = 1 + random.below(most)
  return [...new Set(Array.from({ length: count }, () => random.pick(from)))]
}

function act(fleet: Fleet, what: string, leaves: readonly LeafModel[], more: Partial<Act> = {}): Act {
  return {
    what: `${what} ${leaves.map(({ name }) => name).join(', ')}`.trim(),
    files: wholeTree(fleet),
    takenDown: [],
    bad: [],
    ...more,
  }
}

function bump(fleet: Fleet, random: Random): Act {
  const leaves = some(fleet, random, ({ kind }) => kind !== 'pair', 5)
  for (const leaf of leaves) declare(leaf, 'good')
  return act(fleet, 'new generation of', leaves)
}

/** What it was before stays live. A stopped set would try it at its start only. */
function bad(fleet: Fleet, random: Random): Act {
  const leaves = some(fleet, random, ({ kind }) => kind === 'web' || kind === 'store', 2)
  const way = random.pick<Way>(['exits', 'never healthy', 'no image'])
  for (const leaf of leaves) declare(leaf, way)
  const blamed = way === 'no image' ? [] : leaves.map(({ name }) => name)
  return act(fleet, `a generation that does not work (${way}) of`, leaves, { bad: blamed })
}

/** As `git revert` does: the text of an earlier generation again. */
function rollBack(fleet: Fleet, random: Random): Act {
  const fits = ({ kind, ways }: LeafModel) => kind !== 'pair' && kind !== 'job' && goodOnes(ways).length > 1
  if (!fleet.leaves.some((leaf) => leaf.kind !== 'worker' && leaf.generation !== null && fits(leaf)))
    return bump(fleet, random)
  const leaves = some(fleet, random, fits, 3)
  for (const leaf of leaves) {
    // Rollback images of the last few generations are kept, and all are made of the same base image.
    leaf.generation = random.pick(goodOnes(leaf.ways).slice(-5))
    leaf.live = leaf.generation
  }
  return act(fleet, 'back to an earlier generation of', leaves)
}

function goodOnes(ways: ReadonlyMap<number, Way>): number[] {
  return [...ways].flatMap(([generation, way]) => (way === 'good' ? [generation] : []))
}

function removeOrReturn(fleet: Fleet, random: Random): Act {
  const gone = fleet.leaves.filter(({ generation }) => generation === null)
  if (gone.length > 1 || (gone.length === 1 && random.chance(0.5))) {
    for (const leaf of gone) declare(leaf, 'good')
    return act(fleet, 'back in the tree:', gone)
  }
  const [leaf] = some(fleet, random, ({ kind }) => kind === 'web' || kind === 'store', 1)
  if (leaf === undefined) return bump(fleet, random)
  leaf.generation = null
  leaf.live = null
  return act(fleet, 'out of the tree:', [leaf], { takenDown: [leaf.name] })
}

function stopOrStart(fleet: Fleet): Act {
  fleet.workersStopped = !fleet.workersStopped
  const workers = fleet.leaves.filter(({ kind }) => kind === 'worker')
  const takenDown = fleet.workersStopped ? workers.map(({ name }) => name) : []
  return act(fleet, fleet.workersStopped ? 'the set is stopped of' : 'the set is started of', workers, { takenDown })
}

function together(fleet: Fleet): Act {
  const leaves = fleet.leaves.filter((leaf) => leaf.kind === 'pair' && isStartFirst(leaf))
  for (const leaf of leaves) declare(leaf, 'good')
  return act(fleet, 'new generations, together, of', leaves)
}
