// Spans of time in words: short ones exact, long ones round.

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** How long something took: `40 ms`, `1.2 s`, `48 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(milliseconds: number): string {
  const span = Math.max(0, milliseconds)
  if (span < SECOND) return `${Math.round(span)} ms`
  if (span < 10 * SECOND - 50) return `${(span / SECOND).toFixed(1)} s`
  const seconds = Math.round(span / SECOND)
  if (seconds < 60) return `${seconds} s`
  if (span < HOUR) return pair(Math.floor(seconds / 60), 'min', seconds % 60, 's')
  const minutes = Math.round(span / MINUTE)
  return pair(Math.floor(minutes / 60), 'h', minutes % 60, 'min')
}

/** How old something is, one unit: `12 s`, `3 min`, `5 h`, `9 d`. */
export function age(milliseconds: number): string {
  const span = Math.max(0, milliseconds)
  if (span < MINUTE) return `${Math.floor(span / SECOND)} s`
  if (span < HOUR) return `${Math.floor(span / MINUTE)} min`
  if (span < 2 * DAY) return `${Math.floor(span / HOUR)} h`
  return `${Math.floor(span / DAY)} d`
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`
}
