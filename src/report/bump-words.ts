// What a bump did, as a commit message for reviewers, as lines for a terminal and as data. Pure.

import type { TextEdit } from '../desired/text-edits.ts'
import { joinImage, splitImage } from '../desired/image-place.ts'
import type { FieldChange } from '../plan/verdict.ts'
import { align, plain } from './columns.ts'
import type { Palette } from './palette.ts'

/** A leaf that is another one now: its spec, its number, or only its digest comment. */
export interface LeafBump {
  readonly leaf: string
  /** Below the deployment's folder. */
  readonly file: string
  /** Generations; `from` is null for a leaf that was not there before. */
  readonly from: number | null
  readonly to: number
  /** Ledger digest, hex. */
  readonly digest: string
  /** What of its spec differs; empty where only the number does. */
  readonly changes: readonly FieldChange[]
}

export interface BumpReport {
  /** In the order of the tree. */
  readonly leaves: readonly LeafBump[]
  /** Images, tags and versions that were written. */
  readonly edits: readonly TextEdit[]
  /** Worth knowing, each a sentence without a full stop. */
  readonly remarks: readonly string[]
}

/** Leaves of one commit that its message lists; the rest are counted. */
const LISTED = 100
/** Fields of one leaf that are named; the rest are counted. */
const FIELDS = 6
/** Characters of a value that fits into a line of a message. */
const SHORT = 60

/** `subject`, then a line for each value that several leaves share, and for each leaf. */
export function bumpMessage(subject: string, { leaves, edits }: Pick<BumpReport, 'leaves' | 'edits'>): string {
  const shared = edits.filter(({ set }) => set !== null)
  const lines = [
    ...shared.map((edit) => `- ${editWords(edit)}`),
    ...leaves.slice(0, LISTED).map((bump) => `- ${bumpWords(bump)}`),
    ...(leaves.length > LISTED ? [`- and ${leaves.length - LISTED} more`] : []),
  ]
  return [subject, ...(lines.length === 0 ? [] : ['', ...lines])].join('\n')
}

/** `Bump nova-api to 2025.2`; more than three are counted. `to` null: there is no one word for it. */
export function bumpSubject(names: readonly string[], to: string | null): string {
  const last = names.at(-1) ?? 'nothing'
  const who =
    names.length === 1
      ? last
      : names.length <= 3
        ? `${names.slice(0, -1).join(', ')} and ${last}`
        : `${names.length} leaves`
  return `Bump ${who}${to === null ? '' : ` to ${to}`}`
}

export function bumpLines({ leaves, edits, remarks }: BumpReport, palette: Palette): string[] {
  const rows = leaves.map(({ leaf, from, to, changes }) => [
    `${palette.changed('~')} ${palette.bold(plain(leaf))}`,
    from === to ? `${to} stays` : `${from ?? 'new'} → ${to}`,
    plain(changeWords(changes, from === to)),
  ])
  return [
    ...align(rows),
    ...edits.filter(({ set }) => set !== null).map((edit) => `  ${palette.dim(plain(editWords(edit)))}`),
    ...remarks.map((remark) => `${palette.changed('!')} ${plain(remark)}`),
  ]
}

/** `nova-api 8 → 9: quay.io/kolla/nova-api:2025.1 → :2025.2`. */
function bumpWords({ leaf, from, to, changes }: LeafBump): string {
  const numbers = from === to || from === null ? `${to}` : `${from} → ${to}`
  return `${leaf} ${numbers}: ${changeWords(changes, from === to)}`
}

function changeWords(changes: readonly FieldChange[], sameNumber: boolean): string {
  if (changes.length === 0) return sameNumber ? 'the comment with its digest' : 'the next free number'
  // The image is what a bump is about.
  const sorted = changes.toSorted((a, b) => Number(b.field === 'image') - Number(a.field === 'image'))
  const more = sorted.length - FIELDS
  return [...sorted.slice(0, FIELDS).map(fieldWords), ...(more > 0 ? [`${more} more`] : [])].join(', ')
}

function fieldWords({ field, from, to }: FieldChange): string {
  if (field === 'image' && from !== null && to !== null) return imageStep(from, to)
  const name = field.startsWith('files.') ? field.slice('files.'.length) : field
  if (from === null) return `${name} added`
  if (to === null) return `${name} removed`
  const isShort = from.length + to.length <= SHORT && !field.startsWith('files.') && !/[\n\r]/.test(from + to)
  return isShort ? `${name} ${from} → ${to}` : `${name} changed`
}

/** `quay.io/kolla/nova-api:2025.1 → :2025.2`; digests are cut to twelve digits, a name is not said twice. */
export function imageStep(from: string, to: string): string {
  const [before, after] = [splitImage(from), splitImage(to)]
  const cut = (digest: string | null): string | null =>
    digest?.replace(/^(sha256:[0-9a-f]{12})[0-9a-f]*$/, '$1') ?? null
  const name = before.name === after.name ? '' : after.name
  const shown = joinImage({ ...after, name, digest: cut(after.digest) })
  return `${joinImage({ ...before, digest: cut(before.digest) })} → ${shown === '' ? after.name : shown}`
}

function editWords({ file, path, from, to }: TextEdit): string {
  const key = path.join('.')
  return from === null ? `${file}: ${key} ${to} added` : `${file}: ${key} ${from} → ${to}`
}
