// Plays clients during a swap: so many connections a second to each port that is published before and after it. What
// they saw is a fact about the swap, beside how long it took.

import type { PublishedPort } from '../desired/spec.ts'
import type { HttpProbe, Leaf } from '../desired/tree.ts'
import { liveName } from '../plan/names.ts'
import type { Bench } from './bench.ts'
import type { Engine } from './engine.ts'
import type { Availability } from './outcome.ts'
import type { Clock } from './clock.ts'

export interface Measuring {
  /** Ends it, waits for what is on its way, and tells what was seen, by leaf: the worst of its ports. */
  end(): Promise<ReadonlyMap<string, Availability>>
}

/** 100 a second. */
const EVERY = 10
const TIMEOUT = 1_000

/**
 * Begins for those of the leaves that ask for it and run now. Resolves when the first client of each port is through, so
 * that what follows has something to be compared with. A port that cannot be reached from here is not told of.
 */
export async function beginMeasuring(leaves: readonly string[], bench: Bench): Promise<Measuring> {
  const { engine, clock, tree, measure } = bench
  const players: { readonly leaf: string; readonly player: Player }[] = []
  for (const name of leaves) {
    const leaf = tree.leaves.get(name)
    if (leaf === undefined || leaf.kind === 'job' || !(leaf.update.measure || measure)) continue
    for (const port of await portsKept(leaf, bench)) {
      const http = leaf.probe?.kind === 'http' && leaf.probe.port === port.target ? leaf.probe : null
      players.push({ leaf: name, player: play(engine, clock, port, http) })
    }
  }
  await Promise.all(players.map(({ player }) => player.first))
  return {
    async end() {
      const worst = new Map<string, Availability>()
      await Promise.all(
        players.map(async ({ leaf, player }) => {
          const seen = await player.end()
          const before = worst.get(leaf)
          if (seen !== null && (before === undefined || isWorse(seen, before))) worst.set(leaf, seen)
        }),
      )
      return worst
    },
  }
}

/** What is published now and goes on being published: a port that is new or goes away has no clients to lose. */
async function portsKept(leaf: Leaf, { engine, tree }: Bench): Promise<PublishedPort[]> {
  const live = await engine.inspect(liveName(tree.prefix, leaf.name))
  if (live?.state !== 'running' || live.labels.deployment !== tree.name) return []
  const wanted = new Set(leaf.spec.ports.map(addressOf))
  return live.running.ports.filter(
    (port) => port.protocol === 'tcp' && port.published !== 0 && wanted.has(addressOf(port)),
  )
}

interface Player {
  /** Resolves when the first client is through. */
  readonly first: Promise<unknown>
  end(): Promise<Availability | null>
}

function play(engine: Engine, clock: Clock, port: PublishedPort, http: HttpProbe | null): Player {
  const begun = clock.steady()
  const over = new AbortController()
  const underWay = new Set<Promise<void>>()
  let tried = 0
  let lost = 0
  let reachable = true
  /** Of the last success; of the beginning before there is one. */
  let last = begun
  let longestPause = 0

  async function knock(): Promise<void> {
    tried++
    const result = await engine.knock(port, http, TIMEOUT).catch((error: unknown) => ({
      healthy: false,
      output: String(error),
    }))
    if (result === null) reachable = false
    else if (result.healthy) succeeded()
    else lost++
  }

  function succeeded(): void {
    longestPause = Math.max(longestPause, clock.steady() - last)
    last = clock.steady()
  }

  function begin(): Promise<void> {
    const work = knock().finally(() => underWay.delete(work))
    underWay.add(work)
    return work
  }

  const first = begin()
  void (async () => {
    for (let at = begun + EVERY; reachable; at = Math.max(at + EVERY, clock.steady())) {
      await clock.sleep(Math.max(1, at - clock.steady()), over.signal)
      if (over.signal.aborted) return
      void begin()
    }
  })()

  return {
    first,
    async end() {
      over.abort()
      // Where the last ones were lost, the pause has not ended yet.
      const ended = clock.steady()
      await Promise.all(underWay)
      if (!reachable) return null
      return { port: addressOf(port), tried, lost, longestPause: Math.max(longestPause, ended - last) }
    },
  }
}

function isWorse(one: Availability, other: Availability): boolean {
  return one.lost > other.lost || (one.lost === other.lost && one.longestPause > other.longestPause)
}

/** `0.0.0.0:8774`, as published. */
function addressOf({ host_ip = '0.0.0.0', published }: PublishedPort): string {
  return host_ip.includes(':') ? `[${host_ip}]:${published}` : `${host_ip}:${published}`
}
