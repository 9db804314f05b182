// What a revert did, as a commit message like that of `git revert`. Pure.

import type { LeafDifference, TreeDifference } from '../plan/tree-difference.ts'
import type { FieldChange } from '../plan/verdict.ts'
import type { CommitFacts } from '../repository/snapshot.ts'
import { imageStep } from './bump-words.ts'
import { count } from './plurals.ts'

/** What comes back: what was before a commit, or a leaf or a set as it was at a commit. */
export type Reverted =
  | {
      readonly kind: 'commit'
      readonly commit: CommitFacts
      /** How many files outside the deployment's folder the commit changed, too. */
      readonly outside: number
    }
  | {
      readonly kind: 'leaf' | 'set'
      /** The leaf's name, the set's path; `.` for the whole deployment. */
      readonly name: string
      /** The commit whose state comes back. */
      readonly commit: CommitFacts
      /** The leaf's generation there; null for a set. */
      readonly generation: number | null
      /** The commits since then that touched it, newest first. */
      readonly takesBack: readonly CommitFacts[]
    }

/** Lines of a list in a message; the rest are counted. */
const LISTED = 100
/** Fields of one leaf that are named; the rest are counted. */
const FIELDS = 6
/** Characters of two values that fit into a line of a message. */
const SHORT = 60

/** `reason`: why, in a person's own words; null for none. `difference`: null where it cannot be told. */
export function revertMessage(
  reverted: Reverted,
  difference: Pick<TreeDifference, 'leaves'> | null,
  reason: string | null,
): string {
  const leaves = difference?.leaves ?? []
  const parts = [revertSubject(reverted), body(reverted), reason ?? '', listed(leaves.map(leafLine))]
  return parts.filter((part) => part !== '').join('\n\n')
}

/** Git documentation, git-revert: what takes back a revert is a reapply. */
export function revertSubject(reverted: Reverted): string {
  if (reverted.kind === 'commit') {
    const { subject } = reverted.commit
    const again = /^Revert "(?!Revert ")(.*)$/.exec(subject)
    return again === null ? `Revert "${subject}"` : `Reapply "${again[1] ?? ''}`
  }
  const { name, generation, commit } = reverted
  const what = name === '.' ? 'everything' : name
  return `Revert ${what} to ${generation === null ? shortCommit(commit) : `generation ${generation}`}`
}

function body(reverted: Reverted): string {
  const { commit } = reverted
  if (reverted.kind === 'commit') {
    const [parent = ''] = commit.parents
    const reversing = commit.parents.length > 1 ? `, reversing\nchanges made to ${parent}` : ''
    const { outside } = reverted
    const rest =
      outside === 0 ? '' : `\n\nOnly the deployment's part of it: ${count(outside, 'file')} elsewhere stay as they are.`
    return `This reverts commit ${commit.id}${reversing}.${rest}`
  }
  const taken = reverted.takesBack.map((one) => `- ${shortCommit(one)} ${one.subject}`)
  const since = taken.length === 0 ? '' : `\n\nThis takes back:\n${listed(taken)}`
  return `As it was at commit ${commit.id}\n("${commit.subject}").${since}`
}

function listed(lines: readonly string[]): string {
  const more = lines.length - LISTED
  return [...lines.slice(0, LISTED), ...(more > 0 ? [`- and ${more} more`] : [])].join('\n')
}

function leafLine({ leaf, how, from, to, changes }: LeafDifference): string {
  if (how === 'added') return `- ${leaf} ${to ?? ''} comes back`
  if (how === 'removed') return `- ${leaf} ${from ?? ''} goes`
  const numbers = from === to ? `${to ?? ''}` : `${from ?? ''} → ${to ?? ''}`
  const more = changes.length - FIELDS
  // The image is what most commits are about.
  const sorted = changes.toSorted((a, b) => Number(b.field === 'image') - Number(a.field === 'image'))
  const fields = [...sorted.slice(0, FIELDS).map(fieldWords), ...(more > 0 ? [`${more} more`] : [])]
  return `- ${leaf} ${numbers}${fields.length === 0 ? '' : `: ${fields.join(', ')}`}`
}

function fieldWords({ field, from, to }: FieldChange): string {
  if (field === 'image' && from !== null && to !== null) return imageStep(from, to)
  const name = field.startsWith('files.') ? field.slice('files.'.length) : field
  if (from === null) return `${name} added`
  if (to === null) return `${name} removed`
  const isShort = from.length + to.length <= SHORT && !field.startsWith('files.') && !/[\n\r]/.test(from + to)
  return isShort ? `${name} ${from} → ${to}` : `${name} changed`
}

export function shortCommit({ id }: Pick<CommitFacts, 'id'>): string {
  return id.slice(0, 7)
}
