// What differs between two commits as generations and fields: what their containers would be, not how their files are
// written. Pure.

import type { ContainerSet, Leaf, Tree } from '../desired/tree.ts'
import { withoutSecrets } from './compare.ts'
import { gainsOf } from './gains.ts'
import { changesBetween } from './offline.ts'
import type { FieldChange } from './verdict.ts'

export interface LeafDifference {
  readonly leaf: string
  /** Path of its set; of a leaf that went, where it was. */
  readonly set: string
  readonly how: 'added' | 'removed' | 'changed'
  readonly from: number | null
  readonly to: number | null
  /** Its name before, where it was renamed; else null. */
  readonly formerly: string | null
  /** Fields of its spec, and of what needs no generation (`update.drain`, `depends_on`); none for one that came or went. */
  readonly changes: readonly FieldChange[]
  /** What it may do that it could not before. */
  readonly gains: readonly string[]
}

export interface TreeDifference {
  readonly deployment: string
  /** In the order of the paths, then those that are gone. */
  readonly leaves: readonly LeafDifference[]
  /** Of sets: `depends_on`, `together`, `state` …; field names begin with the set's path. */
  readonly sets: readonly FieldChange[]
  /** Of the deployment itself: `prefix`, networks, volumes, the ingress's timeouts. */
  readonly rest: readonly FieldChange[]
}

/** `only`: the leaves and sets that count. */
export function differenceBetween(
  before: Tree,
  after: Tree,
  only: { readonly leaf: (leaf: Leaf) => boolean; readonly set: (path: string) => boolean },
): TreeDifference {
  const leaves: LeafDifference[] = []
  const taken = new Set<string>()
  for (const leaf of after.leaves.values()) {
    const old = predecessor(leaf, before, after)
    if (old !== null) taken.add(old.name)
    if (!only.leaf(leaf) && (old === null || !only.leaf(old))) continue
    const difference = old === null ? added(leaf) : changed({ leaf: old, tree: before }, { leaf, tree: after })
    if (difference !== null) leaves.push(difference)
  }
  for (const leaf of before.leaves.values()) {
    if (taken.has(leaf.name) || after.leaves.has(leaf.name) || !only.leaf(leaf)) continue
    leaves.push({ ...base(leaf), how: 'removed', from: leaf.generation, to: null })
  }
  const setsBefore = setFields(before.root, only.set)
  const setsAfter = setFields(after.root, only.set)
  const root = only.set('')
  return {
    deployment: after.name,
    leaves,
    sets: fieldChanges(setsBefore, setsAfter),
    rest: root ? fieldChanges(deploymentFields(before), deploymentFields(after)) : [],
  }
}

export function isEmptyDifference({ leaves, sets, rest }: TreeDifference): boolean {
  return leaves.length + sets.length + rest.length === 0
}

function predecessor(leaf: Leaf, before: Tree, after: Tree): Leaf | null {
  const same = before.leaves.get(leaf.name)
  if (same !== undefined) return same
  if (leaf.renamed_from === null || after.leaves.has(leaf.renamed_from)) return null
  return before.leaves.get(leaf.renamed_from) ?? null
}

function base({ name, set }: Leaf): Pick<LeafDifference, 'leaf' | 'set' | 'formerly' | 'changes' | 'gains'> {
  return { leaf: name, set, formerly: null, changes: [], gains: [] }
}

function added(leaf: Leaf): LeafDifference {
  return { ...base(leaf), how: 'added', from: null, to: leaf.generation }
}

/** Null where nothing differs. */
function changed(
  before: { readonly leaf: Leaf; readonly tree: Tree },
  after: { readonly leaf: Leaf; readonly tree: Tree },
): LeafDifference | null {
  const { leaf: old } = before
  const { leaf } = after
  if (old === leaf) return null
  const spec = changesBetween(before, after)
  const changes = [...spec, ...fieldChanges(settingFields(old), settingFields(leaf))]
  const formerly = old.name === leaf.name ? null : old.name
  if (changes.length === 0 && old.generation === leaf.generation && formerly === null) return null
  return {
    ...base(leaf),
    how: 'changed',
    from: old.generation,
    to: leaf.generation,
    formerly,
    changes,
    gains: gainsOf(spec),
  }
}

type Fields = ReadonlyMap<string, string>

function fieldChanges(before: Fields, after: Fields): FieldChange[] {
  const changes: FieldChange[] = []
  for (const field of new Set([...before.keys(), ...after.keys()])) {
    const change = { field, from: before.get(field) ?? null, to: after.get(field) ?? null }
    if (change.from !== change.to) changes.push(withoutSecrets(change))
  }
  return changes.toSorted((a, b) => (a.field < b.field ? -1 : 1))
}

/** What of a leaf is not part of its spec, under the names of its keys. */
function settingFields(leaf: Leaf): Fields {
  const fields = new Map<string, string>()
  fields.set('set', leaf.set === '' ? 'the root' : leaf.set)
  fields.set('kind', leaf.kind)
  fields.set('pull_policy', leaf.pull_policy)
  fields.set('on_unhealthy', leaf.on_unhealthy)
  fields.set('prune', String(leaf.prune))
  flatten(fields, 'update', leaf.update)
  if (leaf.probe !== null) flatten(fields, 'healthcheck', leaf.probe)
  for (const [name, { condition, restart }] of leaf.dependencies) {
    fields.set(`depends_on.${name}`, restart ? `${condition}, restart` : condition)
  }
  return fields
}

function setFields(set: ContainerSet, only: (path: string) => boolean, fields = new Map<string, string>()): Fields {
  const { path } = set
  if (only(path)) {
    const put = (key: string, value: string): void => void fields.set(path === '' ? key : `${path}: ${key}`, value)
    if (set.description !== '') put('description', set.description)
    if (set.depends_on.length > 0) put('depends_on', set.depends_on.join(', '))
    if (set.together) put('update.together', 'true')
    if (set.state === 'stopped') put('state', 'stopped')
    if (set.suspend) put('suspend', 'true')
  }
  for (const inner of set.sets) setFields(inner, only, fields)
  return fields
}

function deploymentFields(tree: Tree): Fields {
  const fields = new Map<string, string>()
  fields.set('name', tree.name)
  if (tree.prefix !== '') fields.set('prefix', tree.prefix)
  if (tree.removal_limit !== null) fields.set('removal_limit', String(tree.removal_limit))
  for (const { key, name, external, options } of tree.networks.values()) {
    flatten(fields, `networks.${key}`, { name, external, ...options })
  }
  for (const { key, name, external, options } of tree.volumes.values()) {
    flatten(fields, `volumes.${key}`, { name, external, ...options })
  }
  if (tree.ingress !== null) {
    const { checkPort, ipv6, timeouts } = tree.ingress
    flatten(fields, 'ingress', { check_port: checkPort, ipv6, timeouts })
  }
  return fields
}

/** Keys whose numbers are milliseconds. */
const SPANS = /\.(deadline|settle|drain|interval|timeout|start_period|timeouts\.\w+)$/

/** Plain data as one field for each value; what is absent, empty, null or false is not there. */
function flatten(fields: Map<string, string>, path: string, value: unknown): void {
  if (value === null || value === undefined || value === '' || value === false) return
  if (typeof value === 'number' && SPANS.test(path)) {
    fields.set(path, value % 1000 === 0 ? `${value / 1000}s` : `${value}ms`)
    return
  }
  if (typeof value !== 'object') {
    fields.set(path, String(value))
    return
  }
  if (Array.isArray(value)) {
    if (value.length > 0) fields.set(path, value.map((item) => textOf(item)).join(', '))
    return
  }
  for (const [key, inner] of Object.entries(value)) flatten(fields, `${path}.${key}`, inner)
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
