// Reads a long stretch of history in a thread of its own, so that whoever waits for the rest of graft does not notice.
// Only what differs from commit to commit goes there.

import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'

import type { CommitFacts, Snapshot, SnapshotEntry } from '../repository/snapshot.ts'
import type { ReadLimits } from '../desired/read-limits.ts'
import type { IndexedCommit } from './indexed-commit.ts'

export interface ScanStep {
  readonly commit: CommitFacts
  /** False: only the next commit is to be compared with it. */
  readonly recorded: boolean
  /** Entries that differ from those of the step before, and paths that are gone. */
  readonly changed: readonly SnapshotEntry[]
  readonly removed: readonly string[]
  readonly refused: NonNullable<Snapshot['refused']>
}

export interface ScanAnswer {
  /** How many it took. */
  readonly steps: number
  /** A line for each that was recorded. */
  readonly entries: readonly IndexedCommit[]
}

export interface Stretch {
  readonly limits: ReadLimits
  /** Ids of commits that the first one is compared with: the newest that reads, then the first parent; oldest first. */
  readonly base: readonly string[]
  /** Oldest first. */
  readonly commits: readonly CommitFacts[]
  snapshot(commit: string, base?: Snapshot): Promise<Snapshot>
  /** Called for each commit, in order. */
  onEntry(entry: IndexedCommit): void
}

/** The thread could not be started, or ended: what is left of the stretch has to be read in another way. */
export class ThreadLost extends Error {}

/** Steps that go to the thread at once: each message costs both sides more than most steps do. */
const AT_ONCE = 16
/** Steps on their way to the thread; more would only fill the memory. */
const AHEAD = 4 * AT_ONCE

/** Throws ThreadLost, and whatever `snapshot` throws. */
export async function scanApart({ limits, base, commits, snapshot, onEntry }: Stretch): Promise<void> {
  const thread = openThread(limits, onEntry)
  try {
    let last: Snapshot | undefined
    for (const id of base) {
      const next = await snapshot(id, last)
      if (next.commit !== null) await thread.send(stepTo(next.commit, false, next, last))
      last = next
    }
    for (const facts of commits) {
      const next = await snapshot(facts.id, last)
      await thread.send(stepTo(facts, true, next, last))
      last = next
    }
    await thread.idle()
  } finally {
    await thread.close()
  }
}

function stepTo(commit: CommitFacts, recorded: boolean, next: Snapshot, last: Snapshot | undefined): ScanStep {
  const changed: SnapshotEntry[] = []
  for (const [path, entry] of next.entries) if (last?.entries.get(path) !== entry) changed.push(entry)
  const removed: string[] = []
  for (const path of last?.entries.keys() ?? []) if (!next.entries.has(path)) removed.push(path)
  return { commit, recorded, changed, removed, refused: next.refused ?? [] }
}

interface Thread {
  /** Resolves when there is room for the next step. */
  send(step: ScanStep): Promise<void>
  /** Resolves when every step was answered. */
  idle(): Promise<void>
  close(): Promise<void>
}

function openThread(limits: ReadLimits, onEntry: (entry: IndexedCommit) => void): Thread {
  const worker = new Worker(workerFile(), { workerData: limits })
  let waiting = 0
  let unsent: ScanStep[] = []
  let lost: ThreadLost | null = null
  let notify: () => void = () => undefined
  worker.on('message', ({ steps, entries }: ScanAnswer) => {
    waiting -= steps
    for (const entry of entries) onEntry(entry)
    notify()
  })
  const end = (error: unknown): void => {
    lost ??= new ThreadLost(error instanceof Error ? error.message : String(error))
    notify()
  }
  worker.on('error', end)
  worker.on('exit', (code) => end(`the thread ended with ${code}`))

  function flush(): void {
    worker.postMessage(unsent)
    unsent = []
  }

  async function until(most: number): Promise<void> {
    while (lost === null && waiting > most) await new Promise<void>((resolve) => (notify = resolve))
    if (lost !== null) throw lost
  }

  return {
    async send(step) {
      await until(AHEAD - 1)
      waiting++
      unsent.push(step)
      if (unsent.length >= AT_ONCE) flush()
    },
    idle() {
      flush()
      return until(0)
    },
    async close() {
      await worker.terminate()
    },
  }
}

/** Compiled, this file lies beside the thread's; run from the sources (by tests), the compiled one is in `dist`. */
function workerFile(): string {
  const own = import.meta.url
  return fileURLToPath(
    new URL(own.endsWith('.ts') ? '../../dist/daemon/history-worker.js' : './history-worker.js', own),
  )
}
