// The repository of a simulated deployment: what its leaves are, how commits change them, and what should run in the end.

import type { Behaviour } from '../../src/engine/memory/behaviour.ts'
import type { RunningSpec } from '../../src/plan/observed.ts'
import type { FileChange } from '../../src/repository/repository.ts'

/** What becomes of a generation's program. `good` is sound for ever. */
export const FLAVOURS = ['good', 'slow', 'crash', 'late', 'never', 'start-error', 'no-image'] as const
export type Flavour = (typeof FLAVOURS)[number]

export function isSound(flavour: Flavour): boolean {
  return flavour === 'good' || flavour === 'slow'
}

/** How the image of every leaf behaves, by its variable FLAVOUR. */
export function behaviour({ environment }: RunningSpec): Behaviour {
  switch (environment['FLAVOUR']) {
    case 'slow':
      return { healthyAfter: 4_000, stopTakes: 3_000 }
    case 'crash':
      return { exitsAfter: 50, exitCode: 3, healthyAfter: 'never' }
    case 'late':
      return { exitsAfter: 2_500, exitCode: 4, healthyAfter: 'never' }
    case 'never':
      return { healthyAfter: 'never' }
    case 'start-error':
      return { startError: 'exec: "serve": no such file or directory' }
    case 'done':
      return { exitsAfter: 1_500 }
    case 'broken':
      return { exitsAfter: 1_500, exitCode: 5 }
    default:
      return { healthyAfter: 700, stopTakes: 200 }
  }
}

export type LeafClass =
  | 'start-first'
  | 'probed'
  | 'exclusive'
  | 'port'
  | 'together'
  | 'together-exclusive'
  | 'joiner'
  | 'job'

interface LeafPlace {
  readonly name: string
  readonly set: string
  readonly class: LeafClass
  readonly needs: readonly string[]
  /** Of a joiner: the leaf in whose network namespace it lives. */
  readonly joins?: string
}

const PLACES: readonly LeafPlace[] = [
  { name: 'web', set: 'front', class: 'start-first', needs: [] },
  { name: 'api', set: 'front', class: 'probed', needs: ['migrate'] },
  { name: 'edge', set: 'front', class: 'port', needs: [] },
  { name: 'rim', set: 'front', class: 'port', needs: [] },
  { name: 'db', set: 'back', class: 'exclusive', needs: [] },
  { name: 'queue', set: 'back', class: 'exclusive', needs: ['db'] },
  { name: 'left', set: 'pair', class: 'together', needs: [] },
  { name: 'right', set: 'pair', class: 'together', needs: [] },
  { name: 'store', set: 'pair', class: 'together-exclusive', needs: [] },
  { name: 'migrate', set: 'front', class: 'job', needs: [] },
  { name: 'side', set: 'front', class: 'joiner', needs: [], joins: 'web' },
  { name: 'mate', set: 'back', class: 'joiner', needs: [], joins: 'db' },
]
export const LEAVES: readonly string[] = PLACES.map(({ name }) => name)
export const SETS = ['front', 'back', 'pair'] as const

const PORTS = [8080, 8081, 8082]

export interface LeafState {
  readonly generation: number
  readonly flavour: Flavour
  readonly port: number
}

export interface SiteState {
  readonly leaves: ReadonlyMap<string, LeafState>
  readonly stopped: ReadonlySet<string>
  readonly suspended: ReadonlySet<string>
  readonly readable: boolean
}

/** Whether another leaf that is there lives in its namespace, or would have none to live in. */
export function isJoined(leaf: string, leaves: ReadonlyMap<string, LeafState>): boolean {
  return PLACES.some(({ name, joins }) => joins === leaf && leaves.has(name))
}

export function placeOf(leaf: string): LeafPlace {
  const place = PLACES.find(({ name }) => name === leaf)
  if (place === undefined) throw new Error(`no leaf ${leaf}`)
  return place
}

export function isExclusive(leaf: string): boolean {
  const kind = placeOf(leaf).class
  return kind !== 'start-first' && kind !== 'probed' && kind !== 'together'
}

/** Jobs aside, what is not exclusive starts first. */
export function isStartFirst(leaf: string): boolean {
  return !isExclusive(leaf)
}

export function firstState(): SiteState {
  const leaves = PLACES.map(({ name }, index): [string, LeafState] => [
    name,
    { generation: 1, flavour: 'good', port: PORTS[index % 2] ?? 0 },
  ])
  return { leaves: new Map(leaves), stopped: new Set(), suspended: new Set(), readable: true }
}

/** Every file of the state; what another one has and this one not is for the caller to remove. */
export function filesOf(state: SiteState): ReadonlyMap<string, string> {
  const files = new Map<string, string>([
    ['deployment.yaml', 'name: shop\nformat: 1\nvolumes: {db: {}, queue: {}, store: {}}\n'],
  ])
  for (const set of SETS) {
    const keys = [
      ...(set === 'pair' ? ['update: {together: true}'] : []),
      ...(state.stopped.has(set) ? ['state: stopped'] : []),
      ...(state.suspended.has(set) ? ['suspend: true'] : []),
    ]
    files.set(`${set}/set.yaml`, keys.length === 0 ? '{}\n' : `${keys.join('\n')}\n`)
  }
  for (const [name, leaf] of state.leaves) files.set(`${placeOf(name).set}/${name}.yaml`, leafText(name, leaf, state))
  if (!state.readable) files.set('front/broken.yaml', 'generation: [\n')
  return files
}

export function changes(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): FileChange[] {
  const changed: FileChange[] = []
  for (const [path, text] of after) if (before.get(path) !== text) changed.push({ path, content: Buffer.from(text) })
  for (const path of before.keys()) if (!after.has(path)) changed.push({ path, content: null })
  return changed
}

function leafText(name: string, { generation, flavour, port }: LeafState, state: SiteState): string {
  const { class: kind, needs, joins } = placeOf(name)
  const variable = kind === 'job' ? (isSound(flavour) ? 'done' : 'broken') : flavour
  const lines = [
    `generation: ${generation}`,
    // A job that fails does so by its program.
    `image: ${flavour === 'no-image' && kind !== 'job' ? 'gone:1' : 'app:1'}`,
    `environment: {FLAVOUR: "${variable}", GENERATION: "${generation}"}`,
    'update: {drain: 2s, deadline: 15s}',
  ]
  const there = needs.filter((need) => state.leaves.has(need))
  if (there.length > 0) {
    const conditions = there.map((need) =>
      placeOf(need).class === 'job'
        ? `${need}: {condition: service_completed_successfully}`
        : `${need}: {condition: service_healthy}`,
    )
    lines.push(`depends_on: {${conditions.join(', ')}}`)
  }
  if (kind === 'job') lines.push('kind: job')
  else if (kind === 'probed') lines.push('healthcheck: {tcp: {port: 80}, interval: 2s, retries: 5}')
  else lines.push('healthcheck: {test: [CMD, check], interval: 1s, retries: 8}')
  if (kind === 'exclusive' || kind === 'together-exclusive') lines.push(`volumes: ["${name}:/data"]`)
  if (kind === 'port') lines.push(`ports: ["${port}:80"]`)
  if (joins !== undefined) lines.push(`network_mode: "service:${joins}"`)
  return `${lines.join('\n')}\n`
}

export function otherPort(port: number): number {
  return PORTS[(PORTS.indexOf(port) + 1) % PORTS.length] ?? port
}

/**
 * Leaves whose newest generation cannot come up, and those that wait for one of them. `vetoed`: the generations whose
 * candidate somebody stopped by hand at its gate, which counts as a failure.
 */
export function heldLeaves(state: SiteState, vetoed: ReadonlyMap<string, number>): ReadonlySet<string> {
  const held = new Set<string>()
  for (const [name, { flavour, generation }] of state.leaves)
    if (!isSound(flavour) || vetoed.get(name) === generation) held.add(name)
  // A set that switches together stays where one of it fails.
  for (const set of SETS) {
    if (set !== 'pair') continue
    const members = [...state.leaves.keys()].filter((leaf) => placeOf(leaf).set === set)
    if (members.some((leaf) => held.has(leaf))) for (const leaf of members) held.add(leaf)
  }
  // A leaf and what lives in its namespace go together.
  for (const { name, joins } of PLACES)
    if (joins !== undefined && (held.has(name) || held.has(joins))) held.add(name).add(joins)
  // One that stays as it was may hold the port that another one is to have.
  const ports = [...state.leaves.keys()].filter((leaf) => placeOf(leaf).class === 'port')
  if (ports.some((leaf) => held.has(leaf))) for (const leaf of ports) held.add(leaf)
  for (let grew = true; grew;) {
    grew = false
    for (const name of state.leaves.keys()) {
      const { needs, set } = placeOf(name)
      const waits = needs.some(
        (need) =>
          state.leaves.has(need) &&
          (held.has(need) || (state.stopped.has(placeOf(need).set) && set !== placeOf(need).set)),
      )
      if (waits && !held.has(name)) {
        held.add(name)
        grew = true
      }
    }
  }
  return held
}
