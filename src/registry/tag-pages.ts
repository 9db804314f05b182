// Lists of tags as registries give them, page by page (OCI Distribution Specification, "Listing Tags"). Pure.

const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/

/** Null where the body is no list. What is no tag by the specification is left out. */
export function readTags(body: Buffer): string[] | null {
  try {
    const answer: unknown = JSON.parse(body.toString('utf8'))
    if (typeof answer !== 'object' || answer === null || !('tags' in answer)) return null
    // Null is what some registries say of a repository without tags.
    if (answer.tags === null) return []
    if (!Array.isArray(answer.tags)) return null
    return answer.tags.filter((tag): tag is string => typeof tag === 'string' && TAG.test(tag))
  } catch {
    return null
  }
}

/** Path and query of the next page, by the header `Link: <…>; rel="next"` (RFC 8288); null: this was the last. */
export function nextPage(link: string | undefined, asked: URL): string | null {
  for (const [, target = '', parameters = ''] of (link ?? '').matchAll(/<([^>]*)>([^<]*)/g)) {
    if (!/;\s*rel\s*=\s*"?next"?/i.test(parameters)) continue
    if (!URL.canParse(target, asked.href)) return null
    // Wherever it points, this registry is asked: behind a proxy many name an inner host.
    const next = new URL(target, asked)
    return next.pathname.startsWith('/v2/') ? next.pathname + next.search : null
  }
  return null
}
