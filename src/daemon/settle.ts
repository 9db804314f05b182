// Generations settled against the history of a commit: what `bump`, `validate --fix` and `revert` share.

import { EMPTY_LEDGER } from '../desired/ledger.ts'
import { createReader, type Reader } from '../desired/read.ts'
import { settleGenerations, type Settlement } from '../desired/settle-generations.ts'
import type { Leaf } from '../desired/tree.ts'
import { RepositoryFault } from '../repository/repository.ts'
import type { Snapshot } from '../repository/snapshot.ts'
import type { Deployment } from './open-deployment.ts'

export interface SettleAgainst {
  /** One reader for all snapshots of one command reads each file once. */
  readonly reader?: Reader
  /** Default: true. */
  readonly comments?: boolean
  /** Leaves that may be touched; default: all. */
  readonly only?: (leaf: Leaf) => boolean
}

/**
 * `base`: the commit that the snapshot was made from; null in a repository without commits. Throws RepositoryFault
 * `refused` where the clone ends before the history does: the next free number would be a guess.
 */
export async function settleAgainst(
  { repository, history }: Pick<Deployment, 'repository' | 'history'>,
  snapshot: Snapshot,
  base: string | null,
  { reader = createReader(), comments = true, only = () => true }: SettleAgainst = {},
): Promise<Settlement> {
  if (base === null) {
    return settleGenerations(snapshot, { reader, ledger: EMPTY_LEDGER, inAncestors: () => false, comments, only })
  }
  let at = await history.at(base)
  if (!at.complete && (await repository.deepen())) {
    await history.reread()
    at = await history.at(base)
  }
  if (!at.complete) {
    throw new RepositoryFault(
      'refused',
      'which generations are free cannot be told: the clone is shallow and ends before the history does',
      'Fetch the whole history: git fetch --unshallow, or fetch-depth: 0 where a CI job checks the repository out',
    )
  }
  const { ledger } = at
  let asked = false
  const first = settleGenerations(snapshot, {
    reader,
    ledger,
    comments,
    only,
    inAncestors: () => {
      asked = true
      return false
    },
  })
  if (!asked) return first
  // Side lines of merges are read only where a number may come from one of them.
  const inAncestors = await history.sideLines(base)
  return settleGenerations(snapshot, { reader, ledger, inAncestors, comments, only })
}
