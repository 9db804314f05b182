// Looks at the engine all the time, and writes down whatever must never be seen.

import type Docker from 'dockerode'

import { accepted, isStartFirst, type Fleet } from './fleet.ts'

export interface Violation {
  /** always-healthy, never-two, not-ours, accepted-only, no-retry-storm, volumes-stay. */
  readonly invariant: string
  readonly at: string
  readonly text: string
}

export interface Seen {
  readonly id: string
  readonly name: string
  readonly leaf: string
  readonly generation: string
  readonly state: string
}

export interface Watch {
  /** Somebody else takes these down, or may: what is missing of them is not graft's doing. `all`: the engine was restarted. */
  excuse(leaves: readonly string[] | 'all'): void
  /** From here on each of them has to be there again, once it was seen. */
  unexcuse(): void
  /** Candidates that were seen of one generation. */
  candidates(leaf: string, generation: number): number
  readonly violations: Violation[]
  looks(): number
  stop(): Promise<void>
}

export interface WatchOptions {
  readonly docker: Docker
  readonly deployment: string
  readonly prefix: string
  readonly fleet: Fleet
  /** What about somebody else's things must stay the same. */
  readonly foreign: () => Promise<string>
}

const EVERY = 200

export async function startWatch({ docker, deployment, prefix, fleet, foreign }: WatchOptions): Promise<Watch> {
  const violations: Violation[] = []
  const running = new Set<string>()
  const ids = new Map<string, Set<string>>()
  const volumes = new Set<string>()
  const asItWas = await foreign()
  let excused: ReadonlySet<string> | 'all' = 'all'
  let ended = false
  let looks = 0
  const told = new Set<string>()
  const tell = (invariant: string, text: string) => {
    if (told.has(`${invariant} ${text}`)) return
    told.add(`${invariant} ${text}`)
    violations.push({ invariant, at: new Date().toISOString(), text })
  }
  const isExcused = (leaf: string) => excused === 'all' || excused.has(leaf)

  async function look(): Promise<void> {
    const seen = await listContainers(docker, deployment, prefix)
    const allowed = accepted(fleet)
    const now = new Map<string, number>()
    for (const { id, leaf, generation, state, name } of seen) {
      const key = `${leaf} ${generation}`
      ids.set(key, (ids.get(key) ?? new Set()).add(id))
      if (state !== 'running' && state !== 'paused') continue
      now.set(leaf, (now.get(leaf) ?? 0) + 1)
      if (leaf !== 'ingress' && !allowed.has(key))
        tell('accepted-only', `${name} runs generation ${generation}, which no commit declares`)
    }
    for (const leaf of fleet.leaves) {
      const count = now.get(leaf.name) ?? 0
      if (!isStartFirst(leaf) && count > 1 && !isExcused(leaf.name)) tell('never-two', `${leaf.name}: ${count} run`)
      // One that left the tree may go rounds later, when nothing can use it any more.
      const wanted = leaf.generation !== null && !isExcused(leaf.name)
      if (isStartFirst(leaf) && count === 0 && running.has(leaf.name) && wanted)
        tell('always-healthy', `${leaf.name}: none runs`)
      if (count > 0) running.add(leaf.name)
      else if (!wanted) running.delete(leaf.name)
    }
    if (looks % 10 === 0) {
      if ((await foreign()) !== asItWas) tell('not-ours', `what is somebody else's has changed: ${await foreign()}`)
      const listed = await docker.listVolumes({ filters: { label: [`dev.graft.deployment=${deployment}`] } })
      const names = new Set((listed.Volumes ?? []).map(({ Name }) => Name))
      for (const name of volumes) if (!names.has(name)) tell('volumes-stay', `the volume ${name} is gone`)
      for (const name of names) volumes.add(name)
    }
    looks++
  }
  const looking = (async () => {
    while (!ended) {
      // The engine is away now and then: that is part of it.
      await look().catch(() => undefined)
      await new Promise((resolve) => setTimeout(resolve, EVERY))
    }
  })()
  return {
    excuse(leaves) {
      excused = leaves === 'all' || excused === 'all' ? 'all' : new Set([...excused, ...leaves])
      for (const name of running) if (isExcused(name)) running.delete(name)
    },
    unexcuse: () => void (excused = new Set()),
    candidates: (leaf, generation) => ids.get(`${leaf} ${generation}`)?.size ?? 0,
    violations,
    looks: () => looks,
    async stop() {
      ended = true
      await looking
    },
  }
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
