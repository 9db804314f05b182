// zod's findings become plain sentences with a place and a remedy.

import type * as z from 'zod'
import type { Issue } from './issue.ts'
import { describe, either, flow, place } from './show.ts'

type Path = readonly (string | number)[]
type Finding = z.core.$ZodIssue

export interface Place {
  /** Where `value` stands in the file. */
  readonly path: Path
  readonly value: unknown
  /** Shown in the remedy where a list, a mapping or a text stands in the place of another: `ports: ["8080:80"]`. */
  readonly example: string
}

/** Every finding as an issue. What is missing is reported at the mapping that lacks it. */
export function translate(findings: readonly Finding[], at: Place): Issue[] {
  return findings.flatMap((finding) => translateOne(finding, at))
}

function translateOne(finding: Finding, at: Place): Issue[] {
  const below = finding.path.filter((part) => typeof part !== 'symbol')
  const path = [...at.path, ...below]
  if (finding.code === 'custom') return [custom(finding.message, finding.params ?? {}, path, valueAt(at.value, below))]
  if (finding.code === 'invalid_union') {
    const inner = finding.errors.find((option) => !option.every(isOtherType))
    if (inner !== undefined) return translate(inner, { ...at, path, value: valueAt(at.value, below) })
  }
  const expected = [...new Set(expectations(finding))]
  return [
    wrongType(expected.length === 0 ? 'another value' : either(expected), path, valueAt(at.value, below), at.example),
  ]
}

function custom(message: string, params: Record<string, unknown>, path: Path, value: unknown): Issue {
  const remedy = typeof params['remedy'] === 'string' ? params['remedy'] : 'write another value'
  const isKey = params['at'] === 'key'
  const where = place(params['unprefixed'] === true ? path.slice(0, -1) : path)
  const said = where === '' ? message : `${where}: ${message}`
  if (params['wrongType'] === true && value === undefined) return { ...missing(path), message: said, remedy }
  return { path, at: isKey ? 'key' : 'value', message: said, remedy }
}

function wrongType(expected: string, path: Path, value: unknown, example: string): Issue {
  const where = place(path)
  const found = value === undefined ? 'and it is missing' : `found ${describe(value)}`
  const message = `${where === '' ? '' : `${where}: `}expected ${expected}, ${found}`
  const remedy = `write for example ${example}`
  return value === undefined ? { ...missing(path), message, remedy } : { path, at: 'value', message, remedy }
}

/** The mapping that lacks the last part of a path. */
function missing(path: Path): Pick<Issue, 'path' | 'at'> {
  const parent = path.slice(0, -1)
  return { path: parent, at: typeof parent.at(-1) === 'string' ? 'key' : 'value' }
}

/** Whether an option of a union did not apply at all, because the value is of another type. */
function isOtherType(finding: Finding): boolean {
  if (finding.path.length > 0) return false
  if (finding.code === 'invalid_type') return true
  if (finding.code === 'invalid_union') return finding.errors.every((option) => option.every(isOtherType))
  return finding.code === 'custom' && finding.params?.['wrongType'] === true
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  string: 'a text',
}

function expectations(finding: Finding): string[] {
  if (finding.code === 'invalid_union') return finding.errors.flatMap((option) => option.flatMap(expectations))
  if (finding.code === 'invalid_type')
    return finding.expected === 'null' ? [] : [TYPE_WORDS[finding.expected] ?? finding.expected]
  return finding.code === 'custom' && typeof finding.params?.['expected'] === 'string'
    ? [finding.params['expected']]
    : []
}

function valueAt(value: unknown, path: Path): unknown {
  let found = value
  for (const part of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, part)) return undefined
    found = Reflect.get(found, part)
  }
  return found
}

/** `ports: ["8080:80"]`, for remedies. */
export function exampleOf(key: string, example: unknown): string {
  return `${key}: ${flow(example)}`
}
