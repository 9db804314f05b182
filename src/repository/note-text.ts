// The text of a note: a paragraph of words for each host and then a line of JSON for each. Whatever else somebody wrote
// into it stays. What the words and the data mean is not known here.

export interface NoteEntry {
  /** Who told: `shop on alpha`. An entry replaces an older one of the same name. */
  readonly name: string
  /** Milliseconds since 1970. */
  readonly at: number
  /** For people: a paragraph, which begins with the name and a colon; empty for none. */
  readonly words: string
  /** For programs: an object in one line of JSON, with `host`, `deployment` and `at`. */
  readonly data: string
}

export interface NoteText {
  readonly entries: readonly NoteEntry[]
  /** What is no entry, as somebody else wrote it. */
  readonly rest: string
}

/** The name of an entry; a deployment without a name is left out. */
export function entryName(deployment: string, host: string): string {
  return deployment === '' ? host : `${deployment} on ${host}`
}

/** Nothing is lost: what does not read as an entry is part of the rest. Of two entries of one name the newer one counts. */
export function parseNote(text: string): NoteText {
  const found: { name: string; at: number; data: string }[] = []
  const others: string[] = []
  for (const line of text.replaceAll('\r\n', '\n').split('\n')) {
    const named = line.startsWith('{') ? nameIn(line) : null
    if (named === null) others.push(line)
    else found.push({ ...named, data: line.trimEnd() })
  }
  const paragraphs = others
    .join('\n')
    .split(/\n[ \t]*\n+/)
    .map((paragraph) => paragraph.replace(/^\n+|\s+$/g, ''))
    .filter((paragraph) => paragraph !== '')
  // Whoever may push notes may push large ones: each line is looked at once.
  const byName = new Map<string, number[]>()
  for (const [index, paragraph] of paragraphs.entries()) {
    const name = paragraph.slice(0, Math.max(0, paragraph.indexOf(': ')))
    const known = byName.get(name)
    if (known === undefined) byName.set(name, [index])
    else known.push(index)
  }
  for (const queue of byName.values()) queue.reverse()
  const taken = new Set<number>()
  const entries = new Map<string, NoteEntry>()
  for (const { name, at, data } of found) {
    // Two notes that were put together hold two paragraphs and two lines of JSON of one name, in the same order.
    const own = byName.get(name)?.pop()
    const words = own === undefined ? '' : (paragraphs[own] ?? '')
    if (own !== undefined) taken.add(own)
    const known = entries.get(name)
    if (known === undefined || known.at < at) entries.set(name, { name, at, words, data })
  }
  return { entries: [...entries.values()], rest: paragraphs.filter((_, index) => !taken.has(index)).join('\n\n') }
}

/** Entries in order of their names, so that two hosts that merge the same make the same. Ends with a line end. */
export function renderNote({ entries, rest }: NoteText): string {
  const sorted = entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const words = sorted.flatMap((entry) => (entry.words === '' ? [] : [entry.words.trimEnd()]))
  const parts = [...words, ...(rest === '' ? [] : [rest]), sorted.map(({ data }) => data).join('\n')]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

/** `theirs` with what `ours` has besides and newer. */
export function mergeNotes(theirs: string, ours: string): string {
  if (theirs === ours) return theirs
  const [a, b] = [parseNote(theirs), parseNote(ours)]
  const known = new Set(a.rest.split('\n\n'))
  const more = b.rest.split('\n\n').filter((paragraph) => paragraph !== '' && !known.has(paragraph))
  return renderNote({
    entries: withEntries(a.entries, b.entries),
    rest: [...(a.rest === '' ? [] : [a.rest]), ...more].join('\n\n'),
  })
}

/** The note with these entries in place of older ones of the same names. */
export function noteWith(text: string, entries: readonly NoteEntry[]): string {
  const { entries: before, rest } = parseNote(text)
  return renderNote({ entries: withEntries(before, entries), rest })
}

function withEntries(before: readonly NoteEntry[], more: readonly NoteEntry[]): NoteEntry[] {
  const byName = new Map(before.map((entry) => [entry.name, entry]))
  for (const entry of more) {
    const known = byName.get(entry.name)
    if (known === undefined || known.at < entry.at) byName.set(entry.name, entry)
  }
  return [...byName.values()]
}

function nameIn(line: string): { name: string; at: number } | null {
  try {
    const found: unknown = JSON.parse(line)
    if (typeof found !== 'object' || found === null) return null
    const { host, deployment, at } = found as Partial<Record<string, unknown>>
    if (typeof host !== 'string' || typeof deployment !== 'string' || typeof at !== 'number') return null
    return { name: entryName(deployment, host), at }
  } catch {
    return null
  }
}
