// The end of an apply: what is not as declared and why, and one line that sums up.

import { heldWords } from '../plan/removal-guard.ts'
import type { TableResult } from '../apply/outcome.ts'
import type { Plan, Verdict } from '../plan/verdict.ts'
import { approveCommand } from './approve-words.ts'
import { align, plain } from './columns.ts'
import type { Palette } from './palette.ts'
import { lostText, seconds } from './swap-words.ts'
import { summary, verdictWords } from './verdict-words.ts'

/**
 * `plan`: of the last turn, so what it still wants is what was not reached. `done`: leaves that were changed. `results`:
 * of the tables, for what clients saw of them.
 */
export function summaryLines(
  plan: Plan,
  done: number,
  took: string,
  palette: Palette,
  results: readonly TableResult[] = [],
): string[] {
  const open = plan.verdicts.filter(({ kind }) => kind !== 'keep' && kind !== 'move')
  const { removalHeld } = plan
  return [
    '',
    ...align(open.map((verdict) => openRow(verdict, palette))),
    ...(removalHeld === null
      ? []
      : [`  ${palette.accent('→')} ${heldWords(removalHeld)}: ${approveCommand(plan.commit)} says that it is meant`]),
    ...seenLines(results, palette),
    ...plan.notes.map((note) => `${palette.changed('!')} ${plain(note)}`),
    `${palette.bold(summary(plan.verdicts))}  ${palette.dim(`${done === 0 ? 'nothing was changed' : `${done} changed`}, ${took}`)}`,
  ]
}

/** `longest gap 0.6 s (db); 0 of 12,030 lost, longest pause 0.03 s (web)`. */
function seenLines(results: readonly TableResult[], palette: Palette): string[] {
  const gaps = results.flatMap((result) => [...result.gaps]).toSorted(([, a], [, b]) => b - a)
  const clients = results.flatMap(({ availability }) => [...availability])
  const [longest] = gaps
  const [slowest] = clients.toSorted(([, a], [, b]) => b.longestPause - a.longestPause)
  const sum = (of: 'tried' | 'lost') => clients.reduce((total, [, seen]) => total + seen[of], 0)
  const parts = [
    ...(longest === undefined ? [] : [`longest gap ${seconds(longest[1])} (${longest[0]})`]),
    ...(slowest === undefined
      ? []
      : [
          `${lostText({ tried: sum('tried'), lost: sum('lost') })}, longest pause ${seconds(slowest[1].longestPause)} (${slowest[0]})`,
        ]),
  ]
  return parts.length === 0 ? [] : [palette.dim(parts.join('; '))]
}

function openRow(verdict: Verdict, palette: Palette): string[] {
  const { sign, word, paint } = verdictWords(verdict, palette)
  return [`${paint(sign)} ${verdict.leaf}`, paint(word), palette.dim(plain(verdict.because))]
}
