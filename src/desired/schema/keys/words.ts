// A command line written as one text becomes a list of words, as a POSIX shell would split it; nothing is expanded.

import * as z from 'zod'
import { type Mistake, scalar } from '../scalar.ts'
import { cut } from '../show.ts'
import { text } from '../texts.ts'

/** Compose's `command` and `entrypoint`: a text, a list of texts, or null for the image's own. */
export function commandLine(example: string): z.ZodType<string[] | undefined> {
  const line = scalar<string[]>({
    types: ['string'],
    expected: 'a command',
    example,
    json: { type: 'string' },
    readsSymbols: true,
    read: (value) => words(String(value)),
  })
  return z.union([z.null().transform(() => undefined), line, z.array(text('empty'))])
}

/**
 * Splits at white space; quotes and backslashes as in POSIX shells (2.2 Quoting). Signs that would need a shell (`|`,
 * `;`, `&`, `<`, `>` outside quotes) are a mistake, because the engine runs no shell.
 */
export function words(line: string): { value: string[] } | Mistake {
  const found: string[] = []
  let word: string | null = null
  let quote: '"' | "'" | null = null
  for (let index = 0; index < line.length; index++) {
    const sign = line[index] ?? ''
    if (quote !== null) {
      if (sign === quote) quote = null
      else if (sign === '\\' && quote === '"' && /["\\$`\n]/.test(line[index + 1] ?? '')) word += line[++index] ?? ''
      else word += sign
    } else if (sign === '"' || sign === "'") {
      quote = sign
      word ??= ''
    } else if (sign === '\\') {
      if (index + 1 === line.length)
        return { mistake: 'the command ends in a backslash', remedy: 'write \\\\ for a backslash' }
      index++
      if (line[index] !== '\n') word = (word ?? '') + (line[index] ?? '')
    } else if (/\s/.test(sign)) {
      if (word !== null) found.push(word)
      word = null
    } else if (/[|;&<>]/.test(sign)) {
      return {
        mistake: `${sign} in "${cut(line)}" means nothing without a shell`,
        remedy: `write ["sh", "-c", "…"] for a shell, or quote it: '${sign}'`,
      }
    } else {
      word = (word ?? '') + sign
    }
  }
  if (quote !== null) {
    return { mistake: `a quote (${quote}) is not closed in "${cut(line)}"`, remedy: `close it, or write \\${quote}` }
  }
  if (word !== null) found.push(word)
  return { value: found }
}
