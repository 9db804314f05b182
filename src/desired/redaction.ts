// Takes secrets out of texts that a container or an engine wrote, before anybody sees them. Pure.

import { HIDDEN, secretText, type SecretValue } from './secret-value.ts'

export interface Redactor {
  /** Values to take out from now on, besides those it knows: a container of before may still write its own. */
  learn(values: Iterable<SecretValue>): void
  /** The text with `(secret)` for each value of at least eight characters, plain, in Base64, or encoded for a URL or JSON. */
  clean(text: string): string
}

/** Shorter ones stand in too many places that are no secret. */
const SHORTEST = 8
/** A line of a longer value, as of a key in PEM. */
const SHORTEST_LINE = 16
/** Values that are kept; those go first that were not used for the longest time. */
const MOST = 2_000

export function createRedactor(): Redactor {
  const known = new Map<string, readonly string[]>()
  let forms: readonly string[] | null = null
  return {
    learn(values) {
      for (const value of values) {
        const id = Buffer.from(value.reveal()).toString('base64')
        const before = known.get(id)
        if (before !== undefined) {
          known.delete(id)
          known.set(id, before)
          continue
        }
        const all = formsOf(value)
        if (all.length === 0) continue
        known.set(id, all)
        const [oldest] = known.keys()
        if (known.size > MOST && oldest !== undefined) known.delete(oldest)
        forms = null
      }
    },
    clean(text) {
      if (known.size === 0 || text.length < SHORTEST) return text
      forms ??= longestFirst(known.values())
      let cleaned = text
      for (const form of forms) {
        if (form.length <= cleaned.length && cleaned.includes(form)) cleaned = cleaned.replaceAll(form, () => HIDDEN)
      }
      return cleaned
    },
  }
}

/**
 * The longest first, so that a value which holds another goes whole. Plain texts and no pattern: a pattern of long values
 * is too large to be compiled, and the words of that fault would hold them all.
 */
function longestFirst(all: Iterable<readonly string[]>): readonly string[] {
  return [...new Set([...all].flat())].toSorted((a, b) => b.length - a.length)
}

function formsOf(value: SecretValue): string[] {
  const bytes = Buffer.from(value.reveal())
  const text = secretText(value)
  const base64 = bytes.toString('base64').replace(/=+$/, '')
  const forms = [base64, bytes.toString('base64url'), bytes.toString('hex')]
  if (text !== null) {
    const trimmed = text.trim()
    for (const form of [text, trimmed]) {
      forms.push(form, encodeURIComponent(wellFormed(form)), JSON.stringify(form).slice(1, -1))
      forms.push(encodeURIComponent(wellFormed(form)).replaceAll('%20', '+'))
    }
    forms.push(Buffer.from(trimmed).toString('base64').replace(/=+$/, ''), Buffer.from(trimmed).toString('base64url'))
    const lines = trimmed.split(/\r?\n/)
    if (lines.length > 1)
      forms.push(...lines.filter((line) => line.length >= SHORTEST_LINE && !line.startsWith('-----')))
    // Too short to be told from ordinary words, whatever its encodings are.
    if (trimmed.length < SHORTEST) return []
  } else if (bytes.length < SHORTEST) return []
  return [...new Set(forms)].filter((form) => form.trim().length >= SHORTEST)
}

/** Lone surrogates have no form in a URL. */
function wellFormed(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8')
}
