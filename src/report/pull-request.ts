// Which pull request a commit came from, as forges write it into the messages of commits and merges. Pure.

export interface PullRequest {
  readonly number: number
  /** What the forge calls it: `pull` requests have a `#`, `merge` requests (GitLab) a `!`. */
  readonly kind: 'pull' | 'merge'
}

/**
 * Null where the message names none. The forms: `Merge pull request #12 from …` (GitHub), `Merge pull request 'Title'
 * (#12) from …` (Gitea, Forgejo), `See merge request group/project!7` (GitLab), `Merged in branch (pull request #3)`
 * (Bitbucket), `Merged PR 5: Title` (Azure), and `Title (#12)` of a squashed one.
 */
export function pullRequestIn(message: string): PullRequest | null {
  const [subject = ''] = message.split('\n', 1)
  const found =
    /^Merge pull request #(\d+) /.exec(subject) ??
    /^Merge pull request .*\(#(\d+)\) from /.exec(subject) ??
    /\(pull request #(\d+)\)\s*$/.exec(subject) ??
    /^Merged PR (\d+): /.exec(subject) ??
    /\(#(\d+)\)\s*$/.exec(subject)
  const number = numberIn(found?.[1])
  if (number !== null) return { number, kind: 'pull' }
  const merge =
    numberIn(/^See merge request \S*!(\d+)\s*$/m.exec(message)?.[1]) ?? numberIn(/\(!(\d+)\)\s*$/.exec(subject)?.[1])
  return merge === null ? null : { number: merge, kind: 'merge' }
}

/** Small enough to be meant. */
function numberIn(digits: string | undefined): number | null {
  return digits !== undefined && digits.length < 10 && Number(digits) > 0 ? Number(digits) : null
}

/** `#12`, `!7`. */
export function pullRequestText({ number, kind }: PullRequest): string {
  return `${kind === 'merge' ? '!' : '#'}${number}`
}
