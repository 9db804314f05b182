// Whether the ingress serves what is live, by its own word. Pure.

import type { LeafContext } from './leaf-context.ts'
import { renderIngress } from './ingress-config.ts'
import { carriesIngress } from './ingress-steps.ts'
import type { ObservedContainer } from './observed.ts'

/** Why it has to follow; null where it serves what it should, does not answer, or is about to follow by itself. */
export function ingressBehind(live: ObservedContainer, { input }: LeafContext): string | null {
  const { tree, observed, ingress, busy, leftOut } = input
  const served = ingress.get(live.id) ?? null
  if (served === null || tree.ingress === null) return null
  // A swap that goes on lets it follow as one of its steps, and not in the middle.
  for (const name of busy) if (carriesIngress(tree.leaves.get(name) ?? null, null)) return null
  const { config } = renderIngress(tree, observed, live.id, leftOut)
  return config.digest === served ? null : 'it does not serve what is live now'
}
