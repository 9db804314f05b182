// How long a server asks to wait. Pure.

/**
 * Milliseconds from `now` (milliseconds since 1970) by a `Retry-After` header: seconds, or a date (RFC 9110, 10.2.3).
 * Null where there is none that can be read.
 */
export function retryAfter(header: string | undefined, now: number): number | null {
  const text = header?.trim() ?? ''
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000
  // A bare word or number would be a date for the parser, too.
  const date = /^[A-Za-z]{3}.*\d/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(date) ? null : Math.max(0, date - now)
}
