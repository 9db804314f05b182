// One row for each thing that somebody hostile, or only careless, may hand in: what it is, and what held. Rows are tests;
// the table of a file is printed when its last row has run.

import { afterAll, it } from 'vitest'

/** Random inputs of a row: many with `npm run test:inputs`, few in `npm test`. */
export const EVERY = process.env['GRAFT_INPUTS'] === 'every'

/** On a slow machine, a part of the random inputs of every row: `GRAFT_INPUTS_PART=0.1`. */
const PART = Number(process.env['GRAFT_INPUTS_PART'] ?? 1)

/** `few` in a usual run, `many` in a run of every row. */
export function runs(few: number, many: number): number {
  return EVERY ? Math.max(few, Math.ceil(many * PART)) : few
}

export interface InputTable {
  /** `check` gives what held, in a few words. */
  row(what: string, check: () => string | Promise<string>, timeout?: number): void
  /** A row that takes long: it runs with `npm run test:inputs`, and is listed as not run else. */
  longRow(what: string, check: () => string | Promise<string>, timeout?: number): void
}

/** `share`: how many of the rows a usual run takes, at random; the table says of each whether it ran. */
export function inputTable(title: string, { share = 1 }: { readonly share?: number } = {}): InputTable {
  const rows: { what: string; held: string; milliseconds: number | null }[] = []

  function row(what: string, check: () => string | Promise<string>, timeout?: number): void {
    // A file without any test is an error.
    if (!EVERY && rows.length > 0 && Math.random() >= share) {
      rows.push({
        what,
        held: 'not run: a usual run takes a few; npm run test:inputs runs every row',
        milliseconds: null,
      })
      return
    }
    const entry = { what, held: 'FAILED', milliseconds: null as number | null }
    rows.push(entry)
    it(
      what,
      async () => {
        const begun = performance.now()
        try {
          entry.held = await check()
        } finally {
          entry.milliseconds = performance.now() - begun
        }
      },
      timeout,
    )
  }

  afterAll(() => {
    const width = Math.max(...rows.map(({ what }) => what.length))
    const lines = rows.map(({ what, held, milliseconds }) => {
      const took = milliseconds === null ? '' : `${Math.round(milliseconds)} ms`
      return `  ${what.padEnd(width)}  ${took.padStart(9)}  ${held}`
    })
    console.log(['', `${title}: ${rows.length} rows`, ...lines, ''].join('\n'))
  })

  return {
    row,
    longRow(what, check, timeout) {
      if (EVERY) row(what, check, timeout)
      else rows.push({ what, held: 'not run: it takes long; npm run test:inputs runs it', milliseconds: null })
    },
  }
}
