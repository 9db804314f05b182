// What taking containers over would do, as lines: each leaf with its container, and field by field what becomes of it.

import type { Adoption } from '../plan/adoption.ts'
import type { Unmatched } from '../plan/adoption-match.ts'
import type { FieldChange } from '../plan/verdict.ts'
import { plain } from './columns.ts'
import type { Palette } from './palette.ts'

export function adoptionLines(
  adoptions: readonly Adoption[],
  unmatched: readonly Unmatched[],
  palette: Palette,
): string[] {
  return [
    ...adoptions.flatMap((adoption) => oneLines(adoption, palette)),
    ...unmatched.flatMap(({ leaf, because, remedy }) => [
      `${palette.bad('✗')} ${palette.bold(leaf)}  ${plain(because)}`,
      `    ${palette.accent('→')} ${plain(remedy)}`,
    ]),
  ]
}

function oneLines(
  { leaf, container, how, order, differs, mends, stays, leaves }: Adoption,
  palette: Palette,
): string[] {
  const what =
    how === 'as-is'
      ? 'taken over as it is, without a restart'
      : `taken over, then swapped ${order?.kind ?? ''} for what the leaf declares (${order?.because ?? ''})`
  const mark = how === 'as-is' ? palette.good('=') : palette.changed('~')
  return [
    `${mark} ${palette.bold(leaf)}  ${plain(container.name)} ${palette.dim(container.id.slice(0, 12))}  ${what}`,
    ...differs.map((change) => `    ${palette.changed('differs')}  ${changeText(change)}`),
    ...mends.map((change) => `    set now  ${changeText(change)}`),
    ...stays.map((change) => `    ${palette.dim(`stays    ${changeText(change)}`)}`),
    ...leaves.map(
      (data) =>
        `    ${palette.alarm(' DATA ')} the leaf does not mount ${plain(data)}: a new container would not see it`,
    ),
  ]
}

function changeText({ field, from, to }: FieldChange): string {
  return `${plain(field)}: ${value(from)} → ${value(to)}`
}

function value(text: string | null): string {
  return text === null ? 'not there' : text === '' ? '""' : plain(text)
}
