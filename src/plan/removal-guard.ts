// What may not go without somebody's word: more leaves than the limit, and everything for a tree that is empty. Pure.

import { createHash } from 'node:crypto'

import type { Tree } from '../desired/tree.ts'

/** Removals that wait until somebody says that they are meant. */
export interface RemovalHeld {
  readonly count: number
  /** The most that may go without confirmation. */
  readonly limit: number
  readonly names: readonly string[]
  /** `limit`: too many. `empty`: the commit declares no leaf at all. */
  readonly because: 'limit' | 'empty'
  /** Ids of the containers that would go, in the order of `names`; empty where nothing is known of an engine. */
  readonly ids: readonly string[]
  /** Stands for the commit and for what would go: 12 characters, hex. An approval names it. */
  readonly digest: string
}

export interface Going {
  readonly leaf: string
  readonly id: string | null
}

interface Guarded {
  readonly tree: Pick<Tree, 'leaves' | 'ingress' | 'commit'>
  readonly going: readonly Going[]
  readonly limit: number
}

/** Null where what goes may go. */
export function guardRemovals({ tree, going, limit }: Guarded): RemovalHeld | null {
  const isEmpty = [...tree.leaves.keys()].every((name) => name === tree.ingress?.leaf)
  if (going.length === 0 || !(isEmpty || going.length > limit)) return null
  const ids = going.flatMap(({ id }) => (id === null ? [] : [id]))
  const names = going.map(({ leaf }) => leaf)
  return {
    count: going.length,
    limit,
    names,
    because: isEmpty ? 'empty' : 'limit',
    ids,
    digest: digestOf(tree.commit?.id ?? '', names, ids),
  }
}

/** One clause, without a full stop. */
export function heldWords({ count, limit, because }: RemovalHeld): string {
  const leaves = `${count} ${count === 1 ? 'leaf' : 'leaves'}`
  return because === 'empty'
    ? `the commit declares no leaf at all, and ${leaves} would be removed`
    : `${leaves} would be removed, more than the ${limit} allowed without confirmation`
}

function digestOf(commit: string, names: readonly string[], ids: readonly string[]): string {
  const text = JSON.stringify([commit, names, ids])
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}
