// A problem is a person's mistake in the repository or the settings, as data: where, what, and what would be right.

export interface Problem {
  /** Path below the deployment's folder; null where no file is at fault (an empty tree). */
  readonly file: string | null
  /** 1-based; null where the whole file is meant. */
  readonly line: number | null
  /** 1-based, in UTF-16 units; null with a null line. */
  readonly column: number | null
  /** The offending text as written, cut to at most 80 characters. */
  readonly text: string | null
  /** What is wrong, one sentence without a closing full stop. */
  readonly message: string
  /** What would be right, one sentence without a closing full stop. */
  readonly remedy: string
  /** The leaf that is concerned, where it is known: ledger and policy problems hold this leaf alone. */
  readonly leaf: string | null
  /**
   * `unreadable`: the commit does not read and changes nothing at all.
   * `held`: only this leaf, and what depends on it, is held (ledger, policy).
   * `warning`: said, and nothing follows from it.
   */
  readonly severity: 'unreadable' | 'held' | 'warning'
}

/** Order by file, line, column, message, so that the same commit always prints the same list. */
export function compareProblems(a: Problem, b: Problem): number {
  return (
    compareText(a.file ?? '', b.file ?? '') ||
    (a.line ?? 0) - (b.line ?? 0) ||
    (a.column ?? 0) - (b.column ?? 0) ||
    compareText(a.message, b.message)
  )
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
