// What is said when a branch is not there: the branches that are, nearest name first.

import { RepositoryFault } from './repository.ts'

const SHOWN = 10

/** `branches` are short names; `where` names the repository. */
export function missingRef(wanted: string, branches: readonly string[], where: string): RepositoryFault {
  if (branches.length === 0) return emptyRepository(where)
  const near = [...branches]
    .map((name) => ({ name, distance: distance(wanted, name) }))
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, SHOWN)
    .map(({ name }) => name)
  const rest = branches.length - near.length
  const list = near.join(', ') + (rest > 0 ? ` and ${rest} more` : '')
  return new RepositoryFault(
    'missing-ref',
    `${where} has no branch or tag “${wanted}”; its branches are: ${list}`,
    'Name one of them with --ref, or push the missing one',
  )
}

export function emptyRepository(where: string, remedy = 'Commit something to it and push'): RepositoryFault {
  return new RepositoryFault('missing-ref', `${where} has no commit yet`, remedy)
}

export function missingCommit(commit: string, where: string): RepositoryFault {
  return new RepositoryFault(
    'missing-ref',
    `${where} has no commit ${commit} on any of its branches`,
    'Correct the commit id, or push a branch or tag that holds it',
  )
}

export function missingFolder(folder: string, commit: string, why: string): RepositoryFault {
  return new RepositoryFault(
    'not-found',
    `commit ${commit.slice(0, 10)} has no folder “${folder}”${why}`,
    'Correct --path, or commit the folder',
  )
}

/** Levenshtein's distance: how many letters must change. */
function distance(from: string, to: string): number {
  const a = from.slice(0, 100)
  const b = to.slice(0, 100)
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
