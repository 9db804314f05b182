// What two leaves or sets cannot both have: a name, a port of the host, a fixed address, a former name. Pure.

import type { Claim } from './claims.ts'
import { nameFault } from './leaf-checks.ts'
import type { Problem } from './problem.ts'
import { placeIn } from './read-leaf.ts'
import type { ReadLeaf } from './read-leaf.ts'
import type { Reading } from './set-context.ts'
import type { SetTree } from './set-tree.ts'
import { wholeFile } from './yaml-document.ts'
import type { Place } from './yaml-document.ts'

export function findClashes(tree: SetTree, reading: Reading): Problem[] {
  return [...leafNames(tree, reading), ...setNames(tree), ...formerNames(tree, reading), ...claims(tree, reading)]
}

function leafNames(tree: SetTree, reading: Reading): Problem[] {
  const ingress = tree.nodes[0]?.context.root().ingressLeaf() ?? null
  const problems: Problem[] = []
  const seen = new Map<string, ReadLeaf>()
  for (const leaf of tree.list) {
    if (leaf.name.toLowerCase() === ingress?.name && leaf !== ingress) {
      const { entry } = leaf.document
      const message = `${leaf.name} is the name of the deployment's ingress (${placeWords(placeIn(ingress, [], 'key', reading))})`
      problems.push({ ...wholeFile(entry, message, 'give this leaf another name'), leaf: leaf.name })
    }
    const first = seen.get(leaf.name.toLowerCase())
    if (first === undefined) {
      seen.set(leaf.name.toLowerCase(), leaf)
      continue
    }
    if (leaf === ingress || first === ingress) continue
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
    if (fault !== null)
      problems.push(wholeFile(entry, fault.message, fault.remedy.replace('rename it', 'rename the folder')))
    const seen = new Set<string>()
    for (const inner of node.sets) {
      const where = inner.context.document.entry
      const parent = node.path === '' ? 'the deployment' : node.path
      if (seen.has(inner.name)) {
        problems.push(
          wholeFile(where, `a second set named ${inner.name} is in ${parent}`, 'rename one of the two folders'),
        )
      } else if (node.members.get(inner.name) !== undefined && 'leaf' in (node.members.get(inner.name) ?? {})) {
        const message = `a leaf and a set in ${parent} are both named ${inner.name}, so depends_on cannot tell them apart`
        const isIngress = tree.leaves.get(inner.name) === node.context.root().ingressLeaf()
        problems.push(wholeFile(where, message, isIngress ? 'rename the folder' : 'rename the folder or the leaf'))
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
      const message =
        holder === leaf
          ? `${former} is this leaf's own name`
          : `${former} still exists in ${holder.document.entry.path}`
      problems.push({
        ...place(),
        message,
        remedy: 'take renamed_from away, or remove the old file',
        leaf: leaf.name,
        severity: 'unreadable',
      })
    } else if (taker !== undefined) {
      const message = `${taker.document.entry.path} takes over ${former} already`
      problems.push({
        ...place(),
        message,
        remedy: 'only one leaf can be the former one renamed',
        leaf: leaf.name,
        severity: 'unreadable',
      })
    }
    takers.set(former, leaf)
  }
  return problems
}

function claims(tree: SetTree, reading: Reading): Problem[] {
  const problems: Problem[] = []
  const holders = new Map<string, Holder | Holder[]>()
  for (const leaf of tree.list) {
    // A stopped set holds nothing, so that of two sets that share a port one can wait for the other.
    if (leaf.claims.length === 0 || leaf.set.state !== 'running') continue
    for (const claim of leaf.claims) {
      const holder = { leaf, claim }
      const others = holders.get(claim.what)
      if (others === undefined) {
        holders.set(claim.what, holder)
        continue
      }
      const list = Array.isArray(others) ? others : [others]
      const rival = list.find((other) => addressesOverlap(other.claim.on, claim.on))
      if (rival !== undefined) problems.push(...bothSides(holder, rival, reading))
      holders.set(claim.what, [...list, holder])
    }
  }
  return problems
}

interface Holder {
  readonly leaf: ReadLeaf
  readonly claim: Claim
}

function addressesOverlap(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined || a === b) return true
  if (a === '0.0.0.0') return !b.includes(':') || b === '::'
  if (b === '0.0.0.0') return !a.includes(':') || a === '::'
  return (a === '::' && b.includes(':')) || (b === '::' && a.includes(':'))
}

function placeWords({ file, line }: Place): string {
  return `${file}${line === null ? '' : `:${line}`}`
}

function bothSides(one: Holder, other: Holder, reading: Reading): Problem[] {
  const [here, there] = [one, other].map(({ leaf, claim }) => placeIn(leaf, claim.path(), 'value', reading))
  const told = (holder: Holder, place: Place | undefined, rival: Holder, away: Place | undefined): Problem[] => {
    if (place === undefined || away === undefined) return []
    const message = `${holder.claim.what} is taken by ${rival.leaf.name} too (${placeWords(away)})`
    const remedy = 'give one of them another'
    return [{ ...place, message, remedy, leaf: holder.leaf.name, severity: 'unreadable' }]
  }
  const first = told(one, here, other, there)
  return one.leaf === other.leaf ? first : [...first, ...told(other, there, one, here)]
}
