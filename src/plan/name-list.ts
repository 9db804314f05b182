// Several names in one sentence.

const MOST = 5

/** `a`, `a and b`, `a, b and c`; of many the first few and how many more there are. */
export function inWords(names: readonly string[]): string {
  if (names.length > MOST) return `${names.slice(0, MOST - 1).join(', ')} and ${names.length - MOST + 1} more`
  const last = names.at(-1) ?? ''
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`
}
