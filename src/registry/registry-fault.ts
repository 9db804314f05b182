// What keeps a registry from answering, in words for a person. The kind of fault is the one that pulls have, too.

import { EngineFault } from '../apply/engine.ts'

export function registryFault(message: string, remedy: string, cause?: unknown): EngineFault {
  return new EngineFault('registry', message, remedy, { cause })
}

/** The registry's own words from an error's body (OCI Distribution Specification, Error Codes), one line, or ''. */
export function registryWords(body: Buffer): string {
  try {
    const answer: unknown = JSON.parse(body.toString('utf8'))
    const errors: unknown = typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'errors') : null
    const first: unknown = Array.isArray(errors) ? errors[0] : answer
    if (typeof first !== 'object' || first === null) return ''
    const parts = ['message', 'details', 'code'].map((key): unknown => Reflect.get(first, key))
    const words = parts.find((part) => typeof part === 'string' && part !== '')
    return typeof words === 'string' ? oneLine(words) : ''
  } catch {
    return ''
  }
}

/** Somebody else's text without line ends and control characters, cut to a length that fits into a sentence. */
export function oneLine(text: string, longest = 160): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()
  return plain.length > longest ? `${plain.slice(0, longest - 1)}…` : plain
}
