// Reads files as if a commit held them, and asks of every answer what must hold of all: no crash, words for each problem,
// no reader that is slower than a person would notice.

import { createHash } from 'node:crypto'

import { expect } from 'vitest'

import { NO_POLICY, type Policy } from '../../src/desired/policy.ts'
import { judgePolicy } from '../../src/desired/policy-judge.ts'
import type { Problem } from '../../src/desired/problem.ts'
import { DEFAULT_READ_LIMITS, type ReadLimits } from '../../src/desired/read-limits.ts'
import { createReader, type ReadResult } from '../../src/desired/read.ts'
import type { EntryKind, Snapshot, SnapshotEntry } from '../../src/repository/snapshot.ts'

export type Files = Readonly<Record<string, string | Uint8Array>>

export function snapshotOf(files: Files | ReadonlyMap<string, string | Uint8Array>): Snapshot {
  const list = files instanceof Map ? [...files] : Object.entries(files)
  const entries = list
    .map(([path, content]): [string, SnapshotEntry] => [path, entryOf(path, content)])
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return { commit: null, entries: new Map(entries) }
}

export function entryOf(path: string, content: string | Uint8Array, kind: EntryKind = 'file'): SnapshotEntry {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  const oid = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
  return { path, kind, oid, executable: false, size: bytes.length, content: kind === 'file' ? bytes : null }
}

export interface Answer extends ReadResult {
  readonly milliseconds: number
}

/** Reads, and checks what holds of every answer. `most`: milliseconds. */
export function readSafely(snapshot: Snapshot, most = 1_000, limits: ReadLimits = DEFAULT_READ_LIMITS): Answer {
  const begun = process.cpuUsage()
  const result = createReader(limits).read(snapshot, { host: null })
  // Of the processor, so that a busy machine does not count.
  const used = process.cpuUsage(begun)
  const milliseconds = (used.user + used.system) / 1000
  expect(milliseconds, 'reading took too long').toBeLessThan(most)
  expectWords(result.problems)
  expect(result.tree === null).toBe(result.problems.some(({ severity }) => severity === 'unreadable'))
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  return { ...result, milliseconds }
}

/** Every leaf of a tree that reads is judged by the policy without a crash, and each refusal has words. */
export function judgeSafely({ tree }: ReadResult, policy: Policy = NO_POLICY): number {
  if (tree === null) return 0
  const problems = [...tree.leaves.values()].flatMap((leaf) => judgePolicy(leaf, tree, policy, false) ?? [])
  expectWords(problems)
  return problems.length
}

export function expectWords(problems: readonly Problem[]): void {
  for (const { message, remedy, line, column } of problems) {
    expect(message).not.toBe('')
    expect(remedy).not.toBe('')
    for (const text of [message, remedy]) {
      expect(text).not.toMatch(/\[object Object\]|undefined is not|Cannot read|is not a function|at .*\.ts:\d/)
    }
    if (line !== null) expect(line).toBeGreaterThan(0)
    if (column !== null) expect(column).toBeGreaterThan(0)
  }
}
