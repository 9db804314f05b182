// What `npm run bench` takes on its command line.

import { parseArgs } from 'node:util'

export interface BenchOptions {
  /** One round and 100 containers instead of 500: for CI. */
  readonly small: boolean
  readonly rounds: number
  /** Swaps under load, by each contender. */
  readonly swaps: number
  /** Containers of the large fleet; 0 leaves it out. */
  readonly many: number
  /** Commits of the long history. */
  readonly commits: number
  /** Seconds for which the daemon is watched. */
  readonly daemonSeconds: number
  /** An engine that runs already; absent: one is brought up. */
  readonly engine: string | null
  /** File for the results. */
  readonly json: string | null
  readonly parts: ReadonlySet<Part>
}

const PARTS = ['race', 'swaps', 'turns', 'trees', 'git', 'memory'] as const
export type Part = (typeof PARTS)[number]
export const WITHOUT_ENGINE: ReadonlySet<Part> = new Set(['trees', 'git'])

export const USAGE = `npm run bench -- [options] [PARTS]

  --small          one round, 2 swaps under load, 100 containers instead of 500, 300 commits instead of 2,000, the
                   daemon watched for 20 s
  --rounds N       rounds of the comparison (3)
  --json FILE      the results as data
  --engine URL     an engine that runs already, instead of one that is brought up for the purpose
  --only PARTS     ${PARTS.join(',')} (all); as plain words, too: npm run bench -- swaps

Everything is measured in this run: graft, Docker Compose 2 and bare engine calls on the same engine, in turns.`

/** null: help is wanted. Throws TypeError with words for a person. */
export function readOptions(args: readonly string[]): BenchOptions | null {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      small: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      json: { type: 'string' },
      engine: { type: 'string' },
      only: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  const named = [...(values.only?.split(',') ?? []), ...positionals]
  const only = named.length === 0 ? [...PARTS] : named
  const unknown = only.find((name) => !PARTS.some((part) => part === name))
  if (unknown !== undefined) throw new TypeError(`The parts are ${PARTS.join(', ')}, not ${unknown}`)
  const rounds = Number(values.rounds ?? (values.small ? 1 : 3))
  if (!Number.isInteger(rounds) || rounds < 1) throw new TypeError('--rounds takes a whole number from 1')
  return {
    small: values.small,
    rounds,
    swaps: values.small ? 2 : 10,
    many: values.small ? 100 : 500,
    commits: values.small ? 300 : 2_000,
    daemonSeconds: values.small ? 20 : 120,
    engine: values.engine ?? null,
    json: values.json ?? null,
    parts: new Set(PARTS.filter((part) => only.includes(part))),
  }
}
