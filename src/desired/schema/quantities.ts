// Durations and byte sizes as the Compose Specification writes them ("Specifying durations", "Specifying byte values").

import type * as z from 'zod'
import type { Bytes, Milliseconds } from '../spec.ts'
import { scalar } from './scalar.ts'

const UNIT_MILLISECONDS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
const LONGEST: Milliseconds = 366 * 24 * 3_600_000

/** `1h30m`, `2.5s`, `500ms`; at least `min`, at most 366 days. */
export function duration(min: Milliseconds): z.ZodType<Milliseconds> {
  return scalar({
    types: ['string', 'number'],
    expected: 'a duration with its unit (h, m, s, ms)',
    example: '30s or 1m30s',
    json: { type: 'string', pattern: '^(0|([0-9]+([.][0-9]+)?(us|ms|s|m|h))+)$' },
    read: (value) => {
      if (typeof value !== 'string') {
        return typeof value === 'number' && value > 0
          ? { mistake: `the duration ${value} has no unit`, remedy: `write ${value}s or ${value}ms` }
          : null
      }
      const parsed = milliseconds(value)
      if (parsed === null) return null
      if (parsed < min) {
        return {
          mistake: `the duration ${value} is too short`,
          remedy: min === 1 ? 'write at least 1ms' : `write at least ${min / 1000}s`,
        }
      }
      if (parsed > LONGEST) return { mistake: `the duration ${value} is too long`, remedy: 'write at most 8784h' }
      return { value: parsed }
    },
  })
}

function milliseconds(text: string): Milliseconds | null {
  if (text === '0') return 0
  if (text.length > 64 || !/^(?:\d+(?:\.\d+)?(?:us|ms|s|m|h))+$/.test(text)) return null
  let sum = 0
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(us|ms|s|m|h)/g)) {
    sum += Number(amount) * (UNIT_MILLISECONDS[unit ?? ''] ?? Number.NaN)
  }
  return Math.round(sum * 1000) / 1000
}

const BYTES = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i
const POWERS = ['', 'k', 'm', 'g', 't', 'p']

/** `64m`, `1gb`, `512k`, `1.5g` or a plain number of bytes; units are powers of 1024. */
export function bytes(options: { min?: Bytes; unlimited?: boolean } = {}): z.ZodType<Bytes> {
  const min = options.min ?? 0
  return scalar({
    types: ['string', 'number'],
    expected: options.unlimited === true ? 'a size in bytes, or -1 for no limit' : 'a size in bytes',
    example: '64m or 1gb',
    json: {
      type: ['integer', 'string'],
      minimum: options.unlimited === true ? -1 : 0,
      pattern: `^(${options.unlimited === true ? '-1|' : ''}[0-9]+([.][0-9]+)? ?[kKmMgGtTpP]?([iI]?[bB])?)$`,
    },
    read: (value) => {
      if (options.unlimited === true && String(value) === '-1') return { value: -1 }
      const match = BYTES.exec(String(value))
      if (match === null) return null
      const size = Math.floor(Number(match[1]) * 1024 ** POWERS.indexOf((match[2] ?? '').toLowerCase()))
      if (!Number.isSafeInteger(size))
        return { mistake: `the size ${value} is too large`, remedy: 'write a smaller size' }
      if (size !== 0 && size < min) {
        return {
          mistake: `the size ${value} is less than the engine takes`,
          remedy: `write at least ${min / 1024 ** 2}m`,
        }
      }
      return { value: size }
    },
  })
}

/** Sizes and counts for which the engine takes 0 as "no limit". */
export function zeroIsAbsent(schema: z.ZodType<number>): z.ZodType<number | undefined> {
  return schema.transform((value) => (value === 0 ? undefined : value))
}
