// The one way to turn a value into a digest: JSON with sorted keys, SHA-256, hex. Pure.

import { createHash } from 'node:crypto'
import type { Spec } from './spec.ts'

/** JSON without spaces whose object keys are sorted by code unit at every depth; keys with undefined are left out. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item === undefined ? null : item)).join(',')}]`
  if (value !== null && typeof value === 'object') {
    const parts: string[] = []
    for (const key of Object.keys(value).sort()) {
      const member = (value as Record<string, unknown>)[key]
      if (member !== undefined) parts.push(`${JSON.stringify(key)}:${canonicalJson(member)}`)
    }
    return `{${parts.join(',')}}`
  }
  return JSON.stringify(value) ?? 'null'
}

/** SHA-256 in hex, of UTF-8 text or of bytes. */
export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}

/**
 * Goes up when the same files would give another digest, which format 1 promises not to happen in a release: digests
 * that were written down under another number are worked out again.
 */
export const LEDGER_DIGEST_VERSION = 1

/** The ledger digest of a leaf: of its kind, and of its spec with host variables as symbols (symbolic.ts). */
export function ledgerDigest(kind: 'container' | 'job', symbolicSpec: Spec): string {
  return sha256(canonicalJson({ kind, spec: symbolicSpec }))
}
