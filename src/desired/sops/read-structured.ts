// The tree of a YAML or JSON file, in the order it was written, with `sops` taken out. Pure; never throws.

import { isAlias, isMap, isScalar, isSeq, parseAllDocuments, type Document, type Node } from 'yaml'

import { createCollector, type Collector } from './collect.ts'
import type { SopsFault, SopsNode, SopsValue } from './sops-file.ts'

/** How deep a file may nest. */
const DEPTH = 64

export interface Structured {
  readonly root: SopsNode
  readonly values: readonly SopsValue[]
  /** What stands under `sops`, as plain data; null where the file has no such key. */
  readonly metadata: unknown
}

/** `json`: numbers count as floating-point ones, as SOPS reads them. */
export function readStructured(text: string, json: boolean): Structured | SopsFault {
  const documents = parsed(json ? withoutTabs(text) : text)
  if ('remedy' in documents) return documents
  const [document] = documents
  if (document === undefined || documents.length !== 1) {
    return { message: 'it holds more than one YAML document', remedy: 'split it into files of one document each' }
  }
  const fault = document.errors[0]
  if (fault !== undefined) {
    const line = fault.linePos?.[0].line
    const where = line === undefined ? '' : ` (line ${line})`
    return { message: `it cannot be read as ${json ? 'JSON' : 'YAML'}${where}`, remedy: 'write it with sops' }
  }
  if (!isMap(document.contents)) return { message: 'it is no mapping', remedy: 'write it with sops, as a mapping' }
  const collector = createCollector()
  const entries: [string, SopsNode][] = []
  let metadata: unknown = null
  for (const { key, value } of document.contents.items) {
    const name = keyText(key)
    if (name === null) return strangeKey([])
    if (name === 'sops') {
      metadata = plainData(value, document)
      continue
    }
    const node = nodeOf(value, [name], collector, json, 1)
    if ('remedy' in node) return node
    entries.push([name, node])
  }
  return { root: { kind: 'mapping', entries }, values: collector.values, metadata }
}

/** YAML, a superset of JSON, takes no tab for indentation; between the tokens of JSON a space means the same. */
function withoutTabs(text: string): string {
  return text.replace(/^\t+/gm, (tabs) => ' '.repeat(tabs.length))
}

function parsed(text: string): Document.Parsed[] | SopsFault {
  try {
    const result = parseAllDocuments(text, { intAsBigInt: true, version: '1.2', stringKeys: false, logLevel: 'silent' })
    return Array.isArray(result) ? result : []
  } catch {
    return { message: 'it cannot be read as YAML', remedy: 'write it with sops' }
  }
}

function nodeOf(
  node: unknown,
  path: readonly string[],
  collector: Collector,
  json: boolean,
  depth: number,
): SopsNode | SopsFault {
  if (depth > DEPTH) return { message: `it nests deeper than ${DEPTH} levels`, remedy: 'make it flatter' }
  if (isAlias(node)) return { message: `${path.join('.')} is an alias`, remedy: 'write the value itself' }
  if (isMap(node)) {
    const entries: [string, SopsNode][] = []
    for (const { key, value } of node.items) {
      const name = keyText(key)
      if (name === null) return strangeKey(path)
      const inner = nodeOf(value, [...path, name], collector, json, depth + 1)
      if ('remedy' in inner) return inner
      entries.push([name, inner])
    }
    return { kind: 'mapping', entries }
  }
  if (isSeq(node)) {
    const items: SopsNode[] = []
    for (const item of node.items) {
      const inner = nodeOf(item, path, collector, json, depth + 1)
      if ('remedy' in inner) return inner
      items.push(inner)
    }
    return { kind: 'list', items }
  }
  const value: unknown = isScalar(node) ? node.value : null
  return collector.add(path, scalarOf(value, json))
}

function scalarOf(value: unknown, json: boolean): SopsValue['scalar'] {
  if (typeof value === 'bigint') return json ? Number(value) : value
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
}

function keyText(key: unknown): string | null {
  const value: unknown = isScalar(key) ? key.value : key
  return typeof value === 'string' ? value : null
}

function strangeKey(path: readonly string[]): SopsFault {
  const where = path.length === 0 ? '' : ` below ${path.join('.')}`
  return { message: `a key${where} is no text`, remedy: 'write keys as texts, as SOPS asks for' }
}

function plainData(value: unknown, document: Document): unknown {
  try {
    return value === null ? null : (value as Node).toJS(document, { maxAliasCount: 0 })
  } catch {
    return null
  }
}
