// Gives every leaf a generation that the ledger admits, in the text of its file: what `graft bump` does after an edit,
// and `graft validate --fix` for numbers that somebody forgot. Nothing but generations is touched. Pure.

import type { FileChange } from '../repository/repository.ts'
import type { Snapshot } from '../repository/snapshot.ts'
import { editedSnapshot } from './edited-snapshot.ts'
import { judgeLeaf, type InAncestors } from './ledger-judge.ts'
import { nextFreeGeneration, type Ledger } from './ledger.ts'
import type { Problem } from './problem.ts'
import type { Reader } from './read.ts'
import type { Leaf, Tree } from './tree.ts'
import type { ValuePath } from './yaml-document.ts'
import { setInYaml } from './yaml-edit.ts'

export interface SettleOptions {
  readonly reader: Reader
  /** Of the commit that the snapshot was made from, whole: with a history that is cut short numbers would be guessed. */
  readonly ledger: Ledger
  readonly inAncestors: InAncestors
  /** Whether a number that is written gets the start of its spec's digest as a comment (`generation: 9 # 3fa91c2`). */
  readonly comments: boolean
  /** Leaves that may be touched; absent: all. Asked anew when an edit changed what a leaf means. */
  readonly only?: (leaf: Leaf) => boolean
}

/** A leaf whose number, or only its digest comment (`from` equals `to`), was written anew. */
export interface SettledLeaf {
  readonly leaf: string
  readonly file: string
  /** Null where the file said none. */
  readonly from: number | null
  readonly to: number
  /** Ledger digest of the spec, whole, hex. */
  readonly digest: string
}

export interface Settlement {
  /** Against the snapshot that was passed in; empty where every number stands. */
  readonly changes: readonly FileChange[]
  /** In the order of the tree. */
  readonly leaves: readonly SettledLeaf[]
  /** What the snapshot means after the changes; null where it does not read, and then nothing was changed. */
  readonly tree: Tree | null
  /** Those of reading, and a `held` one for each number that cannot be written. */
  readonly problems: readonly Problem[]
}

/** Hex digits of a digest comment. */
export const DIGEST_COMMENT_DIGITS = 7

/** Rounds until all is settled. More than one only where a leaf's file is mounted, and so is part of a spec itself. */
const ROUNDS = 8
/** A file that is part of its own spec cannot hold its own digest: after so many rounds the comment goes. */
const ROUNDS_WITH_COMMENTS = 3

/**
 * Each leaf that the ledger does not admit takes the next free number (rule 2 of the ledger), also where an older number
 * meant the same spec. A digest comment that is not the start of the digest is corrected; a comment in words stays, and
 * then there is no digest. The result settles to itself. Never throws for what stands in the files.
 */
export function settleGenerations(snapshot: Snapshot, options: SettleOptions): Settlement {
  const { reader } = options
  const contents = new Map<string, Uint8Array>()
  const work: Work = { options, contents, settled: new Map(), unwritable: new Map(), numbered: new Set() }
  let now = withNumbers(snapshot, work)
  let { tree, problems } = reader.read(now, { host: null })
  for (let round = 0; tree !== null && round < ROUNDS; round++) {
    if (!settleOnce(tree, now, round, work)) break
    now = editedSnapshot(snapshot, changesOf(contents))
    ;({ tree, problems } = reader.read(now, { host: null }))
  }
  // What was numbered first and does not read for another reason is told as it lies there.
  if (tree === null && work.numbered.size > 0) problems = reader.read(snapshot, { host: null }).problems
  if (tree === null) return { changes: [], leaves: [], tree: null, problems }
  return {
    changes: changesOf(contents),
    // A digest that a later round changed is told as it is at the end.
    leaves: [...tree.leaves.values()].flatMap(({ name, ledgerDigest }) => {
      const one = work.settled.get(name)
      return one === undefined ? [] : [{ ...one, digest: ledgerDigest }]
    }),
    tree,
    problems: [...problems, ...work.unwritable.values()],
  }
}

interface Work {
  readonly options: SettleOptions
  /** Files as they are to be. */
  readonly contents: Map<string, Uint8Array>
  readonly settled: Map<string, SettledLeaf>
  readonly unwritable: Map<string, Problem>
  /** Leaves whose file said no number. */
  readonly numbered: Set<string>
}

/** Corrects what one reading shows to be wrong; whether anything was. */
function settleOnce(tree: Tree, now: Snapshot, round: number, work: Work): boolean {
  const { ledger, inAncestors, comments, only = () => true } = work.options
  const { contents, settled, unwritable, numbered } = work
  let changed = false
  for (const leaf of tree.leaves.values()) {
    const { name, file, generation, ledgerDigest, digestComment } = leaf
    const to = numberFor(leaf, ledger, inAncestors)
    const isWrong = digestComment !== null && !ledgerDigest.startsWith(digestComment)
    const isNew = numbered.has(name) && round === 0
    if ((to === generation && !isWrong && !isNew) || unwritable.has(name) || !only(leaf)) continue
    const digest = ledgerDigest.slice(0, DIGEST_COMMENT_DIGITS)
    const comment = round >= ROUNDS_WITH_COMMENTS ? null : digest
    const content = contents.get(file) ?? now.entries.get(file)?.content ?? null
    const text = content === null ? null : textOf(content)
    const options = comments || digestComment !== null ? { comment } : {}
    const edited = text === null ? null : setInYaml(text, generationPlace(leaf, tree), to, options)
    if (edited === null || (edited === text && !isNew)) {
      unwritable.set(name, cannotWrite(leaf, to))
      continue
    }
    changed = true
    contents.set(file, Buffer.from(edited))
    const from = numbered.has(name) ? null : (settled.get(name)?.from ?? generation)
    settled.set(name, { leaf: name, file, from, to, digest: ledgerDigest })
  }
  return changed
}

/** Leaves whose file says no generation at all get one, where nothing else keeps the files from being read. */
function withNumbers(snapshot: Snapshot, { options, contents, numbered }: Work): Snapshot {
  const { tree, problems } = options.reader.read(snapshot, { host: null })
  if (tree !== null) return snapshot
  for (const { leaf, file, message, severity } of problems) {
    if (severity !== 'unreadable') continue
    const content = file === null ? null : (snapshot.entries.get(file)?.content ?? null)
    const place = file === 'deployment.yaml' ? ['ingress', 'generation'] : ['generation']
    const isMissing = message === 'generation is missing' && content !== null
    const edited = isMissing ? setInYaml(textOf(content), place, 1) : null
    if (leaf === null || file === null || edited === null) {
      contents.clear()
      numbered.clear()
      return snapshot
    }
    numbered.add(leaf)
    contents.set(file, Buffer.from(edited))
  }
  return editedSnapshot(snapshot, changesOf(contents))
}

/** Where a leaf's number is written, in `leaf.file`. */
export function generationPlace(leaf: Leaf, tree: Tree): ValuePath {
  return leaf.name === tree.ingress?.leaf ? ['ingress', 'generation'] : ['generation']
}

function numberFor(leaf: Leaf, ledger: Ledger, inAncestors: InAncestors): number {
  const refused = judgeLeaf({ ...leaf, digestComment: null }, ledger, inAncestors) !== null
  return refused ? nextFreeGeneration(ledger, leaf.name, leaf.renamed_from) : leaf.generation
}

function changesOf(contents: ReadonlyMap<string, Uint8Array>): FileChange[] {
  return [...contents].map(([path, content]) => ({ path, content }))
}

/** A byte order mark stays in the text. */
function textOf(content: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(content)
}

function cannotWrite(leaf: Leaf, to: number): Problem {
  const digest = leaf.ledgerDigest.slice(0, DIGEST_COMMENT_DIGITS)
  return {
    file: leaf.file,
    line: leaf.generationLine,
    column: 1,
    text: `generation: ${leaf.generation}`,
    message: `the generation of ${leaf.name} cannot be written without changing something else in this file`,
    remedy: `write generation: ${to} # ${digest}`,
    leaf: leaf.name,
    severity: 'held',
  }
}
