// The end of an apply: what is not as declared and why, and one line that sums up.

import type { Plan, Verdict } from '../plan/verdict.ts'
import { align, plain } from './columns.ts'
import type { Palette } from './palette.ts'
import { count } from './plurals.ts'
import { summary, verdictWords } from './verdict-words.ts'

/** `plan`: of the last turn, so what it still wants is what was not reached. `done`: leaves that were changed. */
export function summaryLines(plan: Plan, done: number, took: string, palette: Palette): string[] {
  const open = plan.verdicts.filter(({ kind }) => kind !== 'keep' && kind !== 'move')
  const { removalHeld } = plan
  return [
    '',
    ...align(open.map((verdict) => openRow(verdict, palette))),
    ...(removalHeld === null
      ? []
      : [
          `  ${palette.accent('→')} ${count(removalHeld.count, 'leaf', 'leaves')} would go, at most ${removalHeld.limit} may: graft apply --confirm-removals says that it is meant`,
        ]),
    ...plan.notes.map((note) => `${palette.changed('!')} ${plain(note)}`),
    `${palette.bold(summary(plan.verdicts))}  ${palette.dim(`${done === 0 ? 'nothing was changed' : `${done} changed`}, ${took}`)}`,
  ]
}

function openRow(verdict: Verdict, palette: Palette): string[] {
  const { sign, word, paint } = verdictWords(verdict, palette)
  return [`${paint(sign)} ${verdict.leaf}`, paint(word), palette.dim(plain(verdict.because))]
}
