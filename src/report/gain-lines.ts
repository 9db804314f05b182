// Gains in privilege, said first and loudly: what leaves would be allowed that they are not allowed now.

import type { Verdict } from '../plan/verdict.ts'
import { align, plain } from './columns.ts'
import type { Palette } from './palette.ts'
import { count } from './plurals.ts'

export function gainLines(verdicts: readonly Pick<Verdict, 'set' | 'leaf' | 'gains'>[], palette: Palette): string[] {
  const gaining = verdicts.filter(({ gains }) => gains.length > 0)
  if (gaining.length === 0) return []
  const rows = gaining.map(({ set, leaf, gains }) => [
    `  ${palette.bold(set === null || set === '' ? leaf : `${set}/${leaf}`)}`,
    palette.bad(gains.map(plain).join(', ')),
  ])
  const who = gaining.length === 1 ? 'gets what it does not have now' : 'get what they do not have now'
  return [`${palette.alarm(' MORE PRIVILEGE ')} ${count(gaining.length, 'leaf', 'leaves')} ${who}:`, ...align(rows), '']
}
