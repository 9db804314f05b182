// A mistake in one YAML file, found by its shape alone: where in the data, what is wrong, what would be right.

export interface Issue {
  /** Keys and list indexes from the top of the file. */
  readonly path: readonly (string | number)[]
  /** Whether the key at the end of the path is at fault, or its value. */
  readonly at: 'key' | 'value'
  /** One sentence without a closing full stop. */
  readonly message: string
  /** One sentence without a closing full stop. */
  readonly remedy: string
}

/** The most issues that one file reports; a file with more is another kind of file. */
export const MOST_ISSUES = 100

/** The first issues, and where there are more, how many. */
export function limited(issues: readonly Issue[]): Issue[] {
  if (issues.length <= MOST_ISSUES) return [...issues]
  const more = `${issues.length - MOST_ISSUES} more mistakes in this file`
  return [
    ...issues.slice(0, MOST_ISSUES),
    { path: [], at: 'value', message: more, remedy: 'correct those above first' },
  ]
}
