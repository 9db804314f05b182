// The thread that reads long stretches of history. It is sent what differs from commit to commit, and answers with
// their lines of the index.

import { parentPort, workerData } from 'node:worker_threads'

import type { ReadLimits } from '../desired/read-limits.ts'
import { createReader } from '../desired/read.ts'
import type { SnapshotEntry } from '../repository/snapshot.ts'
import { createHistoryScan } from './history-scan.ts'
import type { IndexedCommit } from './indexed-commit.ts'
import type { ScanAnswer, ScanStep } from './scan-apart.ts'

const scan = createHistoryScan(createReader(workerData as ReadLimits))

let answers: IndexedCommit[] = []

parentPort?.on('message', (steps: readonly ScanStep[]) => {
  for (const step of steps) take(step)
  parentPort?.postMessage({ steps: steps.length, entries: answers } satisfies ScanAnswer)
  answers = []
})

function take({ commit, recorded, changed, removed, refused }: ScanStep): void {
  const before = scan.last?.snapshot.entries ?? new Map<string, SnapshotEntry>()
  const entries = new Map(before)
  for (const path of removed) entries.delete(path)
  let added = false
  for (const entry of changed) {
    added ||= !entries.has(entry.path)
    entries.set(entry.path, entry)
  }
  const snapshot = { commit, entries: added ? inOrder(entries) : entries, refused }
  const files = [...changed.map(({ path }) => path), ...removed]
  if (recorded) answers.push(scan.add(commit, snapshot, undefined, files))
  else scan.see(commit.id, snapshot)
}

/** Snapshots are in the order of their paths, by UTF-16 code units. */
function inOrder(entries: ReadonlyMap<string, SnapshotEntry>): Map<string, SnapshotEntry> {
  return new Map([...entries].sort(([a], [b]) => (a < b ? -1 : 1)))
}
