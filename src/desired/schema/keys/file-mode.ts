// Permission bits, written as octal digits in quotes.

import type * as z from 'zod'
import { scalar } from '../scalar.ts'

/**
 * `"0440"`. A number is refused, because YAML reads 0440 as four hundred and forty where an older YAML read it as
 * octal, and nobody could tell which was meant.
 */
export function fileMode(): z.ZodType<number> {
  return scalar({
    types: ['string', 'number'],
    expected: 'permission bits as octal digits in quotes',
    example: '"0440"',
    json: { type: 'string', pattern: '^0?[0-7]{3,4}$' },
    read: (value) => {
      if (typeof value === 'number') {
        return {
          mistake: `the mode ${value} is a number, and YAML does not say whether it was meant as octal`,
          remedy: `write it in quotes: "${/^[0-7]{3,4}$/.test(String(value)) ? String(value).padStart(4, '0') : '0440'}"`,
        }
      }
      return typeof value === 'string' && /^(?:0o?)?[0-7]{3,4}$/.test(value)
        ? { value: Number.parseInt(value.replace(/^0o/, ''), 8) }
        : null
    },
  })
}
