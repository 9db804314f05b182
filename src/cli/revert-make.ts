// One revert, made against the newest commit and not written anywhere yet: the files that go back, and the generations
// that the ledger allows for them.

import { settleAgainst } from '../daemon/settle.ts'
import { editedSnapshot } from '../desired/edited-snapshot.ts'
import type { Problem } from '../desired/problem.ts'
import type { Leaf, Tree } from '../desired/tree.ts'
import { changesBetween } from '../plan/offline.ts'
import { differenceBetween, type TreeDifference } from '../plan/tree-difference.ts'
import { shortCommit, type Reverted } from '../report/revert-words.ts'
import type { FileChange } from '../repository/repository.ts'
import { Mistake, Problems } from './mistakes.ts'
import type { Back, Ground } from './revert-back.ts'

export interface Revert {
  readonly reverted: Reverted
  /** Against the newest commit; empty where everything is so already. */
  readonly changes: readonly FileChange[]
  /** Against the newest commit, or the newest that reads; null where the result does not read. */
  readonly difference: TreeDifference | null
  /** Worth knowing, each a sentence without a full stop. */
  readonly remarks: readonly string[]
}

interface Try {
  readonly changes: readonly FileChange[]
  readonly tree: Tree | null
  readonly problems: readonly Problem[]
}

const EVERYTHING = { leaf: () => true, set: () => true }

/** Throws Problems, Mistake, RepositoryFault. */
export async function makeRevert(ground: Ground, back: Back): Promise<Revert> {
  const { reverted } = back
  const before = ground.tree ?? (await newestTree(ground))
  let made: Try | null = null
  for (const changes of back.tries) {
    made = await settled(changes, before, ground)
    if (made.tree !== null && othersChanged(reverted, before, made.tree).length === 0) break
  }
  if (made === null || made.changes.length === 0) return { reverted, changes: [], difference: null, remarks: [] }
  const { changes, tree, problems } = made
  if (tree === null) {
    // A commit that does not read may be one of several: each is taken back by itself.
    const isOneOfSeveral = reverted.kind === 'commit' && ground.tree === null
    if (!isOneOfSeveral) throw new Problems([wouldNotRead(reverted), ...problems])
    return {
      reverted,
      changes,
      difference: null,
      remarks: ['the deployment still does not read: graft validate says why'],
    }
  }
  const held = problems.filter(({ severity }) => severity === 'held')
  if (held.length > 0) throw new Problems(held)
  if (reverted.kind === 'leaf') refuseAnotherLeaf(reverted, back.earlier, before, tree, ground)
  return {
    reverted,
    changes,
    difference: before === null ? null : differenceBetween(before, tree, EVERYTHING),
    remarks: reverted.kind === 'set' ? remarksOfSet(reverted, back.earlier, before, tree, ground) : [],
  }
}

/** The changes with the generations that follow from them. */
async function settled(
  changes: readonly FileChange[],
  before: Tree | null,
  { deployment, snapshot, tip, reader }: Ground,
): Promise<Try> {
  const edited = editedSnapshot(snapshot, changes)
  if (edited === snapshot) return { changes: [], tree: before, problems: [] }
  const read = reader.read(edited, { host: null })
  if (read.tree === null) return { changes, ...read }
  // What was wrong before stays what it was: it is another commit's business.
  const only = ({ name, generation, ledgerDigest }: Leaf): boolean => {
    const old = before?.leaves.get(name)
    return old?.generation !== generation || old.ledgerDigest !== ledgerDigest
  }
  const settlement = await settleAgainst(deployment, edited, tip.id, { reader, only })
  const all = new Map(changes.map((change) => [change.path, change]))
  for (const change of settlement.changes) all.set(change.path, { ...all.get(change.path), ...change })
  return { changes: [...all.values()], tree: settlement.tree, problems: settlement.problems }
}

async function newestTree({ deployment, reader, tip, snapshot }: Ground): Promise<Tree | null> {
  const id = await deployment.history.lastReadable(tip.id)
  if (id === null) return null
  return reader.read(await deployment.repository.snapshot(id, snapshot), { host: null }).tree
}

/** Leaves besides the one that is meant whose spec would change. */
function othersChanged(reverted: Reverted, before: Tree | null, after: Tree): string[] {
  if (reverted.kind !== 'leaf' || before === null) return []
  return [...before.leaves.values()]
    .filter(({ name, ledgerDigest }) => name !== reverted.name && after.leaves.get(name)?.ledgerDigest !== ledgerDigest)
    .map(({ name }) => name)
}

/** A leaf goes back to exactly what it was, and alone; else it is said why not. */
function refuseAnotherLeaf(
  reverted: Extract<Reverted, { kind: 'leaf' | 'set' }>,
  then: Tree | null,
  before: Tree | null,
  after: Tree,
  ground: Ground,
): void {
  const { name, commit } = reverted
  const others = othersChanged(reverted, before, after)
  const [old, now] = [then?.leaves.get(name), after.leaves.get(name)]
  const set = old?.set === '' || old === undefined ? '.' : old.set
  if (others.length > 0) {
    const listed =
      others.length > 8 ? `${others.slice(0, 8).join(', ')} and ${others.length - 8} more` : others.join(', ')
    throw new Mistake(
      `${listed} would change with ${name}, because they take contents from the same files`,
      `graft revert ${set} --to ${shortCommit(commit)} takes the whole set back`,
    )
  }
  if (then === null || old === undefined || now === undefined || old.ledgerDigest === now.ledgerDigest) return
  const fields = fieldsBetween({ leaf: old, tree: then }, { leaf: now, tree: after })
  const above = filesAbove(old.file).filter((file) => differsSince(file, commit.id, ground))
  const [newest] = above.map((file) => lastThatTouched(file, ground)).filter((id) => id !== null)
  const whole = `graft revert ${set} --to ${shortCommit(commit)} takes the whole set back`
  throw new Mistake(
    `${name} would not be what it was at ${shortCommit(commit)}: ${fields}${above.length === 0 ? '' : `, which ${above.join(' and ')} ${above.length === 1 ? 'says' : 'say'} otherwise now`}`,
    newest === undefined ? whole : `graft revert ${newest} takes that commit back; ${whole}`,
  )
}

function remarksOfSet(
  { name, commit }: Extract<Reverted, { kind: 'leaf' | 'set' }>,
  then: Tree | null,
  before: Tree | null,
  after: Tree,
  ground: Ground,
): string[] {
  if (then === null) return []
  const inside = (leaf: Leaf): boolean => name === '.' || leaf.set === name || leaf.set.startsWith(`${name}/`)
  const others = [...then.leaves.values()].filter(
    (leaf) => inside(leaf) && after.leaves.get(leaf.name)?.ledgerDigest !== leaf.ledgerDigest,
  )
  const [first] = others
  if (first === undefined) return []
  const now = after.leaves.get(first.name)
  const fields = now === undefined ? 'it' : fieldsBetween({ leaf: first, tree: then }, { leaf: now, tree: after })
  const isNothing = [...after.leaves.values()].every(
    (leaf) => !inside(leaf) || before?.leaves.get(leaf.name)?.ledgerDigest === leaf.ledgerDigest,
  )
  const words = `${first.name}${others.length === 1 ? '' : ` and ${others.length - 1} more`} would not be what ${others.length === 1 ? 'it was' : 'they were'} at ${shortCommit(commit)}, because of what lies above ${name}: ${fields}`
  if (isNothing) {
    const above = filesAbove(`${name}/x`)
      .map((file) => lastThatTouched(file, ground))
      .find((id) => id !== null)
    throw new Mistake(
      words,
      above == null ? 'graft diff shows more' : `graft revert ${above} takes the last change above it back`,
    )
  }
  return [words.replace(' would not be ', ' will not be ')]
}

function fieldsBetween(
  before: { readonly leaf: Leaf; readonly tree: Tree },
  after: { readonly leaf: Leaf; readonly tree: Tree },
): string {
  const fields = changesBetween(before, after).map(({ field }) => field)
  const more = fields.length - 4
  return fields.length === 0 ? 'its spec' : [...fields.slice(0, 4), ...(more > 0 ? [`${more} more`] : [])].join(', ')
}

/** The files of the sets around a leaf's file, the nearest first, and `deployment.yaml`. */
function filesAbove(file: string): string[] {
  const folders = file.split('/').slice(0, -1)
  return [
    ...folders.map((_, depth) => `${folders.slice(0, folders.length - depth).join('/')}/set.yaml`),
    'deployment.yaml',
  ]
}

function differsSince(file: string, commit: string, { line }: Ground): boolean {
  const at = line.commits.findIndex(({ id }) => id === commit)
  return line.commits.slice(0, Math.max(0, at)).some(({ files }) => files.includes(file))
}

function lastThatTouched(file: string, { line }: Ground): string | null {
  const commit = line.commits.find(({ files }) => files.includes(file))
  return commit === undefined ? null : shortCommit(commit)
}

function wouldNotRead(reverted: Reverted): Problem {
  const what =
    reverted.kind === 'commit' ? `without ${shortCommit(reverted.commit)}` : `with ${reverted.name} as it was`
  return {
    file: null,
    line: null,
    column: null,
    text: null,
    message: `the deployment would not read ${what}`,
    remedy: 'take back with it what came to depend on it, or correct that first; nothing was written',
    leaf: null,
    severity: 'unreadable',
  }
}
