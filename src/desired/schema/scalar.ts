// The one way to read a single value: zod carries it, the messages are ours, and a symbol passes unread.

import * as z from 'zod'
import { containsSymbol } from '../symbolic.ts'
import { describe } from './show.ts'

/** What a reader returns for a value it cannot take. */
export interface Mistake {
  readonly mistake: string
  readonly remedy: string
}

type JsonType = 'string' | 'number' | 'boolean'

export interface Scalar<T> {
  /** Which types of value `read` is given; others are refused before. */
  readonly types: readonly JsonType[]
  /** Completes "expected …": `a whole number from 1 to 65535`. */
  readonly expected: string
  /** Completes "for example …". */
  readonly example: string
  /** null: not what was expected. */
  readonly read: (value: string | number | boolean) => { value: T } | Mistake | null
  /** JSON Schema of what an author may write, variables left aside. */
  readonly json: Record<string, unknown>
  /** Whether `read` looks into texts with symbols itself, because it splits them. */
  readonly readsSymbols?: boolean
}

/**
 * A zod schema for one value. A text with a symbol is passed on unchanged, whatever the type says: such a result
 * serves a digest and nothing else.
 */
export function scalar<T>(kind: Scalar<T>): z.ZodType<T> {
  return z
    .unknown()
    .meta(kind.json)
    .transform((value, context): T => {
      if (kind.readsSymbols !== true && typeof value === 'string' && containsSymbol(value)) return symbolAs<T>(value)
      const fits = kind.types.some((type) => typeof value === type)
      const result = fits ? kind.read(value as string | number | boolean) : null
      if (result !== null && 'value' in result) return result.value
      const wrong = result ?? {
        mistake: `expected ${kind.expected}, ${value === undefined ? 'and it is missing' : `found ${describe(value)}`}`,
        remedy: quotesRemedy(value) ?? `write for example ${kind.example}`,
      }
      context.issues.push({
        code: 'custom',
        message: wrong.mistake,
        input: value,
        params: { remedy: wrong.remedy, wrongType: !fits, expected: kind.expected },
      })
      return z.NEVER
    })

  /** Where the same sign in quotes would be right. */
  function quotesRemedy(value: unknown): string | null {
    if (typeof value !== 'number' && typeof value !== 'boolean') return null
    if (kind.types.some((type) => type !== 'string')) return null
    const quoted = kind.read(String(value))
    return quoted !== null && 'value' in quoted ? `write it in quotes: "${value}"` : null
  }
}

/** The text itself in the place of a value that only the host knows. */
export function symbolAs<T>(text: string): T {
  return text as unknown as T
}

/** Reports a mistake from a zod transform, at `path` below the value in hand. */
export function report(
  context: z.core.$RefinementCtx,
  wrong: Mistake,
  path: (string | number)[] = [],
  at: 'key' | 'value' = 'value',
): void {
  context.issues.push({
    code: 'custom',
    message: wrong.mistake,
    input: undefined,
    path,
    params: { remedy: wrong.remedy, at },
  })
}

/** Turns a pure reader of one text into a reader inside a zod transform: reports its mistake at `path`. */
export function taken<T>(
  context: z.core.$RefinementCtx,
  result: { value: T } | Mistake,
  path: (string | number)[] = [],
): T | undefined {
  if ('value' in result) return result.value
  report(context, result, path)
  return undefined
}
