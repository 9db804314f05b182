// From a parsed YAML node to a plain value, under limits: aliases and merge keys are followed, keys are unique texts,
// and nothing that YAML allows but a deployment never needs gets through. Pure.

import { isAlias, isMap, isScalar, isSeq } from 'yaml'
import type { Node, Pair, Scalar, YAMLMap } from 'yaml'
import { orRaise } from '../repository/limits.ts'
import type { ReadLimits } from './read-limits.ts'

/** A value that graft does not take, and where it stands. */
export interface NodeFault {
  readonly node: Node | null
  readonly message: string
  readonly remedy: string
}

/** Thrown inside this file to leave a document that cannot be expanded at all. */
class Unexpandable {
  readonly fault: NodeFault
  constructor(fault: NodeFault) {
    this.fault = fault
  }
}

export function valueOf(root: Node | null, limits: ReadLimits): { value: unknown; faults: NodeFault[] } {
  const state: State = { limits, faults: [], anchors: new Map(), open: new Set(), aliases: 0, nodes: 0, inAlias: 0 }
  try {
    return { value: convert(root, 0, state), faults: state.faults }
  } catch (error) {
    if (error instanceof Unexpandable) return { value: null, faults: [...state.faults, error.fault] }
    throw error
  }
}

interface State {
  readonly limits: ReadLimits
  readonly faults: NodeFault[]
  /** The latest node with each anchor, in the order of the document. */
  readonly anchors: Map<string, Node>
  /** Nodes that are being converted, to find one that contains itself. */
  readonly open: Set<Node>
  aliases: number
  nodes: number
  /** How many aliases deep the walk is; anchors seen there were already noted. */
  inAlias: number
}

function convert(node: Node | null, depth: number, state: State): unknown {
  if (node === null) return null
  const { yamlValues, yamlDepth } = state.limits
  if (++state.nodes > yamlValues) {
    throw new Unexpandable({
      node,
      message: `this file holds more than ${yamlValues} values once its aliases are followed`,
      remedy: `make the file smaller, and write what the aliases repeat once, ${orRaise('yaml_values')}`,
    })
  }
  if (depth > yamlDepth) {
    throw new Unexpandable({
      node,
      message: `values are nested more than ${yamlDepth} deep`,
      remedy: `nothing in a deployment nests that deep; look for brackets that do not belong, ${orRaise('yaml_depth')}`,
    })
  }
  if (isAlias(node)) return follow(node, state, (target) => convert(target, depth, state))
  if ('anchor' in node && node.anchor !== undefined && state.inAlias === 0) state.anchors.set(node.anchor, node)
  checkTag(node, state)
  if (isScalar(node)) return scalarValue(node)
  state.open.add(node)
  try {
    if (isSeq(node)) return node.items.map((item) => convert(item as Node | null, depth + 1, state))
    if (isMap(node)) return convertMap(node, depth, state)
    return null
  } finally {
    state.open.delete(node)
  }
}

function follow<T>(alias: Node & { source: string }, state: State, use: (target: Node) => T): T {
  const { yamlAliases } = state.limits
  if (++state.aliases > yamlAliases) {
    throw new Unexpandable({
      node: alias,
      message: `this file follows more than ${yamlAliases} aliases`,
      remedy: `write what the aliases repeat in the defaults of set.yaml, ${orRaise('yaml_aliases')}`,
    })
  }
  const target = state.anchors.get(alias.source)
  if (target === undefined || state.open.has(target)) {
    throw new Unexpandable({
      node: alias,
      message: target === undefined ? `nothing above is named &${alias.source}` : `&${alias.source} contains itself`,
      remedy: 'an alias repeats a complete value that stands above it',
    })
  }
  state.inAlias++
  try {
    return use(target)
  } finally {
    state.inAlias--
  }
}

/** Own keys win over merged ones, and of several merged maps the first wins (YAML merge key, 1.1). */
function convertMap(map: YAMLMap, depth: number, state: State): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  const merged: Record<string, unknown>[] = []
  const seen = new Set<string>()
  for (const pair of map.items as Pair<Node | null, Node | null>[]) {
    if (isMergeKey(pair.key)) {
      collectMerged(pair.value, depth, state, merged)
      continue
    }
    const key = keyText(pair.key)
    const value = convert(pair.value, depth + 1, state)
    if (key === null || key === '__proto__') {
      state.faults.push({
        node: pair.key ?? map,
        message: key === null ? 'a key must be a plain text' : 'a key may not be named __proto__',
        remedy: key === null ? 'write `key: value`' : 'give it another name',
      })
    } else if (seen.has(key)) {
      state.faults.push({
        node: pair.key,
        message: `${key} is here twice in one mapping`,
        remedy: 'keep one of the two',
      })
    } else {
      seen.add(key)
      result[key] = value
    }
  }
  for (const source of merged) {
    for (const [key, value] of Object.entries(source)) if (!Object.hasOwn(result, key)) result[key] = value
  }
  return result
}

function collectMerged(node: Node | null, depth: number, state: State, into: Record<string, unknown>[]): void {
  const value = convert(node, depth + 1, state)
  for (const item of Array.isArray(value) ? value : [value]) {
    if (item !== null && typeof item === 'object' && !Array.isArray(item)) into.push(item as Record<string, unknown>)
    else {
      state.faults.push({
        node,
        message: '<< merges mappings, and this is none',
        remedy: 'write `<<: *name` with the anchor of a mapping, or a list of such aliases',
      })
    }
  }
}

/** Whether a key is YAML's merge key: the plain text `<<`. */
export function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.value === '<<' && key.type === 'PLAIN'
}

/** The text of a key as it was written; null for a key that is no text, number or word. */
export function keyText(key: unknown): string | null {
  if (!isScalar(key) || key.value === null) return null
  return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value))
}

/**
 * A number keeps its digits as a text where reading it as a number would lose some: `2025.10`, `0440`, `1e400`.
 * Whoever wants a number reads the text; whoever wants a version or a mode gets what was written.
 */
function scalarValue(node: Scalar): unknown {
  const { value, source } = node
  if (typeof value !== 'number') return value
  if (source === undefined || String(value) === source || /^[-+]?0[xo]/.test(source)) return value
  return source
}

function checkTag(node: Node, state: State): void {
  const tag = node.tag
  if (tag === undefined || /^(tag:yaml\.org,2002:(str|int|float|bool|null|map|seq)|!)$/.test(tag)) return
  state.faults.push({
    node,
    message: `the tag ${tag} has no meaning here`,
    remedy: 'take the tag away',
  })
}
