// The judgement over a commit, or over the files as they lie in the work tree.

import type { HostFiles } from '../daemon/host-files.ts'
import type { Deployment, Judgement } from '../daemon/open-deployment.ts'
import { RepositoryFault } from '../repository/repository.ts'
import type { CommitFacts } from '../repository/snapshot.ts'

export interface Judged {
  readonly judgement: Judgement
  /** The commit that was judged, or that the work tree is based on; null in a repository without commits. */
  readonly base: CommitFacts | null
}

/** Throws RepositoryFault. */
export async function judgeWork(deployment: Deployment, worktree: boolean, host: HostFiles | null): Promise<Judged> {
  if (worktree) {
    const base = await headOf(deployment)
    return { judgement: await deployment.judgeWorktree(base?.id ?? null, host), base }
  }
  const { commit: base } = await deployment.repository.refresh()
  return { judgement: await deployment.judgeTip(base, host), base }
}

/** The commit that a work tree is based on; null in a repository without commits. Throws RepositoryFault. */
export async function headOf({ repository }: Pick<Deployment, 'repository'>): Promise<CommitFacts | null> {
  try {
    return await repository.resolve('HEAD')
  } catch (error) {
    if (error instanceof RepositoryFault && error.kind === 'missing-ref') return null
    throw error
  }
}
