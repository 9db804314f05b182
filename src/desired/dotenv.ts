// Environment files as Compose reads them (Compose Specification, env_file): `KEY=value`, `export`, comments, single
// quotes (as they are), double quotes (escapes, variables), values over several lines in quotes. `raw` is Docker's own
// `--env-file`: every line as it is. Pure.

import { TEXT_LIMIT, interpolate } from './interpolate.ts'
import type { Lookup, TemplateFault } from './interpolate.ts'

export interface EnvironmentFile {
  readonly real: ReadonlyMap<string, string>
  /** With host variables as symbols. */
  readonly symbolic: ReadonlyMap<string, string>
  readonly fromHost: boolean
  readonly faults: readonly EnvironmentFault[]
}

export interface EnvironmentFault {
  /** 1-based. */
  readonly line: number
  readonly text: string
  readonly fault: TemplateFault | { readonly kind: 'form'; readonly message: string; readonly remedy: string }
}

const KEY = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*/
/** Characters of all values of one file: earlier lines may repeat in later ones. */
const TOTAL_LIMIT = 1024 * 1024
const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\' }

/** Variables mean earlier lines of the file first, then `outer`. */
export function parseEnvironmentFile(text: string, format: 'compose' | 'raw', outer: Lookup): EnvironmentFile {
  const result: Result = { real: new Map(), symbolic: new Map(), hosted: new Set(), faults: [], left: TOTAL_LIMIT }
  const lines = text.split(/\r?\n/)
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? ''
    if (/^\s*(#|$)/.test(line)) continue
    if (format === 'raw') readRaw(line, index, result)
    else index = readLine(lines, index, outer, result)
  }
  return { real: result.real, symbolic: result.symbolic, fromHost: result.hosted.size > 0, faults: result.faults }
}

interface Result {
  readonly real: Map<string, string>
  readonly symbolic: Map<string, string>
  readonly hosted: Set<string>
  readonly faults: EnvironmentFault[]
  /** Characters that the values of this file may still have. */
  left: number
}

function readRaw(line: string, index: number, result: Result): void {
  const equals = line.indexOf('=')
  const key = line.slice(0, equals).trimStart()
  if (equals < 0 || !/^[^\s=]+$/.test(key)) return formFault(line, index, result)
  result.real.set(key, line.slice(equals + 1))
  result.symbolic.set(key, line.slice(equals + 1))
}

/** Reads the entry that starts at `index`; gives the index of its last line. */
function readLine(lines: readonly string[], index: number, outer: Lookup, result: Result): number {
  const line = lines[index] ?? ''
  const head = KEY.exec(line)
  const key = head?.[1]
  if (head === null || key === undefined) {
    formFault(line, index, result)
    return index
  }
  const rest = line.slice(head[0].length)
  const quote = rest[0]
  if (quote !== '"' && quote !== "'") {
    set(key, rest.replace(/(^|\s)#.*$/, '').trim(), line, index, outer, result)
    return index
  }
  let body = rest.slice(1)
  let last = index
  let close = closingQuote(body, quote)
  while (close < 0 && last + 1 < lines.length) {
    body += `\n${lines[++last] ?? ''}`
    close = closingQuote(body, quote)
  }
  if (close < 0 || !/^\s*(#.*)?$/.test(body.slice(close + 1))) {
    const message = close < 0 ? 'a quote is not closed' : 'something follows the closing quote'
    result.faults.push({
      line: index + 1,
      text: line.slice(0, 80),
      fault: { kind: 'form', message, remedy: `write KEY=${quote}value${quote}` },
    })
    return close < 0 ? index : last
  }
  const value = body.slice(0, close)
  if (quote === "'") store(key, { text: value, symbolic: value, fromHost: false }, result)
  else set(key, unescape(value), line, index, outer, result)
  return last
}

/** `\$` becomes `$$`, which interpolation turns into a plain `$`. */
function unescape(value: string): string {
  return value.replace(/\\([nrt"\\$])/g, (_, sign: string) => (sign === '$' ? '$$' : (ESCAPES[sign] ?? sign)))
}

function closingQuote(body: string, quote: string): number {
  for (let at = 0; at < body.length; at++) {
    if (quote === '"' && body[at] === '\\') at++
    else if (body[at] === quote) return at
  }
  return -1
}

function set(key: string, template: string, line: string, index: number, outer: Lookup, result: Result): void {
  const lookup: Lookup = (name) => {
    const text = result.real.get(name)
    if (text === undefined) return outer(name)
    return { text, symbolic: result.symbolic.get(name) ?? text, fromHost: result.hosted.has(name) }
  }
  const value = interpolate(template, lookup, Math.max(0, Math.min(TEXT_LIMIT, result.left)))
  result.left -= value.text.length
  for (const fault of value.faults) result.faults.push({ line: index + 1, text: line.trim().slice(0, 80), fault })
  store(key, value, result)
}

function store(key: string, value: { text: string; symbolic: string; fromHost: boolean }, result: Result): void {
  result.real.set(key, value.text)
  result.symbolic.set(key, value.symbolic)
  if (value.fromHost) result.hosted.add(key)
  else result.hosted.delete(key)
}

function formFault(line: string, index: number, result: Result): void {
  const message = 'this line of an environment file has no KEY=value'
  const remedy = 'write KEY=value; graft never takes values from its own environment'
  result.faults.push({ line: index + 1, text: line.trim().slice(0, 80), fault: { kind: 'form', message, remedy } })
}
