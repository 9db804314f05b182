// What the names in `depends_on` and `service:NAME` mean: siblings first, then, for a leaf, any leaf of the deployment. Pure.

import { nearest } from './nearest.ts'
import type { Problem } from './problem.ts'
import { placeIn } from './read-leaf.ts'
import type { ReadLeaf } from './read-leaf.ts'
import type { Reading } from './set-context.ts'
import type { SetNode, SetTree } from './set-tree.ts'
import type { Dependency } from './tree.ts'
import type { Place } from './yaml-document.ts'

/** Keys that may join another leaf's namespace as `service:NAME`. */
export const JOINING_KEYS = ['network_mode', 'ipc', 'pid'] as const

export type Target = { readonly set: SetNode } | { readonly leaf: ReadLeaf }

/** One name that a leaf or a set names, found. */
export interface Need {
  readonly name: string
  readonly target: Target
  /** As asked; of a set null, because sets ask for no condition. */
  readonly asked: Dependency | null
  /** Where it was asked, worked out only when somebody wants to know. */
  readonly place: (reading: Reading) => Place
}

export interface Needs {
  readonly ofLeaf: ReadonlyMap<ReadLeaf, readonly Need[]>
  readonly ofSet: ReadonlyMap<SetNode, readonly Need[]>
  readonly problems: readonly Problem[]
}

export function findNeeds(tree: SetTree, reading: Reading): Needs {
  const ofLeaf = new Map<ReadLeaf, Need[]>()
  const ofSet = new Map<SetNode, Need[]>()
  const problems: Problem[] = []
  for (const node of tree.nodes) {
    const names = node.context.parts?.depends_on ?? []
    if (names.length > 0) ofSet.set(node, needsOfSet(node, names, reading, problems))
  }
  for (const leaf of tree.list) {
    const { parts } = leaf
    if (parts === null) continue
    const joins = JOINING_KEYS.some((key) => parts.spec[key]?.startsWith('service:') === true)
    if (parts.depends_on.size === 0 && !joins) continue
    ofLeaf.set(leaf, needsOfLeaf(leaf, tree, reading, problems))
  }
  return { ofLeaf, ofSet, problems }
}

function needsOfSet(node: SetNode, names: readonly string[], reading: Reading, problems: Problem[]): Need[] {
  const needs: Need[] = []
  for (const [index, name] of names.entries()) {
    const place = (): Place => reading.locate(node.context.document.entry, ['depends_on', index], 'value')
    const siblings = node.parent === null ? [] : namesIn(node.parent).filter((other) => other !== node.name)
    const target = node.parent === null || name === node.name ? null : (node.parent.members.get(name) ?? null)
    if (target !== null) needs.push({ name, target, asked: null, place })
    else
      problems.push(unknown(place(), name, `beside ${node.path === '' ? 'the deployment' : node.path}`, siblings, null))
  }
  return needs
}

function needsOfLeaf(leaf: ReadLeaf, tree: SetTree, reading: Reading, problems: Problem[]): Need[] {
  const needs: Need[] = []
  const set = tree.byPath.get(leaf.set.path)
  const find = (name: string): Target | null => {
    const sibling = set?.members.get(name)
    if (sibling !== undefined) return sibling
    const elsewhere = tree.leaves.get(name)
    return elsewhere === undefined ? null : { leaf: elsewhere }
  }
  const candidates = (): string[] => [...(set === undefined ? [] : namesIn(set)), ...tree.leaves.keys()]
  for (const [name, asked] of leaf.parts?.depends_on ?? []) {
    const place = (now: Reading): Place => placeOfName(leaf, name, now)
    const target = find(name)
    if (target === null)
      problems.push(unknown(place(reading), name, 'in this set, and no leaf anywhere,', candidates(), leaf.name))
    else if ('leaf' in target && target.leaf === leaf) problems.push(itself(place(reading), leaf, 'depend on'))
    else needs.push({ name, target, asked, place })
  }
  for (const key of JOINING_KEYS) {
    const joined = leaf.parts?.spec[key]
    if (joined === undefined || !joined.startsWith('service:')) continue
    const name = joined.slice('service:'.length)
    const place = (now: Reading): Place => placeIn(leaf, [key], 'value', now)
    const target = tree.leaves.get(name)
    if (target === undefined)
      problems.push(unknown(place(reading), name, 'in the deployment', [...tree.leaves.keys()], leaf.name))
    else if (target === leaf) problems.push(itself(place(reading), leaf, 'join the namespace of'))
    else if (target.parts?.kind === 'job') {
      const remedy = 'join the namespace of a container that keeps running'
      problems.push({
        ...place(reading),
        message: `${name} is a job, whose namespace ends with it`,
        remedy,
        leaf: leaf.name,
        severity: 'unreadable',
      })
    } else needs.push({ name, target: { leaf: target }, asked: { condition: 'service_started', restart: true }, place })
  }
  return needs
}

function namesIn(set: SetNode): string[] {
  return [...set.members.keys()]
}

/** Where a name stands in either form of depends_on. */
function placeOfName(leaf: ReadLeaf, name: string, reading: Reading): Place {
  const written = leaf.merged?.value['depends_on']
  if (!Array.isArray(written)) return placeIn(leaf, ['depends_on', name], 'key', reading)
  return placeIn(leaf, ['depends_on', written.indexOf(name)], 'value', reading)
}

function unknown(
  place: Place,
  name: string,
  where: string,
  candidates: readonly string[],
  leaf: string | null,
): Problem {
  const close = nearest(name, candidates)
  const remedy = close === null ? 'name a set or a leaf that is there, or take the line away' : `did you mean ${close}?`
  return { ...place, message: `nothing ${where} is named ${name}`, remedy, leaf, severity: 'unreadable' }
}

function itself(place: Place, leaf: ReadLeaf, verb: string): Problem {
  const message = `${leaf.name} cannot ${verb} itself`
  return {
    ...place,
    message,
    remedy: 'name another leaf, or take the line away',
    leaf: leaf.name,
    severity: 'unreadable',
  }
}
