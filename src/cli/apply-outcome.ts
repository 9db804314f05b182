// The note that a single apply leaves: it waits a moment for the server, because nothing tries again after it.

import { systemClock as clock } from '../apply/clock.ts'
import type { Deployment, Judgement } from '../daemon/open-deployment.ts'
import type { NotesFault } from '../daemon/outcomes.ts'
import type { OutcomeRecorder } from '../daemon/outcome-recorder.ts'
import { recordOutcomes } from '../daemon/record-outcomes.ts'
import { plain } from '../report/columns.ts'
import type { Output } from './output.ts'

/** Milliseconds. */
const LONGEST_PUSH = 15_000

/** `task` brings about the commit, and tells the recorder. What happens to the note changes nothing of its result. */
export async function withOutcome<Result>(
  deployment: Deployment,
  { commit, problems }: Judgement,
  name: string,
  output: Output,
  task: (recorder: OutcomeRecorder) => Promise<Result>,
): Promise<Result> {
  const faults: NotesFault[] = []
  deployment.book.onFault((fault) => void (fault === null ? faults.pop() : faults.push(fault)))
  const recorder = recordOutcomes(deployment, name, clock)
  if (commit !== null) recorder.follow(commit.id, problems)
  const result = await task(recorder)
  await recorder.told()
  await told(deployment, faults, output)
  return result
}

/** A commit that is not taken over. `name`: the deployment's, as far as it is known. */
export async function noteRefused(
  deployment: Deployment,
  { commit, problems }: Judgement,
  name: string,
  output: Output,
): Promise<void> {
  if (commit === null) return
  const faults: NotesFault[] = []
  deployment.book.onFault((fault) => void (fault !== null && faults.push(fault)))
  const recorder = recordOutcomes(deployment, name, clock)
  recorder.refuse(commit.id, problems)
  await recorder.told()
  await told(deployment, faults, output)
}

async function told({ book }: Deployment, faults: readonly NotesFault[], output: Output): Promise<void> {
  if (await book.settled(LONGEST_PUSH)) return
  const [fault] = faults
  const why =
    fault === undefined ? 'the server did not answer in time' : `${plain(fault.message)}; ${plain(fault.remedy)}`
  output.say([
    output.errorPalette.changed(
      `The note on this commit is kept here and goes to the server with the next one: ${why}`,
    ),
  ])
}
