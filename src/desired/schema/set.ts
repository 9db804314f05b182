// A set file's data becomes the parts of a container set, or a list of everything that is wrong with it. Never throws.

import type * as z from 'zod'
import { symbolFor } from '../symbolic.ts'
import { type Issue, limited } from './issue.ts'
import { readLeafKeys } from './leaf-values.ts'
import { leafOnlyKeys } from './service-keys.ts'
import { EXAMPLES, setAdvice, setShape } from './set-shape.ts'
import { mapping, sortedSet } from './shapes.ts'
import { describe } from './show.ts'
import { unsound } from './sound.ts'
import { exampleOf, translate } from './translate.ts'

export interface SetParts {
  description: string
  depends_on: string[]
  version: string | null
  variables: Record<string, string>
  /** Leaf keys as written, each checked; variables not filled in. */
  defaults: Record<string, unknown>
  together: boolean
  state: 'running' | 'stopped'
  suspend: boolean
}

export const setFile = mapping(setShape, setAdvice, 'does not belong here')

/** Reads set.yaml. An empty file is a set with nothing to say. The parts are null exactly when there are issues. */
export function parseSet(raw: unknown): { parts: SetParts | null; issues: Issue[] } {
  return readFile(raw ?? {}, setFile, setParts)
}

/** What a set says, with the defaults of `format: 1`. */
export function setParts(values: z.output<typeof setFile>): SetParts {
  return {
    description: values.description ?? '',
    depends_on: sortedSet(values.depends_on ?? []),
    version: values.version ?? null,
    variables: values.variables ?? {},
    defaults: values.defaults ?? {},
    together: values.update?.together ?? false,
    state: values.state ?? 'running',
    suspend: values.suspend ?? false,
  }
}

/** Reads a file that is a mapping with known keys, `defaults` among them. */
export function readFile<V extends object, P>(
  raw: unknown,
  schema: z.ZodType<V>,
  parts: (values: V) => P,
): { parts: P | null; issues: Issue[] } {
  const broken = unsound(raw, { symbolic: false })
  if (broken.length > 0) return { parts: null, issues: limited(broken) }
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    const message = `expected a mapping, found ${describe(raw)}`
    return { parts: null, issues: [{ path: [], at: 'value', message, remedy: 'write key: value lines' }] }
  }
  const read = schema.safeParse(raw)
  const issues = read.success ? [] : read.error.issues.flatMap((finding) => translate([finding], placeOf(raw, finding)))
  issues.push(...defaultsIssues(raw))
  return read.success && issues.length === 0
    ? { parts: parts(read.data), issues }
    : { parts: null, issues: limited(issues) }
}

function placeOf(value: unknown, finding: z.core.$ZodIssue) {
  const key = String(finding.path[0] ?? '')
  return { path: [], value, example: exampleOf(key, Object.hasOwn(EXAMPLES, key) ? EXAMPLES[key] : '…') }
}

/** Mistakes under `defaults`: each key is checked as in a leaf; a text with a variable passes. */
function defaultsIssues(raw: object): Issue[] {
  const defaults: unknown = Object.hasOwn(raw, 'defaults') ? Reflect.get(raw, 'defaults') : undefined
  if (typeof defaults !== 'object' || defaults === null || Array.isArray(defaults)) return []
  return readLeafKeys(withSymbols(defaults) as object, ['defaults'], leafOnlyKeys).issues
}

/** A copy in which `${…}` and `$NAME` are symbols, which every reader lets pass, and `$$` a dollar sign. */
function withSymbols(value: unknown): unknown {
  if (typeof value === 'string') return filledIn(value)
  if (Array.isArray(value)) return value.map(withSymbols)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withSymbols(item)]))
}

function filledIn(text: string): string {
  let found = text.replaceAll('$$', '\u0001')
  for (let before = ''; before !== found;) {
    before = found
    found = found.replace(/\$\{[^{}]*\}/g, SYMBOL)
  }
  return found.replace(/\$[A-Za-z_]\w*/g, SYMBOL).replaceAll('\u0001', '$')
}

const SYMBOL = symbolFor('value', '')
