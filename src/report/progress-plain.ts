// Progress where there is no terminal: a line when something begins that may take a while.

import type { Progress } from '../apply/progress.ts'
import { leafOf } from './progress-words.ts'

/** Null where there is nothing to say. What has ended is said by settled-lines.ts. */
export function plainLine(progress: Progress): string | null {
  if (progress.kind !== 'step') return null
  const { action, undo } = progress
  const leaf = leafOf(action)
  if (leaf === null || undo) return null
  switch (action.do) {
    case 'gate':
      return `  ${leaf}: at its gate`
    case 'wait-job':
      return `  ${leaf}: runs`
    case 'stop':
      return `  ${leaf}: stops`
    case 'drain':
      return action.milliseconds > 0 ? `  ${leaf}: the old one drains` : null
    default:
      return null
  }
}
