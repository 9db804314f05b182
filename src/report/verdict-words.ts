// The sign, the word and the colour that stand for each kind of verdict, and how many of a kind are summed up.

import type { Verdict, VerdictKind } from '../plan/verdict.ts'
import type { Paint, Palette } from './palette.ts'

export interface VerdictWords {
  readonly sign: string
  readonly word: string
  readonly paint: Paint
}

/** A leaf that waits for another one gets there by itself; any other hold needs time or a person. */
export function verdictWords(verdict: Pick<Verdict, 'kind' | 'awaits'>, palette: Palette): VerdictWords {
  switch (verdict.kind) {
    case 'keep':
      return { sign: '·', word: 'keep', paint: palette.dim }
    case 'move':
      return { sign: '·', word: 'move', paint: palette.dim }
    case 'create':
      return { sign: '+', word: 'create', paint: palette.good }
    case 'run':
      return { sign: '+', word: 'run', paint: palette.good }
    case 'replace':
      return { sign: '~', word: 'replace', paint: palette.changed }
    case 'restore':
      return { sign: '~', word: 'restore', paint: palette.accent }
    case 'recover':
      return { sign: '~', word: 'recover', paint: palette.accent }
    case 'stop':
      return { sign: '-', word: 'stop', paint: palette.bad }
    case 'remove':
      return { sign: '-', word: 'remove', paint: palette.bad }
    case 'hold':
      return verdict.awaits === null
        ? { sign: '!', word: 'hold', paint: palette.waiting }
        : { sign: '…', word: 'wait', paint: palette.dim }
    case 'refuse':
      return { sign: '✗', word: 'refuse', paint: palette.bad }
  }
}

const SUMMED: readonly (readonly [VerdictKind, string])[] = [
  ['refuse', 'refused'],
  ['remove', 'to remove'],
  ['replace', 'to replace'],
  ['create', 'to create'],
  ['run', 'to run'],
  ['restore', 'to restore'],
  ['recover', 'to recover'],
  ['stop', 'to stop'],
]

/** `3 to replace, 1 to create, 44 as declared`. */
export function summary(verdicts: readonly Pick<Verdict, 'kind' | 'awaits'>[]): string {
  const number = (test: (verdict: Pick<Verdict, 'kind' | 'awaits'>) => boolean) => verdicts.filter(test).length
  const parts = SUMMED.map(([kind, words]) => [number((verdict) => verdict.kind === kind), words] as const)
  const held = number(({ kind, awaits }) => kind === 'hold' && awaits === null)
  const waiting = number(({ kind, awaits }) => kind === 'hold' && awaits !== null)
  const kept = number(({ kind }) => kind === 'keep' || kind === 'move')
  const all = [...parts, [held, 'held'], [waiting, 'waiting'], [kept, 'as declared']] as const
  const said = all.filter(([amount]) => amount > 0).map(([amount, words]) => `${amount} ${words}`)
  return said.length === 0 ? 'nothing declared' : said.join(', ')
}
