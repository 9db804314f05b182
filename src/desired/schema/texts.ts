// Texts of a certain form: choices, names, paths, addresses; and booleans.

import { posix } from 'node:path'
import * as z from 'zod'
import { nearest } from '../nearest.ts'
import { type Mistake, scalar } from './scalar.ts'
import { cut, either } from './show.ts'

export interface TextForm {
  readonly expected: string
  readonly example: string
  /** What an author may write, as a JSON Schema pattern and a test alike. */
  readonly pattern: string
  readonly canonical?: (text: string) => string
}

/** Any text, or with a form one that matches it. Without a form it may be empty only where `empty` says so. */
export function text(form?: TextForm | 'empty'): z.ZodType<string> {
  if (form === 'empty') {
    return scalar({
      types: ['string'],
      expected: 'a text',
      example: 'some text',
      json: { type: 'string' },
      read: (value) => ({ value: String(value) }),
    })
  }
  const matcher = form === undefined ? null : new RegExp(form.pattern, 'u')
  return scalar({
    types: ['string'],
    expected: form?.expected ?? 'a text that is not empty',
    example: form?.example ?? 'some text',
    json: form === undefined ? { type: 'string', minLength: 1 } : { type: 'string', pattern: form.pattern },
    read: (value) => {
      const found = String(value)
      if (matcher === null ? found === '' : !matcher.test(found)) return null
      return { value: form?.canonical?.(found) ?? found }
    },
  })
}

/** One of a few words. `instead`: words that are refused with advice of their own. */
export function choice<const T extends string>(
  words: readonly T[],
  instead: Readonly<Record<string, string>> = {},
): z.ZodType<T> {
  return scalar<T>({
    types: ['string'],
    expected: either(words),
    example: words[0] ?? '',
    json: { enum: words },
    read: (value) => {
      const found = words.find((word) => word === value)
      if (found !== undefined) return { value: found }
      const advice = Object.hasOwn(instead, String(value)) ? instead[String(value)] : undefined
      if (advice !== undefined) return { mistake: `${cut(String(value))} is not served`, remedy: advice }
      const meant = nearest(String(value), words)
      return meant === null
        ? null
        : { mistake: `expected ${either(words)}, found text "${cut(String(value))}"`, remedy: `write ${meant}` }
    },
  })
}

/** true or false; as texts too, because Compose and variables give them so. */
export function boolean(): z.ZodType<boolean> {
  return scalar({
    types: ['boolean', 'string'],
    expected: 'true or false',
    example: 'true',
    json: { anyOf: [{ type: 'boolean' }, { type: 'string', pattern: '^(true|false)$' }] },
    read: (value) =>
      value === true || value === 'true'
        ? { value: true }
        : value === false || value === 'false'
          ? { value: false }
          : null,
  })
}

const NAME_PATTERN = '^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$'

/** The name of a leaf, a set or a deployment. */
export function name(example: string): z.ZodType<string> {
  return text({
    expected: 'a name of 2 to 63 lower-case letters, digits and inner hyphens',
    example,
    pattern: NAME_PATTERN,
  })
}

export function isName(found: string): boolean {
  return new RegExp(NAME_PATTERN).test(found)
}

/** An absolute path inside a container or on the host, without a trailing slash, `.` or `..`. */
export function absolutePath(example: string): z.ZodType<string> {
  return text({ expected: 'an absolute path', example, pattern: '^/', canonical: cleanPath })
}

/** `/a//b/../c/` → `/a/c`. */
export function cleanPath(path: string): string {
  const clean = posix.normalize(path)
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean
}

/** A file in the repository, relative to the folder of the YAML file that names it. */
export function repositoryPath(example: string): z.ZodType<string> {
  return scalar({
    types: ['string'],
    expected: 'the path of a file in the repository',
    example,
    json: { type: 'string', pattern: '^[^/]' },
    read: (value): { value: string } | Mistake | null => {
      const path = String(value)
      if (path === '') return null
      return path.startsWith('/')
        ? {
            mistake: `${cut(path)} is a path on the host, not in the repository`,
            remedy: `write for example ${example}`,
          }
        : { value: path }
    },
  })
}
