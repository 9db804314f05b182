// A folder's repository read and written by graft's own Git code, without the child process that it otherwise lives in.

import { openAssembly } from '../../../src/repository/assemble.ts'
import { takeCommit } from '../../../src/repository/commit-files.ts'
import { DEFAULT_LIMITS } from '../../../src/repository/limits.ts'
import { openLocalSource } from '../../../src/repository/local-source.ts'
import type { FileBatch } from '../../../src/repository/protocol.ts'
import { RepositoryFault, type Repository } from '../../../src/repository/repository.ts'
import type { CommitFacts } from '../../../src/repository/snapshot.ts'
import { takeAncestors, takeCommitText, takeFirstParents, takeSnapshot } from '../../../src/repository/tasks.ts'

export function localRepository(folder: string): Repository {
  const source = openLocalSource(`${folder}/.git`, folder, null)
  const { signal } = new AbortController()
  const cannot = (): Promise<never> => Promise.reject(new RepositoryFault('unsupported', 'not here', ''))
  return {
    description: folder,
    refresh: () => source.refresh(signal),
    resolve: (revision) => source.resolve(revision, signal),
    async snapshot(commit, base, wanted = 'required') {
      if (base?.commit?.id === commit) return base
      const assembly = openAssembly(base, DEFAULT_LIMITS)
      const takes = { commit, base: base?.commit?.id ?? null, folder: wanted }
      const send = async (batch: FileBatch): Promise<void> => assembly.add(batch)
      const { commit: facts, difference } = await takeSnapshot(await source.objects(), '', DEFAULT_LIMITS, takes, send)
      return assembly.finish(facts, difference)
    },
    async firstParents(commit, known) {
      const { commits, complete } = await takeFirstParents(await source.objects(), { commit, count: 10_000 })
      const end = commits.findIndex(({ id }) => known.has(id))
      return end < 0 ? { commits, complete } : { commits: commits.slice(0, end), complete: true }
    },
    async ancestors(commit) {
      const commits: CommitFacts[] = []
      const send = async (part: CommitFacts[]): Promise<void> => void commits.push(...part)
      const { complete } = await takeAncestors(await source.objects(), { commit }, send)
      return { commits, complete }
    },
    deepen: () => Promise.resolve(false),
    commitFiles: (wish) => takeCommit(source, '', wish, signal),
    commitText: async (commit) => takeCommitText(await source.objects(), { commit }),
    filesOutside: () => Promise.resolve(0),
    worktree: cannot,
    verify: cannot,
    onHint: () => undefined,
    close: () => Promise.resolve(),
  }
}
