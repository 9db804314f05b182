// One YAML file of a snapshot: read once into a plain value with every problem it has, and read again, only when a
// problem needs it, to find the line and column of a value. Pure.

import { LineCounter, isAlias, isMap, isNode, isScalar, isSeq, parseAllDocuments } from 'yaml'
import type { Document, Node } from 'yaml'
import type { SnapshotEntry } from '../repository/snapshot.ts'
import { textOf } from './entry-text.ts'
import type { Problem } from './problem.ts'
import { DEFAULT_READ_LIMITS, LARGEST_READ_LIMITS, type ReadLimits } from './read-limits.ts'
import { isMergeKey, keyText, valueOf } from './yaml-value.ts'
import { plainWords } from './yaml-words.ts'

export interface YamlDocument {
  readonly entry: SnapshotEntry
  /** The value; null where the file is empty or does not read. */
  readonly value: unknown
  /** Empty exactly when the file reads. */
  readonly problems: readonly Problem[]
  /** Where `generation:` stands at the top level; null where it does not. */
  readonly generation: { readonly line: number; readonly digestComment: string | null } | null
}

export interface Place {
  readonly file: string
  readonly line: number | null
  readonly column: number | null
  readonly text: string | null
}

export type ValuePath = readonly (string | number)[]

/** Reads one file. Never throws for what stands in it. */
export function readYaml(entry: SnapshotEntry, limits: ReadLimits = DEFAULT_READ_LIMITS): YamlDocument {
  const bytes = textOf(entry, limits.yamlBytes, 'yaml_size')
  if (bytes.text === null) return { entry, value: null, problems: [bytes.problem], generation: null }
  const parsed = parse(bytes.text)
  if (parsed === null) {
    const message = 'values are nested too deep to be read'
    const remedy = 'nothing in a deployment nests that deep; look for brackets that do not belong'
    return { entry, value: null, problems: [wholeFile(entry, message, remedy)], generation: null }
  }
  const problems = syntaxProblems(entry, parsed)
  if (problems.length > 0) return { entry, value: null, problems, generation: null }
  const { value, faults } = valueOf(parsed.root, limits)
  for (const fault of faults) {
    const place = placeOfNode(entry, parsed, fault.node)
    problems.push({ ...place, message: fault.message, remedy: fault.remedy, leaf: null, severity: 'unreadable' })
  }
  return { entry, value, problems, generation: generationOf(parsed) }
}

/**
 * Line and column of the value (or its key) at `path`; of the nearest value around it where the path leads nowhere,
 * because what is missing has no place of its own.
 */
export type Locate = (entry: SnapshotEntry, path: ValuePath, at: 'key' | 'value') => Place

/** A Locate that parses each file at most once; keep it no longer than one reading, for it keeps what it parsed. */
export function createLocate(): Locate {
  const files = new Map<SnapshotEntry, Parsed | null>()
  return (entry, path, at) => {
    let parsed = files.get(entry)
    if (parsed === undefined) {
      // Whoever asks for a place has read the file within its limits.
      const { text } = textOf(entry, LARGEST_READ_LIMITS.yamlBytes)
      parsed = text === null ? null : parse(text)
      files.set(entry, parsed)
    }
    return placeOf(entry, parsed, path, at)
  }
}

function placeOf(entry: SnapshotEntry, parsed: Parsed | null, path: ValuePath, at: 'key' | 'value'): Place {
  if (parsed === null) return { file: entry.path, line: null, column: null, text: null }
  let node = parsed.root
  let shown: Node | null = null
  for (const [depth, step] of path.entries()) {
    const found = child(parsed, node, step)
    if (found === null) break
    const last = depth === path.length - 1
    shown = last && at === 'key' ? (found.key ?? found.value) : isWritten(found.value) ? found.value : found.key
    node = found.value
  }
  return placeOfNode(entry, parsed, shown)
}

export function wholeFile(entry: { path: string }, message: string, remedy: string): Problem {
  const nowhere = { line: null, column: null, text: null, leaf: null }
  return { file: entry.path, ...nowhere, message, remedy, severity: 'unreadable' }
}

/** A text as nodes; offsets count UTF-16 units of `text`. */
export interface Parsed {
  readonly text: string
  readonly documents: readonly Document.Parsed[]
  readonly root: Node | null
  readonly lines: LineCounter
}

/** As YAML 1.2 with its core schema; null where the nesting exhausts the stack. Errors are in the documents. */
export function parse(text: string): Parsed | null {
  const lines = new LineCounter()
  // A hostile file can have a hundred thousand mistakes, and nobody asks where in graft each was found.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    // Unique keys are checked in yaml-value.ts, in linear time.
    const options = { lineCounter: lines, uniqueKeys: false, prettyErrors: false, logLevel: 'silent' } as const
    const all = parseAllDocuments(text, { ...options, version: '1.2', schema: 'core' })
    const documents: readonly Document.Parsed[] = Array.isArray(all) ? all : []
    return { text, documents, root: documents[0]?.contents ?? null, lines }
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

function syntaxProblems(entry: SnapshotEntry, parsed: Parsed): Problem[] {
  const at = (offset: number, message: string, remedy: string): Problem => ({
    ...placeAt(entry, parsed, offset, null),
    message,
    remedy,
    leaf: null,
    severity: 'unreadable',
  })
  const [first, second] = parsed.documents
  // One error makes the parser stumble over what follows, so only the first is told.
  const error = first?.errors[0] ?? first?.warnings.find((warning) => warning.code !== 'TAG_RESOLVE_FAILED')
  if (error !== undefined) {
    const words = plainWords(error)
    return [at(error.pos[0], words.message, words.remedy)]
  }
  if (second !== undefined) {
    const remedy = 'a file is one leaf or one set: keep one document, and take the --- away'
    return [at(second.range[0], 'this file holds more than one YAML document', remedy)]
  }
  if (first?.directives.yaml.explicit === true && first.directives.yaml.version !== '1.2') {
    return [at(0, `graft reads YAML 1.2, not ${first.directives.yaml.version}`, 'take the %YAML line away')]
  }
  return []
}

interface Child {
  readonly key: Node | null
  readonly value: Node | null
}

function child(parsed: Parsed, parent: Node | null, step: string | number): Child | null {
  const node = resolved(parsed, parent)
  if (isSeq(node)) {
    const item = node.items[Number(step)]
    return isNode(item) ? { key: null, value: item } : null
  }
  if (!isMap(node)) return null
  for (const pair of node.items) {
    if (keyText(pair.key) === String(step)) return { key: nodeOrNull(pair.key), value: nodeOrNull(pair.value) }
  }
  for (const pair of node.items) {
    if (!isMergeKey(pair.key)) continue
    const source = resolved(parsed, nodeOrNull(pair.value))
    for (const item of isSeq(source) ? source.items : [source]) {
      const found = child(parsed, nodeOrNull(item), step)
      if (found !== null) return found
    }
  }
  return null
}

function resolved(parsed: Parsed, node: Node | null): Node | null {
  const document = parsed.documents[0]
  return isAlias(node) && document !== undefined ? (node.resolve(document) ?? null) : node
}

function nodeOrNull(node: unknown): Node | null {
  return isNode(node) ? node : null
}

/** Whether anything stands there; `key:` alone has an empty node. */
function isWritten(node: Node | null): node is Node {
  return node?.range != null && node.range[1] > node.range[0]
}

/** Where a generation stands further inside a file; null where it does not. Parses the file again. */
export function generationAt(entry: SnapshotEntry, path: ValuePath): YamlDocument['generation'] {
  const { text } = textOf(entry, LARGEST_READ_LIMITS.yamlBytes)
  const parsed = text === null ? null : parse(text)
  return parsed === null ? null : generationOf(parsed, path)
}

function generationOf(parsed: Parsed, path: ValuePath = ['generation']): YamlDocument['generation'] {
  let found: Child | null = null
  for (const step of path) found = child(parsed, found === null ? parsed.root : found.value, step)
  const range = found?.value?.range ?? found?.key?.range
  if (range == null) return null
  const rest = parsed.text.slice(range[1], lineEnd(parsed.text, range[1]))
  const comment = isScalar(found?.value) ? (/^(?:[\s,}]*\s)#\s*([0-9a-f]{6,64})\s*$/.exec(rest)?.[1] ?? null) : null
  return { line: parsed.lines.linePos(range[0]).line, digestComment: comment }
}

function placeOfNode(entry: SnapshotEntry, parsed: Parsed, node: Node | null): Place {
  const range = node?.range
  if (range == null) return { file: entry.path, line: null, column: null, text: null }
  return placeAt(entry, parsed, range[0], range[1])
}

function placeAt(entry: SnapshotEntry, parsed: Parsed, start: number, end: number | null): Place {
  const { line, col } = parsed.lines.linePos(Math.min(start, parsed.text.length))
  const stop = Math.min(end ?? Infinity, lineEnd(parsed.text, start))
  const text = parsed.text.slice(start, stop).trimEnd().slice(0, 80)
  return {
    file: entry.path,
    line: line === 0 ? 1 : line,
    column: line === 0 ? 1 : col,
    text: text === '' ? null : text,
  }
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end < 0 ? text.length : end
}
