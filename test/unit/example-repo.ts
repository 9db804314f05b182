// Reads example-repo from the work tree, as the tests of it need it.

import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { createReader } from '../../src/desired/read.ts'
import type { ReadResult } from '../../src/desired/read.ts'
import type { Tree } from '../../src/desired/tree.ts'
import type { SnapshotEntry } from '../../src/repository/snapshot.ts'

export const project = resolve(import.meta.dirname, '../..')
export const folder = join(project, 'example-repo')

/** Every file, as a path below the folder, sorted. */
export const paths: readonly string[] = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
  .toSorted()

function entry(path: string): SnapshotEntry {
  const content = readFileSync(join(folder, path))
  const oid = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')
  return { path, kind: 'file', oid, executable: false, size: content.length, content }
}

const entries = new Map(paths.map((path) => [path, entry(path)]))
export const result: ReadResult = createReader().read({ commit: null, entries }, { host: null })

/** The tree. Throws with every problem where there is none. */
export function readExampleRepo(): Tree {
  const { tree, problems } = result
  if (tree === null) throw new Error(problems.map((problem) => `${problem.file}: ${problem.message}`).join('\n'))
  return tree
}
