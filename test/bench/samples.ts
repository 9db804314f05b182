// Numbers from repeated measurements, and the words they are shown in.

/** Milliseconds; NaN for none. */
export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5)
}

/** The value that 95 of 100 samples do not exceed (nearest rank). */
export function p95(samples: readonly number[]): number {
  return quantile(samples, 0.95)
}

function quantile(samples: readonly number[], part: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  if (part === 0.5 && sorted.length % 2 === 0) {
    const half = sorted.length / 2
    return ((sorted[half - 1] ?? NaN) + (sorted[half] ?? NaN)) / 2
  }
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? NaN
}

/** How long `work` takes, in milliseconds. */
export async function timed<T>(work: () => T | Promise<T>): Promise<{ readonly ms: number; readonly value: T }> {
  const begun = performance.now()
  const value = await work()
  return { ms: performance.now() - begun, value }
}

/** `12.3 s`, `420 ms`, `4.2 ms`. */
export function inWords(ms: number): string {
  if (Number.isNaN(ms)) return '–'
  if (ms >= 1000) return `${(ms / 1000).toFixed(ms >= 10_000 ? 1 : 2)} s`
  return `${ms >= 10 ? ms.toFixed(0) : ms.toFixed(1)} ms`
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(0)} MB`
}

/** A table in Markdown; the first column is left-aligned, the others right. */
export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, column) => Math.max(cell.length, 4, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => pad(cells[column] ?? '', width, column)).join(' | ')} |`
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width)
}
