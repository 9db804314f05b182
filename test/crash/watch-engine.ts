// Looks at a deployment's containers as often as the engine answers, and remembers what must never be seen.

import type { Stage } from '../engine/stage/stage.ts'

export interface Seen {
  /** Most and fewest running containers that were seen at one time, by leaf; by volume; of all. */
  readonly leaf: (name: string) => Counts
  readonly volume: (name: string) => Counts
  readonly all: Counts
  readonly looks: number
}

export interface Counts {
  readonly most: number
  readonly fewest: number
}

/** `names`: leaves and volumes that are counted, also where there is none. */
export function watchEngine(stage: Stage, names: readonly string[]): { stop(): Promise<Seen> } {
  let ended = false
  let looks = 0
  const ALL = ''
  const counted = new Map<string, { most: number; fewest: number }>()
  const note = (key: string, count: number) => {
    const known = counted.get(key) ?? { most: 0, fewest: Number.POSITIVE_INFINITY }
    counted.set(key, { most: Math.max(known.most, count), fewest: Math.min(known.fewest, count) })
  }
  const filters = { label: [`dev.graft.deployment=${stage.name}`], status: ['running'] }
  const looking = (async () => {
    while (!ended) {
      try {
        const rows = await stage.docker.listContainers({ filters })
        looks++
        note(ALL, rows.length)
        for (const name of names) {
          note(name, rows.filter((row) => row.Labels['dev.graft.leaf'] === name).length)
          const full = `${stage.name}_${name}`
          note(`volume ${name}`, rows.filter((row) => row.Mounts.some((mount) => mount.Name === full)).length)
        }
      } catch {
        // The engine is being restarted, or hangs.
      }
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  })()
  const of = (key: string) => counted.get(key) ?? { most: 0, fewest: 0 }
  return {
    async stop() {
      ended = true
      await looking
      return { leaf: of, volume: (name) => of(`volume ${name}`), all: of(ALL), looks }
    },
  }
}
