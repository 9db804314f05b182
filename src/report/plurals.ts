// Counts with their noun.

/** `1 leaf`, `2 leaves`. The plural is the singular with an s where it is not given. */
export function count(amount: number, singular: string, plural = `${singular}s`): string {
  return `${amount} ${amount === 1 ? singular : plural}`
}
