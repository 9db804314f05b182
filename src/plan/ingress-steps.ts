// When the ingress has to follow, as steps of a table.

import type { Leaf } from '../desired/tree.ts'
import { ingressPorts } from './ingress-services.ts'
import type { ObservedContainer } from './observed.ts'
import type { Step, Table } from './step.ts'

/** Whether the leaf publishes ports by the ingress, before or after. */
export function carriesIngress(leaf: Leaf | null, container: ObservedContainer | null): boolean {
  return (
    (leaf?.spec.ports.some(({ mode }) => mode === 'ingress') ?? false) ||
    (container !== null && ingressPorts(container).length > 0)
  )
}

/** The ingress's own leaf: its containers hand their sockets over, and are given a configuration before they start. */
export function isIngress({ probe }: Pick<Leaf, 'probe'>): boolean {
  return probe?.kind === 'ingress'
}

/** `leaves`: who is to blame where HAProxy does not take their ports. */
export function follow(leaves: readonly string[]): Step & { readonly action: { readonly do: 'ingress' } } {
  return { action: { do: 'ingress', leaves }, undo: [] }
}

/** Under this name a fault of a table that only lets the ingress follow is remembered: it is no fault of its container. */
export const FOLLOWING = 'the ingress follows'

export function onlyFollows({ prepare, commit, cleanup }: Table): boolean {
  return commit.length > 0 && [...prepare, ...commit, ...cleanup].every(({ action }) => action.do === 'ingress')
}
