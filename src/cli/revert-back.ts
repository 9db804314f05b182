// What a revert would write, found against the newest commit and not written anywhere yet.

import { knownGenerations, lastWithGeneration } from '../daemon/generation-at.ts'
import type { HistoryLine } from '../daemon/history-index.ts'
import { lastTouch, pageOf } from '../daemon/node-history.ts'
import type { Deployment } from '../daemon/open-deployment.ts'
import type { Problem } from '../desired/problem.ts'
import type { Reader } from '../desired/read.ts'
import { folderAsItWas, inverseOf, type Unwritable } from '../desired/revert-files.ts'
import { leafAsItWas } from '../desired/revert-leaf.ts'
import type { Tree } from '../desired/tree.ts'
import type { HistoryNode } from '../report/history.ts'
import { shortCommit, type Reverted } from '../report/revert-words.ts'
import type { FileChange } from '../repository/repository.ts'
import type { CommitFacts, Snapshot } from '../repository/snapshot.ts'
import { Mistake, Problems } from './mistakes.ts'

export interface Ground {
  readonly deployment: Pick<Deployment, 'repository' | 'history'> & {
    readonly settings: { readonly path?: string | undefined }
  }
  readonly reader: Reader
  readonly tip: CommitFacts
  readonly snapshot: Snapshot
  /** Null: the newest commit does not read. */
  readonly tree: Tree | null
  readonly line: HistoryLine
}

export interface Back {
  readonly reverted: Reverted
  /** The first of them that reads and changes no other leaf is taken. */
  readonly tries: readonly (readonly FileChange[])[]
  /** What a leaf or the leaves of a set were then; null for a commit, or where that did not read. */
  readonly earlier: Tree | null
}

/** Throws Problems that name the commits in the way, Mistake, RepositoryFault. */
export async function commitBack(commit: CommitFacts, ground: Ground): Promise<Back> {
  const { deployment, snapshot, tip } = ground
  const { repository } = deployment
  const short = shortCommit(commit)
  const since = await commitsSince(commit, ground)
  if (since === null) {
    const remedy = 'graft history shows the commits that can be taken back'
    throw new Mistake(`${short} is not part of ${shortCommit(tip)}, which is deployed`, remedy)
  }
  const [parent] = commit.parents
  if (parent === undefined) {
    throw new Mistake(`${short} is the first commit, and nothing would be left`, 'take back what came after it')
  }
  const after = await repository.snapshot(commit.id, snapshot)
  const { changes, conflicts, unwritable, touched } = inverseOf(
    await repository.snapshot(parent, after, 'optional'),
    after,
    snapshot,
  )
  const outside = await repository.filesOutside(commit.id)
  if (touched === 0) {
    const place = deployment.settings.path === undefined ? 'no file' : `nothing below ${deployment.settings.path}`
    throw new Mistake(`${short} “${commit.subject}” changed ${place}`, 'name another commit')
  }
  if (conflicts.length > 0) throw new Problems(conflicts.map((path) => conflict(path, commit, since)))
  refuseUnwritable(unwritable)
  return { reverted: { kind: 'commit', commit, outside }, tries: [changes], earlier: null }
}

/** `to`: a generation or a revision; undefined: what was before the last commit that touched it. */
export async function leafBack(node: HistoryNode, to: string | undefined, ground: Ground): Promise<Back> {
  const { reader, snapshot, tree, line } = ground
  const { name } = node
  const commit = await leafThen(node, to, ground)
  const before = await ground.deployment.repository.snapshot(commit.id, snapshot)
  const then = reader.read(before, { host: null })
  if (then.tree === null) throw unreadable(commit, then.problems)
  const leaf = then.tree.leaves.get(name)
  if (leaf === undefined) {
    throw new Mistake(`${shortCommit(commit)} “${commit.subject}” has no leaf ${name}`, `look at graft history ${name}`)
  }
  const file = tree === null ? fileOf(node, snapshot) : (tree.leaves.get(name)?.file ?? null)
  if (leaf.file === 'deployment.yaml' || file === 'deployment.yaml') {
    const last = lastTouch(line, node)?.commit
    const remedy =
      last === undefined ? 'take a whole commit back' : `graft revert ${shortCommit(last)} takes its last change back`
    throw new Mistake(`${name} has no file of its own: it is declared in deployment.yaml`, remedy)
  }
  const { whole, careful } = leafAsItWas({ snapshot: before, file: leaf.file }, { snapshot, file })
  refuseUnwritable(whole.unwritable)
  return {
    reverted: {
      kind: 'leaf',
      name,
      commit,
      generation: leaf.generation === tree?.leaves.get(name)?.generation ? null : leaf.generation,
      takesBack: touchesSince(commit, node, line),
    },
    tries: whole.changes.length === careful.changes.length ? [whole.changes] : [whole.changes, careful.changes],
    earlier: then.tree,
  }
}

/** As `leafBack`; a set has no generation. */
export async function setBack(node: HistoryNode, to: string | undefined, ground: Ground): Promise<Back> {
  const { deployment, reader, snapshot, line } = ground
  const folder = node.kind === 'deployment' ? '' : node.name
  const name = folder === '' ? '.' : folder
  if (to !== undefined && /^\d{1,6}$/.test(to)) {
    throw new Mistake(
      `${name} is a set, and only a leaf has generations`,
      `name a commit: graft history ${name} shows them`,
    )
  }
  const commit = to === undefined ? await beforeLastTouch(node, ground) : await deployment.repository.resolve(to)
  const before = await deployment.repository.snapshot(commit.id, snapshot)
  const file = folder === '' ? 'deployment.yaml' : `${folder}/set.yaml`
  if (!before.entries.has(file)) {
    throw new Mistake(`${shortCommit(commit)} “${commit.subject}” has no ${file}`, `look at graft history ${name}`)
  }
  const { changes, unwritable } = folderAsItWas(before, snapshot, folder)
  refuseUnwritable(unwritable)
  return {
    reverted: { kind: 'set', name, commit, generation: null, takesBack: touchesSince(commit, node, line) },
    tries: [changes],
    earlier: reader.read(before, { host: null }).tree,
  }
}

async function leafThen(node: HistoryNode, to: string | undefined, ground: Ground): Promise<CommitFacts> {
  const { deployment, line, tip } = ground
  const { repository, history } = deployment
  if (to === undefined) return beforeLastTouch(node, ground)
  if (!/^\d{1,6}$/.test(to)) return repository.resolve(to)
  const { ledger } = await history.at(tip.id)
  const id = lastWithGeneration(line, ledger, node.name, Number(to))
  if (id !== null) return repository.resolve(id)
  const known = knownGenerations(ledger, node.name)
  if (known.includes(Number(to))) {
    const remedy = 'take back the commit that renamed it, or name the commit with --to'
    throw new Mistake(`${node.name} had another name when it had generation ${to}`, remedy)
  }
  const listed = known.length > 12 ? `… ${known.slice(-12).join(', ')}` : known.join(', ')
  throw new Mistake(
    `${node.name} never had generation ${to} on this branch`,
    known.length === 0
      ? `look at graft history ${node.name}`
      : `it had ${listed}; graft history ${node.name} tells more`,
  )
}

/** The newest commit that reads, before the last one that touched the node. */
async function beforeLastTouch(node: HistoryNode, { deployment, line }: Ground): Promise<CommitFacts> {
  const { name, kind } = node
  const touch = lastTouch(line, node)
  if (touch === null) throw new Mistake(`no commit touched ${name}`, 'name a commit with --to')
  const { commit, leaves } = touch
  const [parent] = commit.parents
  const own = leaves.find(({ leaf }) => leaf === name)
  const came = kind === 'leaf' && (own?.how === 'added' || own?.how === 'renamed')
  const earlier = parent === undefined || came ? null : await deployment.history.lastReadable(parent)
  if (earlier === null) {
    const how = own?.how === 'renamed' ? `was called ${own.formerly ?? ''} before` : 'was not there before'
    throw new Mistake(
      `${name} ${how} ${shortCommit(commit)} “${commit.subject}”`,
      `graft revert ${shortCommit(commit)} takes that whole commit back`,
    )
  }
  return deployment.repository.resolve(earlier)
}

function touchesSince(commit: CommitFacts, node: HistoryNode, line: HistoryLine): CommitFacts[] {
  const end = line.commits.findIndex(({ id }) => id === commit.id)
  if (end < 0) return []
  const newer = new Set(line.commits.slice(0, end).map(({ id }) => id))
  const { entries } = pageOf(line, node, { before: null, limit: newer.size }) ?? { entries: [] }
  return entries.filter((entry) => newer.has(entry.commit.id)).map((entry) => entry.commit)
}

/** The commits of the line that do not lie at or before it; null where it is no part of the line's history at all. */
async function commitsSince(
  commit: CommitFacts,
  { deployment, line, tip }: Ground,
): Promise<HistoryLine['commits'] | null> {
  const { repository } = deployment
  const at = line.commits.findIndex(({ id }) => id === commit.id)
  if (at >= 0) return line.commits.slice(0, at)
  const all = await repository.ancestors(tip.id)
  if (!all.commits.some(({ id }) => id === commit.id)) return null
  const older = new Set((await repository.ancestors(commit.id)).commits.map(({ id }) => id))
  return line.commits.filter(({ id }) => !older.has(id))
}

function conflict(path: string, commit: CommitFacts, since: HistoryLine['commits']): Problem {
  const later = since.filter(({ files }) => files.includes(path))
  const named = later.slice(0, 5).map((one) => `${shortCommit(one)} “${one.subject}”`)
  const more = later.length - named.length
  const who = [...named, ...(more > 0 ? [`${more} more`] : [])].join(', ')
  const [newest] = later
  return {
    file: path,
    line: null,
    column: null,
    text: null,
    message:
      newest === undefined
        ? `it is not as ${shortCommit(commit)} left it`
        : `${later.length === 1 ? 'a commit' : 'commits'} after ${shortCommit(commit)} touched this file: ${who}`,
    remedy:
      newest === undefined
        ? `take it back by hand: git revert ${shortCommit(commit)}`
        : `take ${later.length === 1 ? 'that' : 'those'} back first (graft revert ${shortCommit(newest)}), or merge by hand: git revert ${shortCommit(commit)}`,
    leaf: null,
    severity: 'unreadable',
  }
}

function refuseUnwritable(unwritable: readonly Unwritable[]): void {
  const [first] = unwritable
  if (first === undefined) return
  throw new Mistake(`${first.path} is ${first.what}, and graft does not write that`, 'take it back with git revert')
}

function unreadable(commit: CommitFacts, problems: readonly Problem[]): Error {
  return problems.length === 0
    ? new Mistake(`${shortCommit(commit)} does not read`, 'name another commit')
    : new Mistake(`${shortCommit(commit)} “${commit.subject}” does not read`, 'name a commit that does, with --to')
}

/** Where a leaf's file lies in a commit that does not read. */
function fileOf({ name, file }: HistoryNode, { entries }: Snapshot): string | null {
  if (file !== null && entries.has(file)) return file
  return [...entries.keys()].find((path) => path === `${name}.yaml` || path.endsWith(`/${name}.yaml`)) ?? null
}
