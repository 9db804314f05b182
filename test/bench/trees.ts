// From a commit to a plan, without an engine: a thousand and ten thousand leaves, cold and with one leaf changed, out
// of a real Git repository through the child process.

import { join } from 'node:path'

import { accept } from '../../src/daemon/accept.ts'
import { createHistoryIndex } from '../../src/daemon/history-index.ts'
import { NO_POLICY } from '../../src/desired/policy.ts'
import { createReader, type Reader } from '../../src/desired/read.ts'
import type { Observed } from '../../src/plan/observed.ts'
import { plan } from '../../src/plan/plan.ts'
import { createRunDigest } from '../../src/plan/run-digest.ts'
import type { Plan } from '../../src/plan/verdict.ts'
import { openRepository } from '../../src/repository/open.ts'
import type { Snapshot } from '../../src/repository/snapshot.ts'
import { inWords, markdown, median, timed } from './samples.ts'
import { settledEngine, treeRepository } from './tree-repository.ts'

/** Milliseconds of each part; `total` is measured by itself. */
export interface PlanTimes {
  readonly total: number
  /** Resolving the branch and fetching what differs, through the child. */
  readonly repository: number
  readonly read: number
  /** The ledger of the commit, its own reading included. */
  readonly ledger: number
  readonly judge: number
  readonly plan: number
}

export interface TreeResult {
  readonly leaves: number
  readonly files: number
  readonly cold: PlanTimes
  readonly changed: PlanTimes[]
  /** Files whose content came out of the repository again, for each change. */
  readonly blobs: number[]
  /** Leaves that were made anew, for each change. */
  readonly leavesRead: number[]
}

const CHANGES = 10

export async function largeTree(leaves: number, say: (text: string) => void): Promise<TreeResult> {
  say(`a repository of ${leaves} leaves`)
  const git = await treeRepository(leaves)
  const repository = await openRepository({ repo: git.folder, cache: join(git.folder, '.git', 'bench-cache') })
  const reader = createReader()
  const history = createHistoryIndex(repository, createReader(), join(git.folder, '.git', 'bench-history.jsonl'))
  const runDigest = createRunDigest(Buffer.alloc(32, 1))
  let snapshot: Snapshot | undefined
  let engine: Observed | null = null

  async function once(): Promise<{
    times: PlanTimes
    plan: Plan
    snapshot: Snapshot
    tree: ReturnType<Reader['read']>['tree']
  }> {
    const begun = performance.now()
    const fetched = await timed(async () => repository.snapshot((await repository.refresh()).commit.id, snapshot))
    const next = fetched.value
    let read = 0
    let ledger = 0
    const judged = await timed(() =>
      accept(next, next.commit?.id ?? null, {
        reader: {
          read(...args) {
            const from = performance.now()
            const result = reader.read(...args)
            read = performance.now() - from
            return result
          },
        },
        history: {
          ...history,
          async at(...args) {
            const { ms, value } = await timed(() => history.at(...args))
            ledger += ms
            return value
          },
        },
        policy: NO_POLICY,
        allowPrivileged: false,
        hostVariables: new Map(),
        deepen: () => repository.deepen(),
      }),
    )
    const { tree, refused, departed, problems } = judged.value
    if (tree === null || problems.length > 0) throw new Error(`the tree does not read: ${JSON.stringify(problems[0])}`)
    // What runs was seen before the commit came, so it is no part of the time.
    const excluded = await timed(() => (engine ??= settledEngine(tree, runDigest)))
    const planned = await timed(() =>
      plan({
        tree,
        observed: excluded.value,
        refused,
        departed,
        runDigest,
        mirror: (reference) => reference,
        waits: new Map(),
        busy: new Set(),
        removals: { limit: 3, confirmed: false },
        probed: new Map(),
        ingress: new Map(),
        leftOut: new Set(),
        restarts: new Set(),
        gaps: new Map(),
        now: 0,
      }),
    )
    const times = {
      total: performance.now() - begun - excluded.ms,
      repository: fetched.ms,
      read,
      ledger,
      judge: judged.ms - read - ledger,
      plan: planned.ms,
    }
    return { times, plan: planned.value, snapshot: next, tree }
  }

  try {
    const cold = await once()
    expectChanges(cold.plan, 0)
    snapshot = cold.snapshot
    let tree = cold.tree
    const result: TreeResult = {
      leaves,
      files: cold.snapshot.entries.size,
      cold: cold.times,
      changed: [],
      blobs: [],
      leavesRead: [],
    }
    for (let change = 0; change < CHANGES; change++) {
      await git.changeOne()
      const before: Snapshot = snapshot
      const now = await once()
      expectChanges(now.plan, 1)
      result.changed.push(now.times)
      result.blobs.push([...now.snapshot.entries].filter(([path, entry]) => before.entries.get(path) !== entry).length)
      result.leavesRead.push(
        [...(now.tree?.leaves ?? [])].filter(([name, leaf]) => tree?.leaves.get(name) !== leaf).length,
      )
      snapshot = now.snapshot
      tree = now.tree
    }
    return result
  } finally {
    await repository.close()
    await git.end()
  }
}

function expectChanges({ verdicts }: Plan, count: number): void {
  const changed = verdicts.filter(({ kind }) => kind !== 'keep')
  if (changed.length !== count)
    throw new Error(`${changed.length} changes, not ${count}: ${JSON.stringify(changed[0])}`)
}

export function treeLines(all: readonly TreeResult[]): string[] {
  const row = (name: string, times: readonly PlanTimes[], extra: readonly string[]): string[] => {
    const part = (key: keyof PlanTimes): string => inWords(median(times.map((each) => each[key])))
    const keys = ['total', 'repository', 'read', 'ledger', 'judge', 'plan'] as const
    return [name, ...keys.map(part), ...extra]
  }
  const rows = all.flatMap(({ leaves, files, cold, changed, blobs, leavesRead }) => [
    row(`${leaves} leaves, cold`, [cold], [String(files), String(leaves)]),
    row(`${leaves} leaves, one changed`, changed, [String(Math.max(...blobs)), String(Math.max(...leavesRead))]),
  ])
  const head = ['commit to plan', 'total', 'repository', 'read', 'ledger', 'judge', 'plan', 'files read', 'leaves read']
  return [
    markdown(head, rows),
    '',
    `One changed: medians of ${CHANGES} commits; the engine's containers are those of the turn before.`,
  ]
}
