// What is said of a table that has ended: one line for each of its leaves, and for one that failed the reason and the
// last lines of its log.

import type { Availability, TableResult } from '../apply/outcome.ts'
import type { Verdict } from '../plan/verdict.ts'
import { plain } from './columns.ts'
import { duration } from './durations.ts'
import type { Palette } from './palette.ts'
import { generationText } from './plan-lines.ts'
import { drainText, gapText, lostText, seconds } from './swap-words.ts'

/** Nothing for an image that was fetched: its leaf is planned whole now, and ends with a line of its own. */
export function settledLines(result: TableResult, verdicts: ReadonlyMap<string, Verdict>, palette: Palette): string[] {
  const { table, outcome, leftovers } = result
  const onlyImages = [...table.prepare, ...table.commit, ...table.cleanup].every(({ action }) => action.do === 'image')
  if (outcome.kind === 'done' && onlyImages) return []
  const names = table.leaves.length === 0 ? [table.id] : table.leaves
  const took = duration(result.endedAt - result.startedAt)
  const left = leftovers.map(
    (text) => `    ${palette.changed('!')} ${palette.dim(`left for the next turn: ${plain(text)}`)}`,
  )
  switch (outcome.kind) {
    case 'done':
      return [...names.map((name) => doneLine(name, result, verdicts.get(name), took, palette)), ...left]
    case 'failed':
      return [
        ...names.map((name) => failedLine(name, outcome.leaf, outcome.message, verdicts.get(name), took, palette)),
        ...outcome.log.map((line) => `    ${palette.dim(`│ ${plain(line)}`)}`),
        ...left,
      ]
    case 'fault':
      if (outcome.replan) return left
      return [
        `${palette.bad('✗')} ${names.join(', ')}  ${plain(outcome.message)}  ${palette.dim(took)}`,
        `    ${palette.accent('→')} ${plain(outcome.remedy)}`,
        ...left,
      ]
    case 'superseded':
      return [`${palette.dim('○')} ${names.join(', ')}  ${palette.dim(plain(outcome.message))}`, ...left]
  }
}

/** `✓ nova-api  3 → 4  start-first  gate 1.2 s`. */
function doneLine(
  name: string,
  { gates, gaps, drains, availability, table }: TableResult,
  verdict: Verdict | undefined,
  took: string,
  palette: Palette,
): string {
  const gate = gates.get(name)
  const gap = gaps.get(name)
  const drain = drains.get(name)
  const clients = availability.get(name)
  const parts = [
    `${palette.good('✓')} ${palette.bold(name)}`,
    ...(verdict === undefined ? [] : [whatWasDone(verdict)]),
    ...(verdict?.order == null ? [] : [verdict.order.kind]),
    ...(gate === undefined ? [] : [palette.dim(`${verdict?.kind === 'run' ? 'ran' : 'gate'} ${duration(gate)}`)]),
    ...(gap === undefined ? [] : [palette.changed(gapText(gap))]),
    ...(drain === undefined ? [] : [palette.dim(drainText(drain))]),
    ...(clients === undefined ? [] : [clientsText(clients, palette)]),
    ...(gate === undefined && table.leaves.length > 0 ? [palette.dim(took)] : []),
  ]
  return parts.filter((part) => part !== '').join('  ')
}

/** `0 of 1,203 lost, longest pause 0.03 s`. */
function clientsText(clients: Availability, palette: Palette): string {
  const text = `${lostText(clients)}, longest pause ${seconds(clients.longestPause)}`
  return clients.lost === 0 ? palette.good(text) : palette.bad(text)
}

function whatWasDone(verdict: Verdict): string {
  const generation = generationText(verdict)
  switch (verdict.kind) {
    case 'remove':
      return 'removed'
    case 'stop':
      return 'stopped'
    case 'restore':
      return `${generation}  restored: ${plain(verdict.because)}`
    case 'recover':
      return `${generation}  ${plain(verdict.because)}`
    default:
      return generation
  }
}

function failedLine(
  name: string,
  blamed: string,
  message: string,
  verdict: Verdict | undefined,
  took: string,
  palette: Palette,
): string {
  const generation = verdict === undefined ? '' : `  ${generationText(verdict)}`
  const kept = verdict?.fromGeneration == null ? '' : `; generation ${verdict.fromGeneration} stays`
  const why = name === blamed ? `${plain(message)}${kept}` : `taken back with ${blamed}`
  return `${palette.bad('✗')} ${palette.bold(name)}${generation}  ${why}  ${palette.dim(took)}`
}
