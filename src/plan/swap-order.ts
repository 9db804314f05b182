// start-first or stop-first, and why. Two containers of one leaf may only overlap when nothing is exclusive, whether
// the live one holds it or the candidate will.

import type { Leaf, Tree } from '../desired/tree.ts'
import { exclusivesOfContainer, exclusivesOfLeaf } from './exclusive.ts'
import { isIngress } from './ingress-steps.ts'
import type { ImageFacts, ObservedContainer } from './observed.ts'
import type { Verdict } from './verdict.ts'

export type SwapOrder = NonNullable<Verdict['order']>

export function swapOrder(leaf: Leaf, tree: Tree, image: ImageFacts | null, live: ObservedContainer | null): SwapOrder {
  if (leaf.kind === 'job') return { kind: 'stop-first', because: 'a job runs once' }
  if (isIngress(leaf)) return { kind: 'start-first', because: 'it takes over the open ports of the one before' }
  const [joined] = joinedLeaves(leaf)
  if (joined !== undefined) return { kind: 'stop-first', because: `it lives in the namespace of ${joined}` }
  const impossible = cannotOverlap(leaf, live)
  if (impossible !== null) return { kind: 'stop-first', because: impossible }
  if (leaf.update.order !== null) return { kind: leaf.update.order, because: 'the leaf says so' }
  const held = [...exclusivesOfLeaf(leaf, tree, image), ...(live === null ? [] : exclusivesOfContainer(live))][0]
  if (held !== undefined) return { kind: 'stop-first', because: `it holds ${held.text}` }
  const alias = firstAlias(leaf)
  if (alias !== null) {
    return { kind: 'stop-first', because: `the alias ${alias} cannot move without cutting connections` }
  }
  return { kind: 'start-first', because: 'nothing it holds is exclusive' }
}

/** What the engine refuses to have twice, whatever the leaf says. */
function cannotOverlap(leaf: Leaf, live: ObservedContainer | null): string | null {
  if (leaf.spec.network_mode === 'host' || live?.running.network_mode === 'host') return 'it uses the host network'
  const ports = [...leaf.spec.ports, ...(live?.running.ports ?? [])]
  const port = ports.find((candidate) => candidate.mode === 'host' && candidate.published !== 0)
  if (port !== undefined) return `it publishes host port ${port.published}/${port.protocol}`
  const joins = [...Object.values(leaf.spec.networks), ...Object.values(live?.running.networks ?? {})]
  const address = joins.map((join) => join.ipv4_address ?? join.ipv6_address).find((fixed) => fixed !== undefined)
  if (address !== undefined) return `it has the fixed address ${address}`
  return leaf.spec.mac_address === undefined ? null : `it has the fixed MAC address ${leaf.spec.mac_address}`
}

function firstAlias(leaf: Leaf): string | null {
  for (const join of Object.values(leaf.spec.networks)) {
    const alias = join.aliases[0]
    if (alias !== undefined) return alias
  }
  return null
}

/** The leaves whose namespaces this one joins (`service:X` of network_mode, pid and ipc), each once. */
export function joinedLeaves(leaf: Leaf): readonly string[] {
  const { network_mode, pid, ipc } = leaf.spec
  const joins = [network_mode, pid, ipc].filter((value) => value?.startsWith('service:') === true)
  return joins.length === 0 ? NOBODY : [...new Set(joins.map((value) => value?.slice('service:'.length) ?? ''))]
}

const NOBODY: readonly string[] = []
