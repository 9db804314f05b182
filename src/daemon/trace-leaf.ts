// From a leaf and its generation to the commit that gave it its meaning, and to who wrote that.

import { ledgerEntries } from '../desired/ledger.ts'
import { pullRequestIn, type PullRequest } from '../report/pull-request.ts'
import { RepositoryFault } from '../repository/repository.ts'
import type { CommitFacts } from '../repository/snapshot.ts'
import type { HistoryLine } from './history-index.ts'
import type { IndexedCommit } from './indexed-commit.ts'
import type { Deployment } from './open-deployment.ts'

export interface Origin {
  readonly introduced: CommitFacts
  /** Null where `introduced` is no merge, or the merged line is not known. */
  readonly written: CommitFacts | null
  /** Below the deployment's folder; the line from 1. */
  readonly place: { readonly file: string; readonly line: number }
  readonly pullRequest: PullRequest | null
}

type Opened = Pick<Deployment, 'repository' | 'history'>

/** `line`: the history that is asked. Null where it does not have this generation. */
export async function originOf(
  deployment: Opened,
  line: HistoryLine,
  leaf: string,
  generation: number,
): Promise<Origin | null> {
  const [tip] = line.commits
  if (tip === undefined) return null
  const { ledger } = await deployment.history.at(tip.id)
  const entry = ledgerEntries(ledger, leaf, null).find((one) => one.generation === generation)
  const introduced = entry === undefined ? undefined : line.commits.find(({ id }) => id === entry.commit)
  if (entry === undefined || introduced === undefined) return null
  const written = await writtenIn(deployment, line, introduced, (commit) =>
    commit.claims.some((claim) => claim.generation === generation && claim.digest === entry.digest),
  )
  const texts = [introduced, ...(written === null ? [] : [written])]
  let pullRequest: PullRequest | null = null
  for (const { id } of texts) pullRequest ??= pullRequestIn((await deployment.repository.commitText(id)).message)
  const { file, line: number } = entry
  return {
    introduced: factsOf(introduced),
    written: written === null ? null : factsOf(written),
    place: { file, line: number },
    pullRequest,
  }
}

/** The oldest commit of the merged line that claims it. */
async function writtenIn(
  { history }: Opened,
  line: HistoryLine,
  { parents }: IndexedCommit,
  claims: (commit: IndexedCommit) => boolean,
): Promise<IndexedCommit | null> {
  const [, side] = parents
  if (side === undefined) return null
  const trunk = new Set(line.commits.map(({ id }) => id))
  let found: IndexedCommit | null = null
  for (const commit of (await history.along(side)).commits) {
    if (trunk.has(commit.id)) break
    if (claims(commit)) found = commit
  }
  return found
}

/** Null where the repository does not have it any more. */
export async function commitOf({ repository }: Opened, line: HistoryLine, id: string): Promise<CommitFacts | null> {
  const known = line.commits.find((commit) => commit.id === id)
  if (known !== undefined) return factsOf(known)
  if (!/^[0-9a-f]{40}$/.test(id)) return null
  try {
    return await repository.resolve(id)
  } catch (error) {
    if (error instanceof RepositoryFault) return null
    throw error
  }
}

function factsOf({ id, parents, subject, author, time }: IndexedCommit): CommitFacts {
  return { id, parents, subject, author, time }
}
