// What HAProxy has to learn when something that was left half done is finished.

import { carriesIngress, follow } from './ingress-steps.ts'
import type { RecoveryContext } from './recover.ts'
import type { Situation } from './situation.ts'
import type { Step } from './step.ts'

/** Where the leaf has ports of the ingress, now or before: it sends to what is live by then. */
export function followed(
  { live, candidate, retired }: Situation,
  context: RecoveryContext,
  blamed: string[] = [],
): Step[] {
  const { ingress, wanted } = context
  const all = [live, candidate, ...retired]
  const carries = all.some((container) => carriesIngress(wanted?.leaf ?? null, container))
  return ingress !== null && carries ? [follow(blamed)] : []
}
