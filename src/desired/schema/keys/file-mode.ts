// Permission bits, written as octal digits in quotes.

import type * as z from 'zod'
import { scalar } from '../scalar.ts'

/**
 * `"0440"`. A number is refused, because YAML reads 0440 as four hundred and forty where an older YAML read it as
 * octal, and nobody could tell which was meant. So are the bits that give a file's owner to whoever runs it: the file may
 * come to lie in a folder of the host, past what the host's policy says of users and capabilities.
 */
export function fileMode(): z.ZodType<number> {
  return mode({ pattern: '^0?0?[0-7]{3}$', most: 0o777 })
}

/** As for a file; of a folder the sticky bit is usual: `"1777"`. */
export function folderMode(): z.ZodType<number> {
  return mode({ pattern: '^0?[0-7]{3,4}$', most: 0o7777 })
}

function mode({ pattern, most }: { readonly pattern: string; readonly most: number }): z.ZodType<number> {
  return scalar({
    types: ['string', 'number'],
    expected: 'permission bits as octal digits in quotes',
    example: '"0440"',
    json: { type: 'string', pattern },
    read: (value) => {
      if (typeof value === 'number') {
        return {
          mistake: `the mode ${value} is a number, and YAML does not say whether it was meant as octal`,
          remedy: `write it in quotes: "${/^[0-7]{3,4}$/.test(String(value)) ? String(value).padStart(4, '0') : '0440'}"`,
        }
      }
      if (typeof value !== 'string' || !/^(?:0o?)?[0-7]{3,4}$/.test(value)) return null
      const bits = Number.parseInt(value.replace(/^0o/, ''), 8)
      if (bits <= most) return { value: bits }
      return {
        mistake: `the mode "${value}" lets whoever runs the file act as its owner`,
        remedy: `write "0${(bits & most).toString(8).padStart(3, '0')}"; a file that needs more belongs into the image`,
      }
    },
  })
}
