// Lists and mappings: Compose's `list_or_dict`, `string_or_list`, and mappings with known keys.

import * as z from 'zod'
import { nearest } from '../nearest.ts'
import { containsSymbol } from '../symbolic.ts'
import { MOST_ISSUES } from './issue.ts'
import { type Mistake, scalar, taken } from './scalar.ts'
import { cut } from './show.ts'

/** The mark of an extension (`x-…`), which every mapping with known keys takes and nobody reads. */
export function isExtension(key: string): boolean {
  return key.startsWith('x-')
}

/**
 * A mapping with known keys. Unknown keys are reported beside every other mistake, with the nearest known one; keys in
 * `refused` with their advice.
 */
export function mapping<const S extends z.core.$ZodShape>(
  shape: S,
  refused: Readonly<Record<string, string>> = {},
  refusal: Refusal = 'is not served',
) {
  const known = Object.keys(shape)
  const unknownKeys = z.core._check<Record<string, unknown>>((context) => {
    const strangers = Object.keys(context.value).filter((key) => !Object.hasOwn(shape, key) && !isExtension(key))
    for (const key of strangers.slice(0, MOST_ISSUES)) {
      const wrong = unknownKey(key, known, refused, refusal)
      context.issues.push({
        code: 'custom',
        message: wrong.mistake,
        input: context.value,
        path: [key],
        params: { remedy: wrong.remedy, at: 'key', unprefixed: true },
      })
    }
  }, BESIDE_MISTAKES)
  return z
    .looseObject(shape)
    .check(unknownKeys)
    .meta({ additionalProperties: false, patternProperties: { '^x-': {} } })
}

export type Refusal = 'is not served' | 'does not belong here'

/** What to say of a key that a mapping does not have. */
export function unknownKey(
  key: string,
  known: readonly string[],
  refused: Readonly<Record<string, string>>,
  refusal: Refusal,
): Mistake {
  const advice = Object.hasOwn(refused, key) ? refused[key] : undefined
  if (advice !== undefined) return { mistake: `the key ${cut(key)} ${refusal}`, remedy: advice }
  const meant = nearest(key, known)
  return {
    mistake: `unknown key ${cut(key)}`,
    remedy: meant === null ? `known keys are ${[...known].sort().join(', ')}` : `write ${meant}`,
  }
}

/** Checks run beside mistakes in the values too: all of a file's problems are told at once. */
const BESIDE_MISTAKES = {
  when: ({ value }: { value: unknown }) => typeof value === 'object' && value !== null && !Array.isArray(value),
}

/** A mapping whose keys are people's own names; `mistakeIn` says what is wrong with a name, or null. */
export function record<T>(
  value: z.ZodType<T>,
  mistakeIn: (key: string) => Mistake | null = () => null,
): z.ZodType<Record<string, T>> {
  const names = z.core._check<Record<string, T>>((context) => {
    for (const key of Object.keys(context.value)) {
      const wrong = containsSymbol(key) ? null : mistakeIn(key)
      if (wrong === null) continue
      const params = { remedy: wrong.remedy, at: 'key' }
      context.issues.push({ code: 'custom', message: wrong.mistake, input: key, path: [key], params })
    }
  }, BESIDE_MISTAKES)
  return z
    .record(z.string(), value)
    .check(names)
    .transform((all) => sortedRecord(Object.entries(all)))
}

/** A text or a list of them, as a list. */
export function textOrList<T>(item: z.ZodType<T>): z.ZodType<T[]> {
  return z.union([item.transform((one) => [one]), z.array(item)])
}

/** Sorted by code units, each once. */
export function sortedSet(items: readonly string[]): string[] {
  return [...new Set(items)].sort()
}

/** A copy with its keys in order of their code units; keys come from people, so it has no prototype's names. */
export function sortedRecord<T>(entries: Iterable<readonly [string, T]>): Record<string, T> {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}

/** A single value that ends as a text: text, number or boolean. */
export function plainValue(): z.ZodType<string> {
  return scalar({
    types: ['string', 'number', 'boolean'],
    expected: 'a text, a number, true or false',
    example: '"some text"',
    json: { type: ['string', 'number', 'boolean'] },
    read: (value) =>
      typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
        ? { mistake: `the number ${value} is too large to be kept exactly`, remedy: 'write it in quotes' }
        : { value: String(value) },
  })
}

export interface PairRules<T = never> {
  /** What a name without a value means: '' or a mistake with this remedy. */
  readonly bare: '' | Mistake
  /** A mistake in a name, or null. */
  readonly checkName?: (name: string) => Mistake | null
  /** What a value may be besides a plain one, in the form of a mapping. */
  readonly special?: z.ZodType<T>
}

/** Compose's `list_or_dict`: `{NAME: value}` or `[NAME=value]`; of equal names in a list the last counts. */
export function pairs<T = never>(rules: PairRules<T>): z.ZodType<Record<string, string | T>> {
  const line = scalar<readonly [string, string]>({
    types: ['string'],
    expected: 'a text, as NAME=value',
    example: 'NAME=value',
    json: { type: 'string', minLength: 1 },
    readsSymbols: true,
    read: (value) => {
      const [name, ...rest] = String(value).split('=')
      const wrong = name === undefined || name === '' ? NAMELESS : nameMistake(name)
      if (wrong !== null || name === undefined) return wrong
      return rest.length === 0 ? bare(name) : { value: [name, rest.join('=')] }
    },
  })
  const plain = z.union([z.null(), plainValue()])
  const entry: z.ZodType<string | null | T> = rules.special === undefined ? plain : z.union([plain, rules.special])
  const map = record(entry, (name) => (name === '' ? NAMELESS : nameMistake(name))).transform((values, context) => {
    const entries = Object.entries(values).map(([name, value]) => {
      const result = value === null ? bare(name) : { value: [name, value] as const }
      return taken(context, result, [name]) ?? ([name, ''] as const)
    })
    return sortedRecord(entries)
  })
  return z.union([map, z.array(line).transform((entries) => sortedRecord(new Map(entries)))])

  function nameMistake(name: string): Mistake | null {
    return containsSymbol(name) ? null : (rules.checkName?.(name) ?? null)
  }

  function bare(name: string): { value: readonly [string, string] } | Mistake {
    if (rules.bare === '') return { value: [name, ''] }
    return { mistake: `${cut(name)} ${rules.bare.mistake}`, remedy: rules.bare.remedy.replaceAll('NAME', () => name) }
  }
}

const NAMELESS: Mistake = { mistake: 'a name is missing before =', remedy: 'write NAME=value' }
