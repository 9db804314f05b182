// Where a host fetches images from instead of where the repository says: rewrite rules over full references. Pure.

import { formatReference, parseReference } from '../desired/image-reference.ts'

export interface MirrorRule {
  /** Beginning of a full reference: `quay.io/`, `docker.io/library/nginx`. */
  readonly from: string
  /** What takes its place: `127.0.0.1:5000/quay/`. */
  readonly to: string
}

/**
 * The reference to fetch. The rule with the longest `from` that fits the full form (`nginx` is
 * `docker.io/library/nginx:latest`) wins, once: its result is not rewritten again. A `from` that does not end in `/`
 * fits whole parts only, so `quay.io/a` does not fit `quay.io/ab:1`. Where no rule fits, the text stays as written.
 */
export function rewriteReference(rules: readonly MirrorRule[], reference: string): string {
  const parsed = parseReference(reference)
  if (parsed === null) return reference
  const full = formatReference(parsed)
  let best: MirrorRule | null = null
  for (const rule of rules) {
    if (fits(rule.from, full) && (best === null || rule.from.length > best.from.length)) best = rule
  }
  return best === null ? reference : best.to + full.slice(best.from.length)
}

function fits(from: string, full: string): boolean {
  if (!full.startsWith(from)) return false
  return from === '' || from.endsWith('/') || /^[/:@]?$/.test(full.charAt(from.length))
}
