// What taking a deployment down removes and what it leaves, as lines.

import { plain } from './columns.ts'
import type { Palette } from './palette.ts'
import { count } from './plurals.ts'

/** Names on the engine. */
export interface Remains {
  /** In the order in which they go. */
  readonly containers: readonly string[]
  readonly networks: readonly string[]
  /** Empty volumes that only say something. */
  readonly marks: readonly string[]
  readonly tags: readonly string[]
  /** Volumes with data that go. */
  readonly volumes: readonly string[]
  /** Volumes with data that stay. */
  readonly kept: readonly string[]
}

export function downLines(name: string, remains: Remains, palette: Palette): string[] {
  const { containers, networks, marks, tags, volumes, kept } = remains
  const rows = (what: string, names: readonly string[]) =>
    names.map((one) => `${palette.bad('-')} ${what} ${palette.bold(plain(one))}`)
  const others = [
    ...(marks.length > 0 ? [count(marks.length, 'mark')] : []),
    ...(tags.length > 0 ? [count(tags.length, 'image tag')] : []),
  ]
  const nothing = containers.length + networks.length + others.length + volumes.length === 0
  return [
    `${palette.bold(name)}${nothing ? '  has nothing to remove on this engine' : ''}`,
    ...rows('container', containers),
    ...rows('network', networks),
    ...volumes.map((one) => `${palette.alarm(' DATA ')} volume ${palette.bold(plain(one))}`),
    ...(others.length > 0 ? [`${palette.bad('-')} ${others.join(', ')}`] : []),
    ...kept.map((one) => palette.dim(`  stays: volume ${plain(one)}`)),
  ]
}
