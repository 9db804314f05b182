// Reads a commit object's headers and first line.

import { DamagedStore, isOid, MissingObject } from './git-object.ts'
import type { ObjectStore } from './object-store.ts'
import type { CommitText, Person } from './repository.ts'
import type { CommitFacts } from './snapshot.ts'

export interface Commit extends CommitFacts {
  /** Id of its root tree. */
  readonly tree: string
}

/** The commit with this id. Throws MissingObject, DamagedStore (also where the object is no commit). */
export function readCommit(store: ObjectStore, oid: string): Commit {
  const { type, content } = store.read(oid)
  if (type !== 'commit') throw new DamagedStore(`object ${oid} is a ${type}, not a commit`)
  return parseCommit(oid, content)
}

export function parseCommit(id: string, content: Buffer): Commit {
  const blank = content.indexOf('\n\n')
  const head = content.toString('utf8', 0, blank < 0 ? content.length : blank)
  let tree = ''
  let author = ''
  let time = 0
  const parents: string[] = []
  for (const line of head.split('\n')) {
    if (line.startsWith('tree ')) tree = line.slice(5)
    else if (line.startsWith('parent ')) parents.push(line.slice(7))
    else if (line.startsWith('author ')) author = nameIn(line.slice(7))
    else if (line.startsWith('committer ')) time = timeIn(line)
    else if (line.startsWith('gpgsig')) break
  }
  if (!isOid(tree)) throw new DamagedStore(`commit ${id} names no tree`)
  if (!parents.every(isOid)) throw new DamagedStore(`commit ${id} names a parent that is no commit`)
  return { id, tree, parents, subject: blank < 0 ? '' : subjectIn(content, blank + 2), author, time }
}

/** The whole message, and both persons. Throws MissingObject, DamagedStore. */
export function readCommitText(store: ObjectStore, oid: string): CommitText {
  const { content } = store.read(oid)
  const { id, parents } = parseCommit(oid, content)
  const text = content.toString('utf8')
  const blank = text.indexOf('\n\n')
  const head = blank < 0 ? text : text.slice(0, blank)
  const personAfter = (key: string): Person & { time: number } => {
    const line = new RegExp(`^${key} (.*)$`, 'm').exec(head)?.[1] ?? ''
    return { name: nameIn(line), email: / <([^>]*)>/.exec(line)?.[1] ?? '', time: timeIn(line) }
  }
  const message = blank < 0 ? '' : text.slice(blank + 2).replace(/^\n+|\s+$/g, '')
  return { id, parents, message, author: personAfter('author'), committer: personAfter('committer') }
}

/** What other rooms see of a commit. */
export function factsOf({ id, parents, subject, author, time }: Commit): CommitFacts {
  return { id, parents, subject, author, time }
}

/**
 * Follows annotated tags to the object they name at last; null where that is no commit, or it is missing.
 */
export function peelToCommit(store: ObjectStore, oid: string): string | null {
  let current = oid
  for (let step = 0; step < 10; step++) {
    let part
    try {
      part = store.readUpTo(current, 1024 * 1024)
    } catch (error) {
      if (error instanceof MissingObject && step === 0) return null
      throw error
    }
    if (part.type === 'commit') return current
    const target = /^object ([0-9a-f]{40})\n/.exec(part.type === 'tag' ? (part.content?.toString('latin1') ?? '') : '')
    if (target?.[1] === undefined) return null
    current = target[1]
  }
  return null
}

/** Characters of a person's name that are shown. */
const LONGEST_NAME = 200
/** The end of the year 9999: what lies beyond is no time that could be written down. */
const LAST_SECOND = 253_402_300_799

function nameIn(person: string): string {
  const bracket = person.lastIndexOf(' <')
  return (bracket < 0 ? person : person.slice(0, bracket)).slice(0, LONGEST_NAME)
}

function timeIn(line: string): number {
  const found = /> (-?\d+) [+-]\d+$/.exec(line)
  const seconds = found === null ? 0 : Number(found[1])
  return Math.abs(seconds) > LAST_SECOND ? 0 : seconds * 1000
}

/** The first paragraph in one line, as `git log --format=%s` gives it; at most 1,000 characters. */
function subjectIn(content: Buffer, from: number): string {
  const message = content.toString('utf8', from, from + 16_384).replace(/^\n+/, '')
  const end = message.search(/\n[ \t]*(\n|$)/)
  return (end < 0 ? message : message.slice(0, end))
    .trim()
    .split(/\s*\n\s*/)
    .join(' ')
    .slice(0, 1000)
}
