// What came of a commit on one host, as an entry of the note on it: words for people, one line of JSON for programs; and
// back from the note's text.

import { entryName, type NoteEntry } from '../repository/note-text.ts'
import { plain } from './columns.ts'
import { duration } from './durations.ts'
import type { LeafOutcome, OutcomeRecord } from './outcome-record.ts'
import { gapText, lostText, seconds } from './swap-words.ts'

/** Leaves and problems above this many are only counted in the words. */
const SHOWN = 40

export function outcomeEntry(record: OutcomeRecord): NoteEntry {
  const { deployment, host, at } = record
  const name = entryName(deployment, host)
  return { name, at, words: outcomeLines(record).join('\n'), data: JSON.stringify(record) }
}

/** The records in a note's text; lines that are no record of this format are passed over. */
export function outcomesIn(text: string): OutcomeRecord[] {
  const newest = new Map<string, OutcomeRecord>()
  for (const line of text.split('\n')) {
    const record = line.startsWith('{') ? recordIn(line) : null
    if (record === null) continue
    const name = entryName(record.deployment, record.host)
    const known = newest.get(name)
    if (known === undefined || known.at < record.at) newest.set(name, record)
  }
  return [...newest.values()].toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
}

/** `shop on alpha: deployed in 4.2 s (2026-11-23 00:18:05 UTC)` and a line for each leaf and problem. */
function outcomeLines(record: OutcomeRecord): string[] {
  const { result, milliseconds, at, leaves, problems } = record
  const when = new Date(at).toISOString().replace('T', ' ').slice(0, 19)
  const [before, span] = result === 'deployed' ? ['in', milliseconds] : ['after', milliseconds]
  const nothing = result === 'deployed' && leaves.length === 0 ? ', nothing had to change' : ''
  return [
    `${nameOf(record)}: ${result} ${before} ${duration(span)}${nothing} (${when} UTC)`,
    ...atMost(leaves.map(leafLine), 'leaves'),
    ...atMost(
      problems.map((problem) => `  ${plain(problem)}`),
      'problems',
    ),
  ]
}

function leafLine(outcome: LeafOutcome): string {
  const { leaf, result, from, to, message, gate, gap, availability } = outcome
  const generations = from === null || to === null || from === to ? `${to ?? from ?? ''}` : `${from} → ${to}`
  const measured = [
    ...(gate === null ? [] : [`gate ${seconds(gate)}`]),
    ...(gap === null ? [] : [gapText(gap)]),
    ...(availability === null ? [] : [lostText(availability)]),
  ]
  const how = result === 'replaced' ? measured.join(', ') : [result, ...measured].join(', ')
  const words = message === null ? how : `${result}: ${plain(message)}`
  return `  ${[leaf, ...(generations === '' ? [] : [generations])].join(' ')}${words === '' ? '' : `  ${words}`}`
}

function atMost(lines: readonly string[], what: string): string[] {
  if (lines.length <= SHOWN) return [...lines]
  return [...lines.slice(0, SHOWN), `  and ${lines.length - SHOWN} more ${what}`]
}

function nameOf({ deployment, host }: OutcomeRecord): string {
  return entryName(deployment, host)
}

const RESULTS: ReadonlySet<unknown> = new Set(['deployed', 'failed', 'refused', 'superseded'])

function recordIn(line: string): OutcomeRecord | null {
  let found: unknown
  try {
    found = JSON.parse(line)
  } catch {
    return null
  }
  if (!isObject(found) || found['format'] !== 1 || !RESULTS.has(found['result'])) return null
  const { host, deployment, commit, result, at, milliseconds, leaves, problems } = found
  const texts = [host, deployment, commit].every((value) => typeof value === 'string')
  if (!texts || !isAmount(at) || !isAmount(milliseconds)) return null
  return {
    format: 1,
    host: String(host),
    deployment: String(deployment),
    commit: String(commit),
    result: result as OutcomeRecord['result'],
    at,
    milliseconds,
    leaves: Array.isArray(leaves) ? leaves.flatMap(leafIn) : [],
    problems: Array.isArray(problems) ? problems.filter((problem) => typeof problem === 'string') : [],
  }
}

const LEAF_RESULTS: ReadonlySet<unknown> = new Set<LeafOutcome['result']>([
  'created',
  'replaced',
  'restored',
  'moved',
  'ran',
  'stopped',
  'removed',
  'failed',
  'held',
  'refused',
])

function leafIn(found: unknown): LeafOutcome[] {
  if (!isObject(found) || typeof found['leaf'] !== 'string' || !LEAF_RESULTS.has(found['result'])) return []
  const { leaf, result, from, to, order, gate, gap, availability, message } = found
  const amount = (value: unknown): number | null => (isAmount(value) ? value : null)
  return [
    {
      leaf,
      result: result as LeafOutcome['result'],
      from: amount(from),
      to: amount(to),
      order: order === 'start-first' || order === 'stop-first' ? order : null,
      gate: amount(gate),
      gap: amount(gap),
      availability: availabilityIn(availability),
      message: typeof message === 'string' ? message : null,
    },
  ]
}

function availabilityIn(found: unknown): LeafOutcome['availability'] {
  if (!isObject(found)) return null
  const { port, tried, lost, longestPause } = found
  if (typeof port !== 'string' || !isAmount(tried) || !isAmount(lost) || !isAmount(longestPause)) return null
  return { port, tried, lost, longestPause }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}
