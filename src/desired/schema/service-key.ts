// What the table of service keys says of one key: served, with its schema, or refused, with advice.

import type * as z from 'zod'

export interface Served<T> {
  readonly served: true
  /** Reads short and long forms and gives the one canonical form. */
  readonly schema: z.ZodType<T>
  /** For editors. */
  readonly description: string
  /** Right values, as an author writes them; at least one. */
  readonly examples: readonly [unknown, ...unknown[]]
}

export interface Refused {
  readonly served: false
  /** What to do instead in graft, one sentence without a closing full stop. */
  readonly advice: string
}

export type ServiceKey = Served<unknown> | Refused

/** Keys that may be absent in every file, with what they mean where they are there. */
export type Values<T extends Readonly<Record<string, ServiceKey>>> = {
  [K in keyof T as T[K] extends Served<unknown> ? K : never]?: T[K] extends Served<infer V> ? V : never
}

export function served<T>(
  description: string,
  schema: z.ZodType<T>,
  ...examples: readonly [unknown, ...unknown[]]
): Served<T> {
  return { served: true, schema: schema.meta({ description, examples: [...examples] }), description, examples }
}

export function refused(advice: string): Refused {
  return { served: false, advice }
}
