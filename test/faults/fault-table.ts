// The rows of one file of faults: what was done, what held meanwhile, what the status said, how long it took to be as
// declared again. Every row that is listed is run, or says why not.

import { afterAll } from 'vitest'

/** `npm run test:faults` runs every row; the usual tests a few. */
export const everyFault = process.env['GRAFT_FAULTS'] === 'every'

export interface FaultRow {
  readonly fault: string
  /** What clients saw, or what else held. */
  readonly held: string
  /** In the status, the log or the command's own words. */
  readonly said: string
  /** Milliseconds from the end of the fault until what runs was as declared; null: nothing had to change. */
  readonly converged: number | null
}

export interface FaultTable {
  add(row: FaultRow): void
  /** Whether this row is to be run; one that is not is listed with the reason. */
  takes(fault: string, alsoUsually: boolean): boolean
}

/** Prints the table at the end of the file. */
export function faultTable(title: string): FaultTable {
  const rows: string[][] = []
  afterAll(() => {
    const header = ['fault', 'what held', 'what was said', 'as declared again']
    const all = [header, ...rows]
    const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
    const lines = all.map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    console.log(['', title, ...lines, ''].join('\n'))
  })
  return {
    add({ fault, held, said, converged }) {
      rows.push([fault, held, cut(said), converged === null ? 'all along' : `in ${(converged / 1000).toFixed(1)} s`])
    },
    takes(fault, alsoUsually) {
      if (everyFault || alsoUsually) return true
      rows.push([fault, 'not run', 'npm run test:faults runs it', ''])
      return false
    },
  }
}

function cut(words: string): string {
  const line = words.replaceAll(/\s+/g, ' ').trim()
  return line.length > 110 ? `${line.slice(0, 109)}…` : line
}
