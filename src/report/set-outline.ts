// Leaves, each with the path of its set, as the tree of sets they lie in.

export interface SetOutline<Row> {
  /** Last part of the path; '' for the root. */
  readonly name: string
  readonly path: string
  readonly rows: readonly Row[]
  readonly sets: readonly SetOutline<Row>[]
}

interface Growing<Row> {
  name: string
  path: string
  rows: Row[]
  sets: Growing<Row>[]
}

/** Keeps the order in which rows and sets first appear. */
export function outlineSets<Row extends { readonly set: string | null }>(rows: readonly Row[]): SetOutline<Row> {
  const root: Growing<Row> = { name: '', path: '', rows: [], sets: [] }
  const known = new Map<string, Growing<Row>>([['', root]])
  const setAt = (path: string): Growing<Row> => {
    const found = known.get(path)
    if (found !== undefined) return found
    const slash = path.lastIndexOf('/')
    const parent = setAt(slash === -1 ? '' : path.slice(0, slash))
    const set: Growing<Row> = { name: path.slice(slash + 1), path, rows: [], sets: [] }
    parent.sets.push(set)
    known.set(path, set)
    return set
  }
  for (const row of rows) if (row.set !== null) setAt(row.set).rows.push(row)
  return root
}

/** All rows of a set and of the sets below it. */
export function allRows<Row>(set: SetOutline<Row>): Row[] {
  return [...set.rows, ...set.sets.flatMap((inner) => allRows(inner))]
}
