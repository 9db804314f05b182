// Where in a YAML text a value is cut out and put in. Nothing is checked here: whoever calls reads the result again. Pure.

import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml'
import type { Parsed, ValuePath } from './yaml-document.ts'
import { isMergeKey, keyText } from './yaml-value.ts'

/** The text with `form` where the node is written. */
export function replaceNode(text: string, node: Node, form: string): string {
  const [start, end] = node.range ?? [0, 0, 0]
  const head = text.slice(0, start)
  if (start === end) {
    // `key:` alone: its place is behind the spaces, and a comment may follow.
    const before = /[\s[{]$/.test(head) ? '' : ' '
    const behind = /^(?:$|[\s,}\]])/.test(text.slice(start)) ? '' : ' '
    return `${head}${before}${form}${behind}${text.slice(start)}`
  }
  const isBlock = isScalar(node) && (node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED')
  if (!isBlock) return `${head}${form}${text.slice(end)}`
  const written = text.slice(start, end)
  const comment = /^[|>][-+0-9]*(?<comment>[^\n]*)/.exec(written)?.groups?.['comment'] ?? ''
  const lines = /\s*$/.exec(written)?.[0] ?? ''
  return `${head}${form}${comment.trimEnd()}${lines}${text.slice(end)}`
}

/**
 * The text with the key at the end of `path`, and the mappings on the way to it, in the deepest mapping that is written
 * already; null where there is none.
 */
export function addKey(parsed: Parsed, path: ValuePath, form: string): string | null {
  const { text, root } = parsed
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  if (root === null || isNothing(root)) {
    const head = text === '' || text.endsWith('\n') ? text : `${text}${eol}`
    return `${head}${blockLines(path, form, '', eol)}${eol}`
  }
  let map: Node = root
  let depth = 0
  for (; depth < path.length - 1; depth++) {
    const step = path[depth]
    const inner: unknown = isMap(map) ? pairOf(map, step)?.value : isSeq(map) ? map.items[Number(step)] : null
    if (!isMap(inner) && !isSeq(inner)) break
    map = inner
  }
  if (!isMap(map)) return null
  const rest = path.slice(depth)
  // A mapping that is announced and empty (`ingress:`) takes the place of nothing.
  const announced = pairOf(map, rest[0])
  if (announced !== undefined) return rest.length > 1 ? fillAnnounced(parsed, announced, rest, form, eol) : null
  return map.flow === true ? addToFlow(text, map, rest, form) : addToBlock(parsed, map, rest, form, eol)
}

/** Keys that people write first, in their order. */
const FIRST = ['name', 'format', 'prefix', 'kind', 'description', 'version', 'generation', 'image']

/** The pair behind which a key belongs; null: before all of them. */
function pairBefore(map: YAMLMap, key: string): Pair | null {
  const rank = FIRST.indexOf(key)
  if (rank < 0) return map.items.at(-1) ?? null
  return map.items.findLast((pair) => FIRST.slice(0, rank).includes(keyText(pair.key) ?? '')) ?? null
}

function addToBlock(parsed: Parsed, map: YAMLMap, path: ValuePath, form: string, eol: string): string | null {
  const { text } = parsed
  const first = startOf(map.items[0]?.key)
  if (first === null) return null
  const indent = ' '.repeat(columnOf(parsed, first))
  const lines = blockLines(path, form, indent, eol)
  const before = pairBefore(map, String(path[0]))
  if (before === null) return `${text.slice(0, first)}${lines}${eol}${indent}${text.slice(first)}`
  const end = endOf(before)
  if (end === null) return null
  const at = lineAfter(text, end)
  const head = text.slice(0, at)
  const gap = head === '' || head.endsWith('\n') ? '' : eol
  return `${head}${gap}${indent}${lines}${eol}${text.slice(at)}`
}

function addToFlow(text: string, map: YAMLMap, path: ValuePath, form: string): string | null {
  const written = flowText(path, form)
  const before = pairBefore(map, String(path[0]))
  if (before !== null) {
    const end = endOf(before)
    return end === null ? null : `${text.slice(0, end)}, ${written}${text.slice(end)}`
  }
  const start = startOf(map.items[0]?.key) ?? (map.range?.[0] ?? 0) + 1
  return `${text.slice(0, start)}${written}${map.items.length > 0 ? ', ' : ''}${text.slice(start)}`
}

function fillAnnounced(parsed: Parsed, pair: Pair, path: ValuePath, form: string, eol: string): string | null {
  const { text } = parsed
  const key = startOf(pair.key)
  if (key === null || !isScalar(pair.value) || !isNothing(pair.value) || pair.value.source !== '') return null
  const indent = ' '.repeat(columnOf(parsed, key) + 2)
  const at = lineAfter(text, endOf(pair) ?? key)
  const head = text.slice(0, at)
  const gap = head.endsWith('\n') ? '' : eol
  return `${head}${gap}${indent}${blockLines(path.slice(1), form, indent, eol)}${eol}${text.slice(at)}`
}

/** `a:` and below it `b: form`; the first line without its indentation. */
function blockLines(path: ValuePath, form: string, indent: string, eol: string): string {
  return path
    .map((key, depth) => {
      const own = depth === 0 ? '' : indent + '  '.repeat(depth)
      return `${own}${keyForm(key)}:${depth === path.length - 1 ? ` ${form}` : ''}`
    })
    .join(eol)
}

function flowText(path: ValuePath, form: string): string {
  const [key, ...deeper] = path
  return `${keyForm(key ?? '')}: ${deeper.length === 0 ? form : `{${flowText(deeper, form)}}`}`
}

function keyForm(key: string | number): string {
  const text = String(key)
  return /^[A-Za-z_][\w.-]*$/.test(text) ? text : JSON.stringify(text)
}

function pairOf(map: YAMLMap, key: string | number | undefined): Pair | undefined {
  return map.items.find((pair) => !isMergeKey(pair.key) && keyText(pair.key) === String(key))
}

function isNothing(node: Node): boolean {
  return isScalar(node) && node.value === null
}

function startOf(node: unknown): number | null {
  return isScalar(node) ? (node.range?.[0] ?? null) : null
}

/** Where what a pair says ends: behind its last value, before a comment. */
function endOf({ key, value }: Pair): number | null {
  if ((isMap(value) || isSeq(value)) && value.flow !== true) {
    const last: unknown = value.items.at(-1)
    if (isMap(value)) return last === undefined ? (value.range?.[1] ?? null) : endOf(last as Pair)
    return last === undefined ? (value.range?.[1] ?? null) : endOf({ key, value: last } as Pair)
  }
  const node = isScalar(value) || isAlias(value) || isMap(value) || isSeq(value) ? value : key
  return isScalar(node) || isAlias(node) || isMap(node) || isSeq(node) ? (node.range?.[1] ?? null) : null
}

/** The start of the next line; of this one where `offset` is a line's start already. */
function lineAfter(text: string, offset: number): number {
  if (text[offset - 1] === '\n') return offset
  const newline = text.indexOf('\n', offset)
  return newline < 0 ? text.length : newline + 1
}

/** Columns before `offset` in its line. */
function columnOf({ text }: Parsed, offset: number): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1)
}
