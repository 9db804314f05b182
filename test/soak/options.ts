// What `npm run soak` takes on its command line.

import { parseArgs } from 'node:util'

export interface SoakOptions {
  readonly minutes: number
  /** The same seed makes the same commits and faults, in the same order. */
  readonly seed: number
  /** Folder for the samples and the rounds; absent: none are written. */
  readonly out: string | null
}

export const USAGE = `npm run soak -- [options]

  --hours N      how long (2)
  --minutes N    the same in minutes
  --seed N       which commits and faults, in which order (random)
  --out FOLDER   writes samples.csv, rounds.jsonl, graft.log and summary.json there

Needs root on Debian or Ubuntu: it brings up a Docker Engine of its own.`

/** null: help is wanted. Throws TypeError with words for a person. */
export function readOptions(args: readonly string[]): SoakOptions | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      hours: { type: 'string' },
      minutes: { type: 'string' },
      seed: { type: 'string' },
      out: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) return null
  const minutes =
    values.minutes === undefined ? number('hours', values.hours ?? '2') * 60 : number('minutes', values.minutes)
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : number('seed', values.seed)
  return { minutes, seed, out: values.out ?? null }
}

function number(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0) throw new TypeError(`--${name} ${text} is no number above zero`)
  return value
}
