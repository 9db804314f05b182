// What a commit status says, in one line. Pure.

import type { LeafOutcome, OutcomeRecord } from '../report/outcome-record.ts'
import type { StatusState } from './commit-status.ts'

export const PENDING_WORDS = 'is being brought about'

/** State and words for an outcome. What was overtaken counts as a failure, because it is not what runs. */
export function statusOf(record: OutcomeRecord): { readonly state: StatusState; readonly description: string } {
  const { result, leaves, problems } = record
  const wrong = leaves.find(({ result: how }) => how === 'failed' || how === 'refused' || how === 'held')
  if (result === 'deployed') return { state: 'success', description: deployedWords(record) }
  if (result === 'superseded') {
    return { state: 'failure', description: 'a newer commit came before this one was done' }
  }
  const [problem] = problems
  const reason =
    wrong !== undefined
      ? `${named(wrong)}: ${wrong.message ?? wrong.result}`
      : (problem ?? 'see graft status on the host')
  return { state: 'failure', description: `${result}: ${reason}` }
}

function deployedWords({ leaves, milliseconds }: OutcomeRecord): string {
  const changed = leaves.filter(({ result }) => result !== 'held' && result !== 'refused' && result !== 'failed')
  if (changed.length === 0) return 'nothing had to change'
  const shown = changed.slice(0, 3).map(named).join(', ')
  const more = changed.length > 3 ? ` and ${changed.length - 3} more` : ''
  return `${shown}${more} in ${(milliseconds / 1000).toFixed(1)} s`
}

function named({ leaf, from, to }: LeafOutcome): string {
  if (from === null || to === null || from === to) return to === null ? leaf : `${leaf} ${to}`
  return `${leaf} ${from} → ${to}`
}
