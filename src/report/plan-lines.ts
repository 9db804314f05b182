// A plan as a tree for a person: gains in privilege first and loudly, then each set with what is to be done to its
// leaves, each with its fields old → new, then what is removed, and one line that sums up.

import type { FieldChange, Plan, Verdict } from '../plan/verdict.ts'
import { align, cut, padEnd, plain, width } from './columns.ts'
import { gainLines } from './gain-lines.ts'
import type { Palette } from './palette.ts'
import { allRows, outlineSets, type SetOutline } from './set-outline.ts'
import { seconds } from './swap-words.ts'
import { summary, verdictWords } from './verdict-words.ts'
import { removalLines } from './removal-lines.ts'

export interface PlanOptions {
  readonly palette: Palette
  /** Unchanged leaves one by one, too, instead of as a number. */
  readonly all: boolean
  /** What the removal limit asks the person to do. */
  readonly removalRemedy?: string
}

export function planLines(plan: Plan, options: PlanOptions): string[] {
  const { palette, all } = options
  const shown = plan.verdicts.filter((verdict) => all || isNews(verdict))
  const columns = columnsFor(shown, plan)
  const root = outlineSets(plan.verdicts)
  const departed = plan.verdicts.filter(({ set }) => set === null)
  const lines = [
    ...gainLines(plan.verdicts, palette),
    ...rowLines(root, 0, columns, options),
    ...root.sets.flatMap((set) => setLines(set, 0, columns, options)),
    ...departed
      .filter((verdict) => all || isNews(verdict))
      .flatMap((verdict) => verdictLines(verdict, 0, columns, options)),
    ...(plan.removalHeld === null ? [] : ['', ...removalLines(plan.removalHeld, options)]),
    ...plan.notes.map((note) => `${palette.changed('!')} ${plain(note)}`),
  ]
  const sum = palette.bold(summary(plan.verdicts))
  return lines.length === 0 ? [sum] : [...lines, '', sum]
}

/** Whether a verdict says more than that all is well. */
function isNews({ kind }: Verdict): boolean {
  return kind !== 'keep'
}

function setLines(set: SetOutline<Verdict>, depth: number, columns: Columns, options: PlanOptions): string[] {
  const { palette, all } = options
  const rows = allRows(set)
  const head = `${'  '.repeat(depth)}${palette.bold(`${set.name}/`)}`
  if (!all && !rows.some(isNews)) return [`${head}  ${palette.dim(`${rows.length} as declared`)}`]
  return [
    head,
    ...rowLines(set, depth + 1, columns, options),
    ...set.sets.flatMap((inner) => setLines(inner, depth + 1, columns, options)),
  ]
}

function rowLines(set: SetOutline<Verdict>, depth: number, columns: Columns, options: PlanOptions): string[] {
  const shown = options.all ? set.rows : set.rows.filter(isNews)
  const folded = set.rows.length - shown.length
  const indent = '  '.repeat(depth)
  return [
    ...shown.flatMap((verdict) => verdictLines(verdict, depth, columns, options)),
    ...(folded > 0 ? [options.palette.dim(`${indent}· ${folded} as declared`)] : []),
  ]
}

interface Columns {
  readonly name: number
  readonly word: number
  readonly generation: number
}

function columnsFor(shown: readonly Verdict[], plan: Plan): Columns {
  const depths = new Map(plan.verdicts.map(({ leaf, set }) => [leaf, depthOf(set)]))
  const widest = (lengths: readonly number[]) => Math.max(0, ...lengths)
  return {
    name: widest(shown.map(({ leaf }) => width(leaf) + 2 * (depths.get(leaf) ?? 0))),
    word: widest(shown.map((verdict) => verdictWord(verdict).length)),
    generation: widest(shown.map((verdict) => generationText(verdict).length)),
  }
}

function depthOf(set: string | null): number {
  return set === null || set === '' ? 0 : set.split('/').length
}

function verdictWord({ kind, awaits }: Verdict): string {
  return kind === 'hold' && awaits !== null ? 'wait' : kind
}

/** `3 → 4`; one number where there is only one, or both agree. */
export function generationText({
  fromGeneration: from,
  toGeneration: to,
}: Pick<Verdict, 'fromGeneration' | 'toGeneration'>): string {
  if (from === null || to === null) return `${from ?? to ?? ''}`
  return from === to ? `${to}` : `${from} → ${to}`
}

function verdictLines(verdict: Verdict, depth: number, columns: Columns, { palette }: PlanOptions): string[] {
  const { leaf, changes, order, notes, gap } = verdict
  const { sign, word, paint } = verdictWords(verdict, palette)
  const indent = '  '.repeat(depth)
  const name = padEnd(leaf, columns.name - 2 * depth)
  const generation = padEnd(generationText(verdict), columns.generation)
  const head = `${indent}${paint(sign)} ${verdict.kind === 'keep' ? palette.dim(name) : name}  ${paint(padEnd(word, columns.word))}  ${generation}`
  const reason = reasonText(verdict)
  const details = `${indent}    `
  return [
    `${head}  ${palette.dim(reason)}`.trimEnd(),
    ...changeLines(changes, palette).map((line) => details + line),
    ...(order === null ? [] : [`${details}${palette.dim(`${order.kind}, because ${plain(order.because)}`)}`]),
    ...(gap === null ? [] : [`${details}${palette.dim(expectedGap(gap))}`]),
    ...notes.map((note) => `${details}${palette.dim(`note: ${plain(note)}`)}`),
  ]
}

/** `expected gap 0.6 s, as measured the last time`. */
function expectedGap({ milliseconds, because }: NonNullable<Verdict['gap']>): string {
  if (milliseconds === 0) return 'no gap'
  if (milliseconds === null) return `expected gap: ${plain(because)}`
  return `expected gap ${seconds(milliseconds)}, as ${plain(because)}`
}

/** The fields below say what changed; the reason repeats it only where it says more. */
export function reasonText({ changes, because, kind }: Verdict): string {
  if (kind === 'keep' && because === 'as declared') return ''
  const [first] = changes
  const repeats = first !== undefined && because.startsWith(first.field)
  return repeats ? '' : plain(first === undefined ? because : beforeFields(because))
}

/** `a value of this host changed: image a → b` → its part before the fields. */
function beforeFields(because: string): string {
  const colon = because.indexOf(': ')
  return colon === -1 ? because : because.slice(0, colon)
}

/** Fields, aligned: `image  a → b`, `environment.X  + new`, `environment.Y  - old`. */
export function changeLines(changes: readonly FieldChange[], palette: Palette): string[] {
  const rows = changes.map(({ field, from, to }) => {
    if (from === null) return [field, `${palette.good('+')} ${value(to ?? '')}`]
    if (to === null) return [field, `${palette.bad('-')} ${palette.dim(value(from))}`]
    return [field, `${palette.dim(value(from))} ${palette.changed('→')} ${value(to)}`]
  })
  return align(rows)
}

const VALUE_WIDTH = 120

function value(text: string): string {
  return text === '' ? '""' : cut(plain(text), VALUE_WIDTH)
}
