// The data of a command as JSON for other programs. The shapes are described in docs/json.md; within `format: 1` keys
// are added and never change their meaning.

import type { TableResult } from '../apply/outcome.ts'
import type { Problem } from '../desired/problem.ts'
import type { Plan } from '../plan/verdict.ts'
import type { CommitFacts } from '../repository/snapshot.ts'
import type { Status } from './status.ts'

const FORMAT = 1

export function problemsJson(problems: readonly Problem[]): object {
  return { format: FORMAT, ok: !problems.some(({ severity }) => severity !== 'warning'), problems }
}

export function planJson(
  plan: Plan,
  commit: CommitFacts | null,
  problems: readonly Problem[],
  changes: boolean,
): object {
  const { deployment, verdicts, removalHeld, notes } = plan
  return { format: FORMAT, deployment, commit, changes, verdicts, removalHeld, notes, problems }
}

export function statusJson(status: Status): object {
  return { format: FORMAT, ...status }
}

export function applyJson(
  plan: Plan,
  commit: CommitFacts | null,
  problems: readonly Problem[],
  results: readonly TableResult[],
  inSync: boolean,
): object {
  const { deployment, verdicts, removalHeld, notes } = plan
  return {
    format: FORMAT,
    deployment,
    commit,
    inSync,
    results: results.map(({ table, outcome, leftovers, startedAt, endedAt, gates, gaps, drains, availability }) => ({
      leaves: table.leaves,
      table: table.id,
      outcome,
      leftovers,
      startedAt,
      endedAt,
      gates: Object.fromEntries(gates),
      gaps: Object.fromEntries(gaps),
      drains: Object.fromEntries(drains),
      availability: Object.fromEntries(availability),
    })),
    verdicts,
    removalHeld,
    notes,
    problems,
  }
}
