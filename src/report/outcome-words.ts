// What came of a commit on its hosts as lines: a mark and the host, then what went well or wrong.

import { plain } from './columns.ts'
import { duration } from './durations.ts'
import type { LeafOutcome, OutcomeRecord } from './outcome-record.ts'
import type { Paint, Palette } from './palette.ts'
import { gapText, lostText, seconds } from './swap-words.ts'

export interface Mark {
  readonly sign: string
  readonly paint: Paint
}

/** Of one host, or of one leaf there. */
export function outcomeMark(result: OutcomeRecord['result'] | LeafOutcome['result'], palette: Palette): Mark {
  switch (result) {
    case 'failed':
    case 'refused':
      return { sign: '✗', paint: palette.bad }
    case 'held':
      return { sign: '!', paint: palette.waiting }
    case 'superseded':
      return { sign: '»', paint: palette.dim }
    default:
      return { sign: '✓', paint: palette.good }
  }
}

/** Of all hosts together: the worst one's. `·` where nothing is known. */
export function commitMark(outcomes: readonly OutcomeRecord[], leaf: string | null, palette: Palette): Mark {
  const order = ['✗', '!', '✓', '»']
  const marks = outcomes.map((record) => outcomeMark(resultOf(record, leaf), palette))
  const [worst] = marks.toSorted((a, b) => order.indexOf(a.sign) - order.indexOf(b.sign))
  return worst ?? { sign: '·', paint: palette.dim }
}

/**
 * A line for each host that has something of its own to tell; those of which there is nothing more to say than that all
 * went well share one. `leaf`: only what concerns this leaf; null: all of the commit.
 */
export function outcomeLines(outcomes: readonly OutcomeRecord[], leaf: string | null, palette: Palette): string[] {
  const told = outcomes.map((record) => {
    const result = resultOf(record, leaf)
    return { host: plain(record.host), mark: outcomeMark(result, palette), words: wordsOf(record, leaf, result) }
  })
  const lines: string[] = []
  const grouped = new Map<string, { hosts: string[]; mark: Mark; words: string }>()
  for (const { host, mark, words } of told) {
    const key = `${mark.sign} ${words}`
    const known = grouped.get(key)
    if (known === undefined) grouped.set(key, { hosts: [host], mark, words })
    else known.hosts.push(host)
  }
  for (const { hosts, mark, words } of grouped.values()) {
    const text = mark.sign === '✗' || mark.sign === '!' ? words : palette.dim(words)
    lines.push(`${mark.paint(mark.sign)} ${hosts.join(', ')}${words === '' ? '' : `  ${text}`}`)
  }
  return lines
}

function resultOf(record: OutcomeRecord, leaf: string | null): OutcomeRecord['result'] | LeafOutcome['result'] {
  const own = leaf === null ? undefined : record.leaves.find((one) => one.leaf === leaf)
  if (own !== undefined) return own.result
  // What came of other leaves is not this one's.
  return leaf !== null && record.result === 'failed' ? 'deployed' : record.result
}

function wordsOf(record: OutcomeRecord, leaf: string | null, result: string): string {
  const leaves = leaf === null ? record.leaves : record.leaves.filter((one) => one.leaf === leaf)
  const bad = leaves.filter((one) => one.message !== null && ['failed', 'held', 'refused'].includes(one.result))
  if (bad.length > 0) {
    const [first] = bad
    const name = leaf === null ? `${first?.leaf}: ` : ''
    const more = bad.length > 1 ? `, and ${bad.length - 1} more` : ''
    return `${name}${plain(first?.message ?? '')}${more}`
  }
  if (result === 'superseded') return 'a newer commit came first'
  if (result === 'refused' || result === 'failed') {
    const [problem] = record.problems
    const more = record.problems.length > 1 ? `, and ${record.problems.length - 1} more` : ''
    return problem === undefined ? result : `${plain(problem)}${more}`
  }
  const measured = measuredWords(leaves)
  if (measured !== '') return measured
  return leaf === null && leaves.length > 0 ? `in ${duration(record.milliseconds)}` : ''
}

/** `gate 3.1 s, gap 0.6 s, 0 of 1,203 lost`; of several leaves the longest, and all requests together. */
function measuredWords(leaves: readonly LeafOutcome[]): string {
  const most = (values: readonly (number | null)[]): number | null => {
    const known = values.filter((value) => value !== null)
    return known.length === 0 ? null : Math.max(...known)
  }
  const gate = most(leaves.map((one) => one.gate))
  const gap = most(leaves.map((one) => one.gap))
  const measured = leaves.flatMap(({ availability }) => (availability === null ? [] : [availability]))
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
  const lost = { tried: sum(measured.map(({ tried }) => tried)), lost: sum(measured.map((one) => one.lost)) }
  const longest = leaves.length > 1 ? 'longest ' : ''
  return [
    ...(gate === null ? [] : [`${longest}gate ${seconds(gate)}`]),
    ...(gap === null ? [] : [gap === 0 ? gapText(0) : `${longest}${gapText(gap)}`]),
    ...(measured.length === 0 ? [] : [lostText(lost)]),
  ].join(', ')
}
