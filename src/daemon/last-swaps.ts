// The last swap of each leaf, in one small file of the state folder. It is worth showing and nothing depends on it: a
// file that is damaged or cannot be written is forgotten.

import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

import { z } from 'zod'

import type { TableResult } from '../apply/outcome.ts'
import type { Verdict } from '../plan/verdict.ts'
import type { LastSwap } from '../report/status.ts'

export interface LastSwaps {
  all(): ReadonlyMap<string, LastSwap>
  /** Takes note of a table that went through. `verdicts`: what was planned for its leaves. */
  note(result: TableResult, verdicts: ReadonlyMap<string, Verdict>): void
  /** Resolves when what was noted is on the disk, or could not be put there. */
  written(): Promise<void>
}

/** A thousand leaves are more than an engine holds; the oldest swaps go first. */
const MOST = 1_000

const milliseconds = z.number().nonnegative()
const swap = z.object({
  at: milliseconds,
  from: z.number().int(),
  to: z.number().int(),
  order: z.enum(['start-first', 'stop-first']),
  gate: milliseconds.nullable(),
  gap: milliseconds.nullable(),
  drain: z
    .object({
      how: z.enum(['idle', 'time', 'closing']),
      milliseconds,
      open: z.number().int().nonnegative().nullable(),
    })
    .nullable(),
  availability: z
    .object({ port: z.string(), tried: milliseconds, lost: milliseconds, longestPause: milliseconds })
    .nullable(),
})
const content = z.object({ format: z.literal(1), swaps: z.record(z.string(), swap) })

/** `file` null: kept for as long as the process runs. */
export async function openLastSwaps(file: string | null): Promise<LastSwaps> {
  const swaps = file === null ? new Map<string, LastSwap>() : await readSwaps(file)
  let writing: Promise<void> = Promise.resolve()
  let waiting = false

  async function write(target: string): Promise<void> {
    waiting = false
    const beside = `${target}.${process.pid}.new`
    const kept = [...swaps].toSorted(([, a], [, b]) => b.at - a.at).slice(0, MOST)
    try {
      await mkdir(dirname(target), { recursive: true, mode: 0o700 })
      await writeFile(beside, `${JSON.stringify({ format: 1, swaps: Object.fromEntries(kept) })}\n`, { mode: 0o600 })
      await rename(beside, target)
    } catch {
      await rm(beside, { force: true }).catch(() => undefined)
    }
  }

  return {
    all: () => swaps,
    note(result, verdicts) {
      const before = swaps.size
      let changed = false
      for (const leaf of result.table.leaves) {
        const made = swapIn(result, verdicts.get(leaf))
        if (made === null) continue
        changed = true
        swaps.set(leaf, made)
      }
      if (swaps.size > MOST && swaps.size > before) forgetOldest(swaps)
      if (!changed || file === null || waiting) return
      // Many tables end in a burst; the file is written once after it.
      waiting = true
      writing = writing.then(() => write(file))
    },
    written: () => writing,
  }
}

/** Null where the leaf was not swapped: made for the first time, mended in place, a job. */
function swapIn({ outcome, endedAt, table, ...measured }: TableResult, verdict: Verdict | undefined): LastSwap | null {
  if (outcome.kind !== 'done' || verdict?.kind !== 'replace' || verdict.order === null) return null
  const { leaf, fromGeneration: from, toGeneration: to, order } = verdict
  const onlyImage = [...table.prepare, ...table.commit].every(({ action }) => action.do === 'image')
  if (from === null || to === null || onlyImage) return null
  return {
    at: endedAt,
    from,
    to,
    order: order.kind,
    gate: measured.gates.get(leaf) ?? null,
    gap: measured.gaps.get(leaf) ?? (order.kind === 'start-first' ? 0 : null),
    drain: measured.drains.get(leaf) ?? null,
    availability: measured.availability.get(leaf) ?? null,
  }
}

function forgetOldest(swaps: Map<string, LastSwap>): void {
  const [oldest] = [...swaps].toSorted(([, a], [, b]) => a.at - b.at)
  if (oldest !== undefined) swaps.delete(oldest[0])
}

async function readSwaps(file: string): Promise<Map<string, LastSwap>> {
  try {
    const parsed = content.safeParse(JSON.parse(await readFile(file, 'utf8')))
    return new Map(parsed.success ? Object.entries(parsed.data.swaps) : [])
  } catch {
    return new Map()
  }
}
