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
