// Amounts of bytes in decimal units, as Docker's own client shows a pull.

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB']

/** `512 B`, `3.2 MB`, `118 MB`. */
export function bytes(amount: number): string {
  let value = Math.max(0, amount)
  let unit = 0
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000
    unit++
  }
  const text = unit === 0 || value >= 99.95 ? String(Math.round(value)) : value.toFixed(1)
  return `${text} ${UNITS[unit] ?? 'B'}`
}
