// One bump, made from a snapshot and not written anywhere yet: the edits somebody wishes, the generations that follow,
// and what of which leaf differs by them.

import type { Deployment } from '../daemon/open-deployment.ts'
import { settleAgainst } from '../daemon/settle.ts'
import { readLimits } from '../daemon/limit-settings.ts'
import { editedSnapshot } from '../desired/edited-snapshot.ts'
import { isRefusal, type EditRefusal, type TextEdit, type TextEdits } from '../desired/text-edits.ts'
import { createReader } from '../desired/read.ts'
import type { Leaf, Tree } from '../desired/tree.ts'
import { changesBetween } from '../plan/offline.ts'
import type { BumpReport, LeafBump } from '../report/bump-words.ts'
import type { FileChange } from '../repository/repository.ts'
import type { Snapshot } from '../repository/snapshot.ts'
import { Mistake, Problems } from './mistakes.ts'

export interface BumpWish {
  /** Edits of the tree's files; null: none but generations. Throws a Mistake. */
  readonly edit: ((snapshot: Snapshot, tree: Tree) => Promise<TextEdits | EditRefusal>) | null
  /** Leaves that were named, whose number is settled even where this edit leaves their spec as it is; null: all. */
  readonly named: ReadonlySet<string> | null
  /** Whether a leaf that nobody named may change with a value that it shares. */
  readonly mayChangeOthers: boolean
}

export interface Bump extends BumpReport {
  /** Against the snapshot. */
  readonly changes: readonly FileChange[]
  readonly tree: Tree
}

/**
 * `base`: the commit whose ledger counts; null for none. `earlier`: what the leaves are compared with, where that is
 * not the snapshot itself. Throws Problems where the snapshot does not read, Mistake, RepositoryFault.
 */
export async function makeBump(
  deployment: Deployment,
  from: { readonly snapshot: Snapshot; readonly base: string | null; readonly earlier?: Tree | null },
  wish: BumpWish,
): Promise<Bump> {
  const { snapshot, base } = from
  const reader = createReader(readLimits(deployment.settings.limits))
  const read = (files: Snapshot): Tree => {
    const { tree, problems } = reader.read(files, { host: null })
    if (tree === null) throw new Problems(problems)
    return tree
  }
  const before = read(snapshot)
  const made = wish.edit === null ? NO_EDITS : await wish.edit(snapshot, before)
  if (isRefusal(made)) throw new Mistake(made.message, made.remedy)
  const edited = editedSnapshot(snapshot, made.changes)
  const isOther = (leaf: Leaf): boolean => before.leaves.get(leaf.name)?.ledgerDigest !== leaf.ledgerDigest
  if (!wish.mayChangeOthers) refuseOthers(read(edited), made.edits, wish.named, isOther)

  const { named } = wish
  const only = named === null ? () => true : (leaf: Leaf) => named.has(leaf.name) || isOther(leaf)
  const settlement = await settleAgainst(deployment, edited, base, { reader, only })
  const { tree } = settlement
  if (tree === null) throw new Problems(settlement.problems)
  const held = settlement.problems.filter(({ severity }) => severity === 'held')
  if (held.length > 0) throw new Problems(held)

  const settled = new Map(settlement.leaves.map((leaf) => [leaf.leaf, leaf]))
  const touched = [...tree.leaves.values()].filter((leaf) => settled.has(leaf.name) || isOther(leaf))
  const compared = from.earlier ?? before
  const leaves = touched.map((leaf): LeafBump => {
    const old = compared.leaves.get(leaf.name)
    return {
      leaf: leaf.name,
      file: leaf.file,
      from: old?.generation ?? settled.get(leaf.name)?.from ?? null,
      to: leaf.generation,
      digest: leaf.ledgerDigest,
      changes: old === undefined ? [] : changesBetween({ leaf: old, tree: compared }, { leaf, tree }),
    }
  })
  const changes = new Map([...made.changes, ...settlement.changes].map((change) => [change.path, change]))
  return { changes: [...changes.values()], leaves, edits: made.edits, remarks: made.remarks, tree }
}

const NO_EDITS: TextEdits = { changes: [], edits: [], remarks: [] }

/** A value that several leaves share is changed for all of them, or for none. */
function refuseOthers(
  after: Tree,
  edits: readonly TextEdit[],
  named: ReadonlySet<string> | null,
  isOther: (leaf: Leaf) => boolean,
): void {
  const shared = edits.find(({ set }) => set !== null)
  if (shared === undefined || named === null) return
  const others = [...after.leaves.values()].filter((leaf) => isOther(leaf) && !named.has(leaf.name))
  if (others.length === 0) return
  const { file, path, to, set } = shared
  const [first = ''] = shared.leaves
  const names = others.map(({ name }) => name)
  const listed = names.length > 8 ? `${names.slice(0, 8).join(', ')} and ${names.length - 8} more` : names.join(', ')
  const all =
    path[0] === 'version'
      ? `graft bump ${set === '' ? '.' : set} --version ${to} changes all of them`
      : 'name them, too, to change all of them'
  throw new Mistake(
    `${first} follows ${path.join('.')} in ${file}, and so ${names.length === 1 ? 'does' : 'do'} ${listed}`,
    `${all}; graft bump ${first} --image REF gives ${first} one of its own`,
  )
}
