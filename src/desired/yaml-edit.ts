// Sets one value in a YAML text and nothing else: comments, layout, quotes and line ends stay as their author wrote them.
// Every result is read again before it is given, and means the wish and nothing more. Pure.

import { Lexer, isAlias, isMap, isScalar, isSeq, parseDocument, type Node, type Scalar } from 'yaml'
import { canonicalJson } from './ledger-digest.ts'
import { LARGEST_READ_LIMITS } from './read-limits.ts'
import { parse, type Parsed, type ValuePath } from './yaml-document.ts'
import { addKey, replaceNode } from './yaml-splice.ts'
import { isMergeKey, keyText, valueOf } from './yaml-value.ts'

export type YamlScalar = string | number | boolean

export interface YamlEditOptions {
  /**
   * What stands behind the value as a comment, without the `#`: written where nothing stands there and in place of a
   * digest (hex digits alone); a comment in words stays, and this one is left out. Null takes a digest away. Absent:
   * whatever stands there stays.
   */
  readonly comment?: string | null
}

/**
 * The text with `value` at `path` (keys, and places in lists that exist). The value takes the quotes of the one before
 * it; a missing key is added where people write it, with the indentation of its neighbours, and so are the mappings
 * around it. A text keeps being one (`1.0` becomes `"1.0"`), except where a number without quotes stood before: there
 * `2025.2` follows `2025.1`. Null where this cannot be done without changing what else the text means: it is no YAML, the
 * path leads through something that is no mapping, the value is shared by an alias.
 */
export function setInYaml(
  text: string,
  path: ValuePath,
  value: YamlScalar,
  options: YamlEditOptions = {},
): string | null {
  const mark = text.startsWith('\uFEFF') ? '\uFEFF' : ''
  const before = readBody(text.slice(mark.length))
  if (before === null || path.length === 0) return null
  const rest = without(before.value, path)
  if (rest === null) return null
  for (const attempt of attempts(before, path, value)) {
    const after = readBody(attempt)
    if (after === null || !says(after, before, path, value) || without(after.value, path) !== rest) continue
    return mark + (options.comment === undefined ? attempt : withComment(after, path, options.comment))
  }
  return null
}

/** The value at `path` as graft reads it; undefined where nothing stands there or the text is no YAML. */
export function valueInYaml(text: string, path: ValuePath): unknown {
  const body = readBody(text.replace(/^\uFEFF/, ''))
  return body === null ? undefined : valueAt(body.value, path)
}

interface Body {
  readonly parsed: Parsed
  readonly value: unknown
}

/** Null for what graft would not read either. */
function readBody(text: string): Body | null {
  const parsed = parse(text)
  if (parsed === null || parsed.documents.length > 1) return null
  if (parsed.documents.some(({ errors }) => errors.length > 0)) return null
  const { value, faults } = valueOf(parsed.root, LARGEST_READ_LIMITS)
  return faults.length > 0 ? null : { parsed, value }
}

/** Texts that may be the wish, the one that changes least first. */
function* attempts({ parsed, value: whole }: Body, path: ValuePath, value: YamlScalar): Generator<string> {
  const { text } = parsed
  const node = ownNode(parsed, path)
  const there = valueAt(whole, path)
  if (node !== null && there === value) yield text
  const forms = formsOf(value, isScalar(node) ? node : null)
  if (node !== null) for (const form of forms) yield replaceNode(text, node, form)
  else {
    for (const form of forms) {
      const added = addKey(parsed, path, form)
      if (added !== null) yield added
    }
  }
  const written = writeAnew(text, path, value)
  if (written !== null) yield written
}

/** How the value may be written, the author's way first. */
function formsOf(value: YamlScalar, before: Scalar | null): string[] {
  if (typeof value !== 'string') return [String(value)]
  const double = JSON.stringify(value)
  if (before?.type === 'QUOTE_DOUBLE') return [double]
  const single = /[\n\r\t]/.test(value) ? [] : [`'${value.replaceAll("'", "''")}'`]
  if (before?.type === 'QUOTE_SINGLE') return [...single, double]
  const plain = value === '' || /[\n\r]/.test(value) ? [] : [value]
  return [...plain, double]
}

/**
 * Whether the value is there now. A text is one for every reader of YAML, except where a number without quotes stood
 * before, because versions are written so.
 */
function says(after: Body, before: Body, path: ValuePath, value: YamlScalar): boolean {
  const read = valueAt(after.value, path)
  if (typeof value !== 'string') return read === value
  const [was, is] = [ownNode(before.parsed, path), ownNode(after.parsed, path)]
  if (isScalar(is) && typeof is.value === 'string') return read === value
  const areNumbers = [was, is].every((node) => isScalar(node) && typeof node.value === 'number')
  return areNumbers && String(read) === value
}

/** The node at `path` along mappings and lists that are written here: not through aliases or merged mappings. */
function ownNode({ root }: Parsed, path: ValuePath): Node | null {
  let node: Node | null = root
  for (const step of path) {
    let next: unknown = null
    if (isSeq(node)) next = node.items[Number(step)]
    else if (isMap(node)) {
      next = node.items.find(({ key }) => !isMergeKey(key) && keyText(key) === String(step))?.value
    }
    node = isScalar(next) || isMap(next) || isSeq(next) || isAlias(next) ? next : null
    if (node === null) return null
  }
  return node
}

function valueAt(value: unknown, path: ValuePath): unknown {
  let at = value
  for (const step of path) {
    if (at === null || typeof at !== 'object' || !Object.hasOwn(at, String(step))) return undefined
    at = (at as Record<string, unknown>)[String(step)]
  }
  return at
}

/**
 * Everything but the value at `path`, as one text; mappings on the way count as there. Null where something else than a
 * mapping or a list is in the way.
 */
function without(value: unknown, path: ValuePath): string | null {
  const [step, ...deeper] = path
  if (step === undefined) return ''
  if (Array.isArray(value)) {
    const inner = Number(step) in value ? without(value[Number(step)], deeper) : null
    return inner === null ? null : canonicalJson(value.with(Number(step), inner))
  }
  if (value != null && typeof value !== 'object') return null
  const mapping = (value ?? {}) as Record<string, unknown>
  const inner = without(Object.hasOwn(mapping, String(step)) ? mapping[String(step)] : null, deeper)
  return inner === null ? null : canonicalJson({ ...mapping, [String(step)]: inner })
}

/** By the writer of YAML, at the price of some layout; null where it would lose a comment. */
function writeAnew(text: string, path: ValuePath, value: YamlScalar): string | null {
  try {
    const document = parseDocument(text, { version: '1.2', schema: 'core', uniqueKeys: false, logLevel: 'silent' })
    document.setIn(path, value)
    const written = document.toString({ lineWidth: 0, flowCollectionPadding: false })
    if (commentsIn(written).join('\n') !== commentsIn(text).join('\n')) return null
    return text.includes('\r\n') ? written.replaceAll('\n', '\r\n') : written
  } catch {
    return null
  }
}

/** Every comment of a text, in order, without the spaces at its end. */
export function commentsIn(text: string): string[] {
  const comments: string[] = []
  let isContent = false
  for (const lexeme of new Lexer().lex(text)) {
    // The lexer says by this sign that the next lexeme is a scalar, whatever it begins with.
    if (!isContent && lexeme.startsWith('#')) comments.push(lexeme.trimEnd())
    isContent = lexeme === '\u001f'
  }
  return comments
}

/** A digest as the reader of generations takes it: alone behind the value, with at most closing brackets between. */
const BEHIND = /^(?<brackets>[\s,}\]]*?)(?<digest>[ \t]+#[ \t]*[0-9a-f]{6,64})?(?<end>[ \t]*\r?)$/

function withComment({ parsed, value }: Body, path: ValuePath, comment: string | null): string {
  const { text } = parsed
  const range = ownNode(parsed, path)?.range
  if (range == null) return text
  const newline = text.indexOf('\n', range[1])
  const end = newline < 0 ? text.length : newline
  const behind = BEHIND.exec(text.slice(range[1], end))?.groups
  if (behind === undefined) return text
  const { brackets = '', digest } = behind
  const spaces = digest === undefined ? ' # ' : digest.replace(/[0-9a-f]+$/, '')
  const carriage = behind['end']?.endsWith('\r') === true ? '\r' : ''
  const put = comment === null ? brackets : `${brackets}${spaces}${comment}`
  const written = `${text.slice(0, range[1])}${put}${carriage}${text.slice(end)}`
  const after = readBody(written)
  return after !== null && canonicalJson(after.value) === canonicalJson(value) ? written : text
}
