// Which figures have to stay below what, and whether they did.

import type { Sample } from './samples.ts'

export interface Bound {
  readonly what: string
  readonly first: number
  readonly last: number
  readonly most: number
  readonly limit: number
  readonly holds: boolean
}

/** The last third is a time in which graft's process is left alone: what leaks shows there. */
export function bounds(samples: readonly Sample[], seconds: number): Bound[] {
  const settled = samples.filter(({ age }) => age > 0.5)
  const quiet = settled.slice(-Math.max(3, Math.floor(samples.length / 3)))
  const commits = samples.at(-1)?.commits ?? 0
  const early = (key: keyof Sample) => median(quiet.slice(0, Math.ceil(quiet.length / 3)).map((one) => one[key]))
  const bound = (what: string, key: keyof Sample, limit: number): Bound => {
    const values = settled.map((one) => one[key])
    const most = Math.max(0, ...values)
    return {
      what,
      first: values[0] ?? 0,
      last: values.at(-1) ?? 0,
      most,
      limit: Math.round(limit),
      holds: most <= limit,
    }
  }
  const steady = (what: string, key: keyof Sample, slack: number): Bound => {
    const values = quiet.map((one) => one[key])
    const late = median(values.slice(-Math.ceil(values.length / 3)))
    const limit = early(key) + slack
    return {
      what,
      first: early(key),
      last: late,
      most: Math.max(0, ...values),
      limit: Math.round(limit),
      holds: late <= limit,
    }
  }
  return [
    bound('memory of graft, MB', 'memory', 400),
    steady('memory, undisturbed, MB', 'memory', 60),
    bound('memory of its children, MB', 'childMemory', 600),
    bound('file descriptors', 'descriptors', 200),
    steady('file descriptors, undisturbed', 'descriptors', 30),
    bound('child processes', 'children', 4),
    bound('packs in the clone', 'packs', 101),
    bound('clone, KB', 'clone', 2_000 + commits * 60),
    bound('notes, KB', 'notes', 1_000 + commits * 40),
    bound('state folder, KB', 'state', 4_000 + commits * 120),
    bound('log, KB', 'log', 50 + seconds * 1.5),
    bound('containers', 'containers', 75),
    bound('tags of graft', 'tags', 250),
  ]
}

function median(values: readonly number[]): number {
  const sorted = [...values].toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

export function boundLines(list: readonly Bound[]): string[] {
  const rows = list.map(({ what, first, last, most, limit, holds }) => [
    what,
    String(first),
    String(last),
    String(most),
    String(limit),
    holds ? 'yes' : 'NO',
  ])
  return table([['figure', 'first', 'last', 'most', 'limit', 'held'], ...rows])
}

export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const [head = [], ...body] = rows
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...body.map(line)]
}
