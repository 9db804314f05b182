// The recorder of a process that changes what runs, wired to the notes of its deployment.

import type { Clock } from '../apply/clock.ts'
import type { OutcomeRecord } from '../report/outcome-record.ts'
import type { Deployment } from './open-deployment.ts'
import { createOutcomeRecorder, type OutcomeRecorder } from './outcome-recorder.ts'

export interface OutcomeListeners {
  /** Work on a commit begins. */
  readonly onPending?: (commit: string) => void
  /** Told again for one commit where later changes make it better or worse. */
  readonly onOutcome?: (record: OutcomeRecord) => void
}

/** `name`: the deployment's; empty where it is not known. */
export function recordOutcomes(
  { host, book }: Pick<Deployment, 'host' | 'book'>,
  name: string,
  clock: Clock,
  { onPending = () => undefined, onOutcome = () => undefined }: OutcomeListeners = {},
): OutcomeRecorder {
  return createOutcomeRecorder({
    host,
    deployment: () => name,
    now: () => clock.now(),
    async before(commit) {
      const told = (await book.read([commit], false)).get(commit) ?? []
      return told.find((record) => record.host === host && record.deployment === name) ?? null
    },
    onPending,
    onOutcome(record) {
      void book.record(record)
      onOutcome(record)
    },
  })
}
