// What two leaves or sets cannot both have: a name, a port of the host, a fixed address, a former name. Pure.

import { nameFault } from './leaf-checks.ts'
import type { Problem } from './problem.ts'
import { placeIn } from './read-leaf.ts'
import type { ReadLeaf } from './read-leaf.ts'
import type { Reading } from './set-context.ts'
import type { SetTree } from './set-tree.ts'
import type { PublishedPort } from './spec.ts'
import { wholeFile } from './yaml-document.ts'
import type { Place, ValuePath } from './yaml-document.ts'

export function findClashes(tree: SetTree, reading: Reading): Problem[] {
  return [
    ...leafNames(tree),
    ...setNames(tree),
    ...formerNames(tree, reading),
    ...ports(tree, reading),
    ...addresses(tree, reading),
  ]
}

function leafNames(tree: SetTree): Problem[] {
  const problems: Problem[] = []
  const seen = new Map<string, ReadLeaf>()
  for (const leaf of tree.list) {
    const first = seen.get(leaf.name.toLowerCase())
    if (first === undefined) {
      seen.set(leaf.name.toLowerCase(), leaf)
      continue
    }
    const { entry } = leaf.document
    const message = `${leaf.name} is the name of ${first.document.entry.path} already, and a name is unique in the deployment`
    problems.push({ ...wholeFile(entry, message, 'rename one of the two files'), leaf: leaf.name })
  }
  return problems
}

function setNames(tree: SetTree): Problem[] {
  const problems: Problem[] = []
  for (const node of tree.nodes) {
    const { entry } = node.context.document
    const fault = node.parent === null ? null : nameFault(node.name, 'set')
    if (fault !== null) problems.push(wholeFile(entry, fault.message, fault.remedy.replace('rename it', 'rename the folder')))
    const seen = new Set<string>()
    for (const inner of node.sets) {
      const where = inner.context.document.entry
      const parent = node.path === '' ? 'the deployment' : node.path
      if (seen.has(inner.name)) {
        problems.push(wholeFile(where, `a second set named ${inner.name} is in ${parent}`, 'rename one of the two folders'))
      } else if (node.members.get(inner.name) !== undefined && 'leaf' in (node.members.get(inner.name) ?? {})) {
        const message = `a leaf and a set in ${parent} are both named ${inner.name}, so depends_on cannot tell them apart`
        problems.push(wholeFile(where, message, 'rename the folder or the leaf'))
      }
      seen.add(inner.name)
    }
  }
  return problems
}

function formerNames(tree: SetTree, reading: Reading): Problem[] {
  const problems: Problem[] = []
  const takers = new Map<string, ReadLeaf>()
  for (const leaf of tree.list) {
    const former = leaf.parts?.renamed_from
    if (former == null) continue
    const place = (): Place => placeIn(leaf, ['renamed_from'], 'value', reading)
    const holder = tree.leaves.get(former)
    const taker = takers.get(former)
    if (holder !== undefined) {
      const message = holder === leaf ? `${former} is this leaf's own name` : `${former} still exists in ${holder.document.entry.path}`
      problems.push({ ...place(), message, remedy: 'take renamed_from away, or remove the old file', leaf: leaf.name, severity: 'unreadable' })
    } else if (taker !== undefined) {
      const message = `${taker.document.entry.path} takes over ${former} already`
      problems.push({ ...place(), message, remedy: 'only one leaf can be the former one renamed', leaf: leaf.name, severity: 'unreadable' })
    }
    takers.set(former, leaf)
  }
  return problems
}

interface Holder {
  readonly leaf: ReadLeaf
  readonly path: ValuePath
  readonly at: 'key' | 'value'
}

function ports(tree: SetTree, reading: Reading): Problem[] {
  const problems: Problem[] = []
  const holders = new Map<string, (Holder & { readonly port: PublishedPort })[]>()
  for (const leaf of running(tree)) {
    for (const port of leaf.parts?.spec.ports ?? []) {
      if (port.published === 0) continue
      const key = `${port.published}/${port.protocol}`
      const others = holders.get(key) ?? []
      const holder = { leaf, path: portPath(leaf, port), at: 'value' as const, port }
      const other = others.find((one) => addressesOverlap(one.port.host_ip, port.host_ip))
      if (other !== undefined) {
        const what = `port ${key}${port.host_ip === undefined ? '' : ` on ${port.host_ip}`} of the host`
        problems.push(...bothSides(what, 'give one of them another port or address', holder, other, reading))
      }
      holders.set(key, [...others, holder])
    }
  }
  return problems
}

/** The item that names the published port, in Compose's short or long form. */
function portPath(leaf: ReadLeaf, port: PublishedPort): ValuePath {
  const written = leaf.merged?.value['ports']
  const items: unknown[] = Array.isArray(written) ? written : []
  const published = new RegExp(`(^|:)${port.published}:`)
  const index = items.findIndex((item) => {
    if (item !== null && typeof item === 'object') return String((item as { published?: unknown }).published) === String(port.published)
    return published.test(String(item))
  })
  return index < 0 ? ['ports'] : ['ports', index]
}

function addressesOverlap(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined || a === b) return true
  if (a === '0.0.0.0') return !b.includes(':') || b === '::'
  if (b === '0.0.0.0') return !a.includes(':') || a === '::'
  return (a === '::' && b.includes(':')) || (b === '::' && a.includes(':'))
}

function addresses(tree: SetTree, reading: Reading): Problem[] {
  const problems: Problem[] = []
  const holders = new Map<string, Holder>()
  const claim = (key: string, what: string, holder: Holder): void => {
    const other = holders.get(key)
    if (other === undefined) holders.set(key, holder)
    else problems.push(...bothSides(what, 'give one of them another address', holder, other, reading))
  }
  for (const leaf of running(tree)) {
    const spec = leaf.parts?.spec
    if (spec === undefined) continue
    if (spec.mac_address !== undefined) {
      claim(`mac ${spec.mac_address}`, `the MAC address ${spec.mac_address}`, { leaf, path: ['mac_address'], at: 'value' })
    }
    for (const [network, join] of Object.entries(spec.networks)) {
      for (const key of ['ipv4_address', 'ipv6_address', 'mac_address'] as const) {
        const address = join[key]
        if (address === undefined) continue
        const group = key === 'mac_address' ? 'mac' : network
        claim(`${group} ${address}`, `the address ${address} on ${network}`, { leaf, path: ['networks', network, key], at: 'value' })
      }
    }
  }
  return problems
}

/** A stopped set holds nothing, so that of two sets that share a port one can wait for the other. */
function* running(tree: SetTree): Generator<ReadLeaf> {
  for (const leaf of tree.list) if (leaf.parts !== null && leaf.set.state === 'running') yield leaf
}

function bothSides(what: string, remedy: string, one: Holder, other: Holder, reading: Reading): Problem[] {
  const places = [one, other].map((holder) => placeIn(holder.leaf, holder.path, holder.at, reading))
  return [one, other].flatMap((holder, index): Problem[] => {
    const place = places[index]
    const there = places[1 - index]
    const rival = index === 0 ? other : one
    if (place === undefined || there === undefined || (index === 1 && one.leaf === other.leaf)) return []
    const where = `${there.file}${there.line === null ? '' : `:${there.line}`}`
    const message = `${what} is taken by ${rival.leaf.name} too (${where})`
    return [{ ...place, message, remedy, leaf: holder.leaf.name, severity: 'unreadable' }]
  })
}
