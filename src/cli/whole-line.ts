// The history of what is deployed, as whole as it can be had.

import type { HistoryLine } from '../daemon/history-index.ts'
import type { Deployment } from '../daemon/open-deployment.ts'
import type { Output } from './output.ts'

/** Worth a word on a terminal. */
const LONG = 200

/** Along first parents, newest first. Fetches what a shallow clone lacks where that is possible. */
export async function wholeLine(
  { history, repository }: Deployment,
  commit: string,
  output?: Output,
): Promise<HistoryLine> {
  history.onLong((commits) => {
    if (output?.stderr.isTerminal !== true || commits < LONG) return
    output.say([output.errorPalette.dim(`reading ${commits} commits, this once …`)])
  })
  const line = await history.along(commit)
  if (line.complete || !(await repository.deepen())) return line
  await history.reread()
  return history.along(commit)
}
