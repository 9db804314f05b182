// Networks and volumes: made where missing, never changed in place, never removed with data in them.

import { ofVolume } from '../desired/mount-privileges.ts'
import { ofNetwork } from '../desired/network-privileges.ts'
import type { NetworkWish, VolumeWish } from '../desired/tree.ts'
import { optionsDigest } from './digests.ts'
import type { PlanInput } from './planning.ts'
import type { Step, Table } from './step.ts'
import { step } from './steps.ts'

export interface ResourcePlan {
  /** Tables by the key that leaves wait for: `network KEY`, `volume KEY`. */
  readonly tables: readonly Table[]
  /** Why a network or volume cannot be used, by the same key. */
  readonly blocked: ReadonlyMap<string, string>
}

/**
 * What the host would have to grant, such as a driver with options, is made only for a leaf that may have it: one that
 * nobody is granted is no way around the policy.
 */
export function planResources({ tree, observed, busy, waits, now, refused, only }: PlanInput): ResourcePlan {
  const tables: Table[] = []
  const blocked = new Map<string, string>()
  const isWaiting = (id: string) => (waits.get(id)?.until ?? 0) > now
  const granted = new Set(
    [...tree.leaves.values()].filter(({ name }) => !refused.has(name)).flatMap((leaf) => resourceKeys(leaf)),
  )
  const meant = [...tree.leaves.values()].filter(({ name }) => only?.has(name))
  const used = only === undefined ? null : new Set(meant.flatMap((leaf) => resourceKeys(leaf)))
  for (const wish of tree.networks.values()) {
    const id = `network ${wish.key}`
    if (used?.has(id) === false) continue
    if (!granted.has(id) && !wish.external && ofNetwork(wish).length > 0) continue
    const there = observed.networks.get(wish.name)
    const why = there === undefined ? missing(wish, 'network') : unusable(wish, there, tree.name, 'network')
    if (why !== null) blocked.set(id, why)
    else if (there === undefined && busy.has(id)) blocked.set(id, `waits for the network ${wish.name}`)
    else if (there === undefined && isWaiting(id)) blocked.set(id, waits.get(id)?.because ?? '')
    else if (there === undefined) tables.push(oneStep(id, { do: 'create-network', network: wish.key }))
  }
  for (const wish of tree.volumes.values()) {
    const id = `volume ${wish.key}`
    if (used?.has(id) === false) continue
    if (!granted.has(id) && !wish.external && ofVolume(wish, false).length > 0) continue
    const there = observed.volumes.get(wish.name)
    const why = there === undefined ? missing(wish, 'volume') : unusable(wish, there, tree.name, 'volume')
    if (why !== null) blocked.set(id, why)
    else if (there === undefined && busy.has(id)) blocked.set(id, `waits for the volume ${wish.name}`)
    else if (there === undefined && isWaiting(id)) blocked.set(id, waits.get(id)?.because ?? '')
    else if (there === undefined) tables.push(oneStep(id, { do: 'create-volume', volume: wish.key }))
  }
  return { tables, blocked }
}

/** Networks of this deployment that nobody is joined to and the tree no longer declares. Volumes stay: they hold data. */
export function leftoverNetworks({ tree, observed, busy, waits, now, only }: PlanInput): Table[] {
  if (only !== undefined) return []
  const wanted = new Set([...tree.networks.values()].map(({ name }) => name))
  return [...observed.networks.values()]
    .filter((network) => network.deployment === tree.name && network.endpoints === 0 && !wanted.has(network.name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, id }) => oneStep(`network ${name} removed`, { do: 'remove-network', network: name, id }))
    .filter(({ id }) => !busy.has(id) && (waits.get(id)?.until ?? 0) <= now)
}

/** The keys a leaf's table has to wait for. */
export function resourceKeys(leaf: {
  spec: { networks: object; mounts: readonly { type: string; source?: string }[] }
}): string[] {
  const volumes = leaf.spec.mounts.filter(({ type }) => type === 'volume').map(({ source }) => `volume ${source}`)
  return [...Object.keys(leaf.spec.networks).map((key) => `network ${key}`), ...volumes]
}

function missing(wish: NetworkWish | VolumeWish, kind: string): string | null {
  return wish.external
    ? `the external ${kind} ${wish.name} is not on this engine; make it, or take external away`
    : null
}

function unusable(
  wish: NetworkWish | VolumeWish,
  there: { deployment: string | null; optionsDigest: string | null },
  deployment: string,
  kind: string,
): string | null {
  if (wish.external) return null
  if (there.deployment !== deployment) {
    return `the ${kind} ${wish.name} is there and is not graft's; say external: true, or give it another name`
  }
  if (there.optionsDigest === optionsDigest(wish.options)) return null
  return `the options of ${kind} ${wish.name} changed, and a ${kind} cannot change in place; give it a new name`
}

function oneStep(id: string, action: Step['action']): Table {
  return { id, leaves: [], after: [], preemptible: false, prepare: [step(action)], commit: [], cleanup: [] }
}
