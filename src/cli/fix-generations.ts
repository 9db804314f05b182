// graft validate --fix: the generations of a work tree, settled in its files.

import { join } from 'node:path'

import { settleAgainst } from '../daemon/settle.ts'
import type { Problem } from '../desired/problem.ts'
import type { SettledLeaf } from '../desired/settle-generations.ts'
import { align, plain } from '../report/columns.ts'
import type { Palette } from '../report/palette.ts'
import { headOf } from './judge-work.ts'
import { Mistake } from './mistakes.ts'
import type { Opened } from './open-command.ts'
import { writeWorktree } from './write-worktree.ts'

/**
 * What was written; nothing where every number stands or the work tree does not read, which its validation then says.
 * Throws a Mistake without a work tree, RepositoryFault.
 */
export async function fixGenerations({ deployment, worktree }: Opened): Promise<readonly SettledLeaf[]> {
  if (worktree === null) {
    const remedy = 'do it in a clone, or let graft bump --changed --branch NAME make a commit'
    throw new Mistake('there is no work tree whose files could be corrected', remedy)
  }
  const base = await headOf(deployment)
  const snapshot = await deployment.repository.worktree()
  const { changes, leaves } = await settleAgainst(deployment, snapshot, base?.id ?? null)
  await writeWorktree(join(worktree, deployment.settings.path ?? ''), snapshot, changes)
  return leaves
}

export function fixedLines(leaves: readonly SettledLeaf[], { place }: Opened, palette: Palette): string[] {
  return align(
    leaves.map(({ leaf, file, from, to }) => [
      `${palette.changed('fixed')} ${plain(leaf)}`,
      from === to ? `digest comment of ${to}` : `generation ${from} → ${to}`,
      palette.dim(place(file)),
    ]),
  )
}

/** Where all that a leaf lacks is a number or its digest, graft can write it. */
export function fixHint(problems: readonly Problem[], { worktree }: Opened, palette: Palette): string[] {
  const isNumber = ({ severity, remedy }: Problem): boolean =>
    severity === 'held' && /\bwrite (generation: \d|# [0-9a-f]{6})/.test(remedy)
  if (worktree === null || !problems.some(isNumber)) return []
  return [palette.dim('graft validate --fix writes the generations into the files')]
}
