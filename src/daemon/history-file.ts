// The history index on disk: one line for each commit, parents before their children. A file that is damaged or of
// another version is read from the repository again.

import { appendFile, mkdir, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setImmediate } from 'node:timers/promises'

import { DEFAULT_READ_LIMITS, type ReadLimits } from '../desired/read-limits.ts'
import { INDEX_HEADER, type IndexedCommit } from './indexed-commit.ts'

/** Lines that are read before others get their turn. */
const AT_ONCE = 200

/** Puts what the file holds into `commits`. */
export async function loadHistory(
  file: string,
  limits: ReadLimits,
  commits: Map<string, IndexedCommit>,
): Promise<void> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch {
    return
  }
  const [head = '', ...lines] = text.split('\n')
  if (head !== headerUnder(limits)) return rm(file, { force: true })
  for (const [number, line] of lines.entries()) {
    if (line === '') continue
    try {
      const entry = JSON.parse(line) as IndexedCommit
      // What lies above a gap is read again, or the ledger would end there.
      const [parent] = entry.parents
      if (parent === undefined || commits.has(parent)) commits.set(entry.id, entry)
    } catch {
      // A line that was cut by a crash; its commit is read again.
    }
    if (number % AT_ONCE === AT_ONCE - 1) await setImmediate()
  }
}

/** Whether an old commit reads depends on what may be read. */
function headerUnder(limits: ReadLimits): string {
  const usual = Object.entries(DEFAULT_READ_LIMITS)
  const unusual = Object.entries(limits).filter(
    ([name, limit]) => !usual.some(([of, by]) => of === name && by === limit),
  )
  return unusual.length === 0 ? INDEX_HEADER : `${INDEX_HEADER} ${JSON.stringify(Object.fromEntries(unusual))}`
}

export async function saveHistory(file: string, limits: ReadLimits, entries: readonly IndexedCommit[]): Promise<void> {
  if (entries.length === 0) return
  await mkdir(dirname(file), { recursive: true })
  // The newline before keeps what a crash may have cut from swallowing the first line.
  const text = `\n${entries.map((entry) => `${JSON.stringify(entry)}\n`).join('')}`
  try {
    await appendFile(file, `${headerUnder(limits)}\n`, { flag: 'ax' })
  } catch {
    // It is there already.
  }
  await appendFile(file, text)
}
