// Reads the refs of a repository on disk: loose files over packed-refs. Never writes.
// Git documentation, gitrepository-layout, "refs" and "packed-refs".

import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf, isOid } from './git-object.ts'

export interface Refs {
  /** The id a full name (`HEAD`, `refs/heads/main`) stands for; null where there is none. */
  read(name: string): string | null
  /** The full name of the branch that `HEAD` is on, born or not; null where it is detached. */
  headBranch(): string | null
  /** Full names below a prefix such as `refs/heads/`, sorted. */
  list(prefix: string): string[]
}

export function openRefs(gitdir: string): Refs {
  let packed = { stamp: '', refs: new Map<string, string>() }

  function packedRefs(): Map<string, string> {
    const path = join(gitdir, 'packed-refs')
    const facts = statSync(path, { throwIfNoEntry: false })
    const stamp = facts === undefined ? '' : `${facts.mtimeMs} ${facts.size} ${facts.ino}`
    if (stamp !== packed.stamp)
      packed = { stamp, refs: facts === undefined ? new Map() : parsePacked(text(path) ?? '') }
    return packed.refs
  }

  function read(name: string): string | null {
    let current = name
    for (let step = 0; step < 6; step++) {
      if (!isSafe(current)) return null
      const content = text(join(gitdir, current))?.trim() ?? packedRefs().get(current) ?? null
      if (content === null) return null
      if (isOid(content)) return content
      if (!content.startsWith('ref: ')) return null
      current = content.slice(5).trim()
    }
    return null
  }

  return {
    read,
    headBranch() {
      const head = text(join(gitdir, 'HEAD'))?.trim() ?? ''
      return head.startsWith('ref: ') ? head.slice(5).trim() : null
    },
    list(prefix) {
      const found = new Set([...packedRefs().keys()].filter((name) => name.startsWith(prefix)))
      const folders = [prefix.replace(/\/$/, '')]
      for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
        for (const entry of entriesIn(join(gitdir, folder))) {
          const name = `${folder}/${entry.name}`
          if (entry.isDirectory()) folders.push(name)
          else if (!name.endsWith('.lock') && read(name) !== null) found.add(name)
        }
      }
      return [...found].sort()
    },
  }
}

function parsePacked(content: string): Map<string, string> {
  const refs = new Map<string, string>()
  for (const line of content.split('\n')) {
    if (isOid(line.slice(0, 40)) && line[40] === ' ') refs.set(line.slice(41), line.slice(0, 40))
  }
  return refs
}

/** Names come from people and from `HEAD`: none may lead out of the repository or into its own files. */
function isSafe(name: string): boolean {
  if (name === 'HEAD') return true
  return (
    name.startsWith('refs/') &&
    !name.includes('\0') &&
    !name.split('/').some((part) => part === '' || part.startsWith('.'))
  )
}

function text(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG'].includes(codeOf(error))) return null
    throw error
  }
}

function entriesIn(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return []
    throw error
  }
}
