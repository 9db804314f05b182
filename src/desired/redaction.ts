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
/** Values that are kept; the oldest go first. */
const MOST = 2_000

export function createRedactor(): Redactor {
  const known = new Map<string, readonly string[]>()
  let pattern: RegExp | null = null
  return {
    learn(values) {
      for (const value of values) {
        const id = Buffer.from(value.reveal()).toString('base64')
        const forms = known.get(id) ?? formsOf(value)
        if (forms.length === 0 || known.has(id)) continue
        known.set(id, forms)
        const [oldest] = known.keys()
        if (known.size > MOST && oldest !== undefined) known.delete(oldest)
        pattern = null
      }
    },
    clean(text) {
      if (known.size === 0 || text.length < SHORTEST) return text
      pattern ??= patternOf(known.values())
      return text.replace(pattern, HIDDEN)
    },
  }
}

/** The longest first, so that a value which holds another goes whole. */
function patternOf(all: Iterable<readonly string[]>): RegExp {
  const forms = [...new Set([...all].flat())].toSorted((a, b) => b.length - a.length)
  return new RegExp(forms.map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'g')
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
