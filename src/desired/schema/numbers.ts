// Numbers as Compose takes them: written as a number, or as a text of digits (a variable's value is always a text).

import type * as z from 'zod'
import { containsSymbol } from '../symbolic.ts'
import { symbolAs, type Mistake, scalar } from './scalar.ts'
import { cut } from './show.ts'

export interface Bounds {
  readonly min?: number
  readonly max?: number
  readonly example?: string
}

/** A whole number within bounds, both included. */
export function integer(bounds: Bounds = {}): z.ZodType<number> {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = bounds
  const range = bounds.min === undefined ? '' : bounds.max === undefined ? ` from ${min}` : ` from ${min} to ${max}`
  return scalar({
    types: ['number', 'string'],
    expected: `a whole number${range}`,
    example: bounds.example ?? String(bounds.min ?? 1),
    json: {
      type: ['integer', 'string'],
      pattern: min < 0 ? '^-?[0-9]+$' : '^[0-9]+$',
      ...(bounds.min === undefined ? {} : { minimum: min }),
      ...(bounds.max === undefined ? {} : { maximum: max }),
    },
    read: (value) => {
      const number = typeof value === 'string' ? digits(value) : Number(value)
      return Number.isSafeInteger(number) && number >= min && number <= max ? { value: number } : null
    },
  })
}

export const PORT_BOUNDS = { min: 1, max: 65535, example: '8080' } as const

/** A fraction of at least `min`, with a point: `0.5`. */
/** `least`: nothing between 0 and it. */
export function decimal(bounds: { min: number; least?: number; example: string }): z.ZodType<number> {
  return scalar({
    types: ['number', 'string'],
    expected: `a number from ${bounds.least ?? bounds.min}`,
    example: bounds.example,
    json: { type: ['number', 'string'], minimum: bounds.min, pattern: '^([0-9]+([.][0-9]+)?|[.][0-9]+)$' },
    read: (value) => {
      const number = typeof value === 'string' && !/^(?:\d+(?:\.\d+)?|\.\d+)$/.test(value) ? Number.NaN : Number(value)
      const isTooSmall = number < bounds.min || (number > 0 && number < (bounds.least ?? 0))
      return Number.isFinite(number) && !isTooSmall ? { value: number } : null
    },
  })
}

/** `8000` or `8000-8010` as its first and last port. A text with a symbol is both. */
export function portRange(text: string, lowest: 0 | 1): { value: { first: number; last: number } } | Mistake {
  if (containsSymbol(text)) return { value: { first: symbolAs<number>(text), last: symbolAs<number>(text) } }
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text)
  const first = Number(match?.[1])
  const last = match?.[2] === undefined ? first : Number(match[2])
  if (match === null || first < lowest || last > 65535) {
    return {
      mistake: `expected a port from ${lowest} to 65535 or a range of ports, found "${cut(text)}"`,
      remedy: 'write for example 8080 or 8000-8010',
    }
  }
  if (last < first) {
    return { mistake: `the port range ${text} ends before it starts`, remedy: `write ${last}-${first}` }
  }
  if (last - first >= LONGEST_RANGE) {
    return {
      mistake: `the port range ${text} holds more than ${LONGEST_RANGE} ports`,
      remedy: 'publish fewer ports, or use network_mode: host',
    }
  }
  return { value: { first, last } }
}

/** The most ports one range may hold. */
export const LONGEST_RANGE = 256

function digits(text: string): number {
  return /^-?\d+$/.test(text) ? Number(text) : Number.NaN
}
