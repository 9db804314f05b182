// Tables of the tests that try every row, and the few rows that the usual tests take of them, others each time.

import { appendFileSync } from 'node:fs'

/** Rows in the order in which they are run; GRAFT_ROWS names a file that has each as soon as it is there. */
export function tableRows(): {
  readonly all: readonly (readonly string[])[]
  add(row: readonly string[], more?: string): void
} {
  const all: (readonly string[])[] = []
  const file = process.env['GRAFT_ROWS']
  return {
    all,
    add(row, more = '') {
      all.push(row)
      if (file !== undefined) appendFileSync(file, `${row.join(' | ')}\n${more === '' ? '' : `${more}\n`}`)
    },
  }
}

/** Prints the rows under their header, each column as wide as it must be. */
export function printRows(title: string, header: readonly string[], rows: readonly (readonly string[])[]): void {
  const all = [header, ...rows]
  const width = (column: number) => Math.max(...all.map((row) => row[column]?.length ?? 0))
  const widths = header.map((_, column) => width(column))
  const lines = all.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  console.log(['', title, ...lines, `${rows.length} rows`, ''].join('\n'))
}

export interface Sampler {
  /** How to take the same rows again. */
  readonly words: string
  take<Row>(rows: readonly Row[], count: number): Row[]
}

/** By GRAFT_SEED where it is set; else by the time. */
export function sampler(): Sampler {
  const seed = Number(process.env['GRAFT_SEED'] ?? Date.now() % 1_000_000)
  let state = seed
  // Park and Miller's generator: enough to pick rows with.
  const random = () => (state = (state * 48_271 + 11) % 2_147_483_647) / 2_147_483_647
  return {
    words: `a part of the rows, GRAFT_SEED=${seed}`,
    take(rows, count) {
      const left = rows.map((row, at) => ({ row, at }))
      const taken: { row: (typeof rows)[number]; at: number }[] = []
      while (taken.length < count && left.length > 0) {
        taken.push(...left.splice(Math.floor(random() * left.length), 1))
      }
      return taken.toSorted((a, b) => a.at - b.at).map(({ row }) => row)
    },
  }
}
