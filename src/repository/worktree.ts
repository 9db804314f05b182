// Reads what lies in a work tree: tracked files and those that Git does not ignore. Links are never followed.
// Filters (line endings, LFS) are not applied: ids are those of the bytes on disk.

import { createHash, type Hash } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import { codeOf } from './git-object.ts'
import { type IgnoreFile, isIgnored, parseIgnoreFile } from './ignore.ts'
import { type RepositoryLimits, tooManyFiles, tooMuchContent } from './limits.ts'
import { hashOf } from './object-store.ts'
import type { Difference, FileBatch, SentFile } from './protocol.ts'
import { openBatch, type Send } from './read-files.ts'
import { openRefs } from './refs.ts'
import { RepositoryFault } from './repository.ts'
import { showPath, whyRefused } from './safe-name.ts'
import type { Refusal } from './tree.ts'

const NO_ID = '0'.repeat(40)

/**
 * The files below `folder` of the work tree, without those that `have` names (`file x OID PATH`) as they are.
 * Throws RepositoryFault `not-found`, `too-large`.
 */
export async function takeWorktree(
  place: { readonly root: string; readonly gitdir: string },
  folder: string,
  limits: RepositoryLimits,
  have: readonly string[],
  send: Send<FileBatch>,
): Promise<{ difference: Difference }> {
  const { root } = place
  checkFolder(root, folder)
  const known = new Set(have)
  const batch = openBatch(send)
  const kept: string[] = []
  const refused: Refusal[] = []
  let files = 0
  let bytes = 0
  const prefix = folder === '' ? '' : `${folder}/`
  for await (const path of walk(place, prefix, refused)) {
    const read = readFile(join(root, path), path.slice(prefix.length), limits.fileBytes)
    if (read === null) continue
    if (++files > limits.filesPerSnapshot) throw tooManyFiles(limits)
    bytes += read.content?.length ?? 0
    if (bytes > limits.contentBytes) throw tooMuchContent(limits)
    const { kind, executable, oid } = read.file
    if (known.has(`${kind} ${executable ? 'x' : '-'} ${oid} ${read.file.path}`)) kept.push(read.file.path)
    else await batch.add(read.file, read.content)
  }
  await batch.end()
  return { difference: { whole: true, removed: [], refused, unrefused: [], kept } }
}

/** Paths from the root of the work tree, below `prefix`: everything but what is ignored and not tracked. */
async function* walk(
  { root, gitdir }: { readonly root: string; readonly gitdir: string },
  prefix: string,
  refused: Refusal[],
): AsyncGenerator<string> {
  let tracked: Tracked | null = null
  const above: IgnoreFile[] = [ignoreFile('', join(gitdir, 'info', 'exclude'))]
  const parts = prefix === '' ? [] : prefix.slice(0, -1).split('/')
  let ignored = false
  for (let at = 0; at < parts.length; at++) {
    const folder = parts
      .slice(0, at)
      .map((part) => `${part}/`)
      .join('')
    above.push(ignoreFile(folder, join(root, folder, '.gitignore')))
    ignored ||= isIgnored(above, folder + parts[at], true)
  }
  const open = [{ folder: prefix, rules: above, depth: 0, ignored }]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { folder, depth } = next
    const rules = [...next.rules, ignoreFile(folder, join(root, folder, '.gitignore'))]
    for (const entry of fs.readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder + entry.name
      if (entry.name === '.git') continue
      const left = next.ignored || isIgnored(rules, path, entry.isDirectory())
      if (left) {
        tracked ??= await readTracked(root, gitdir)
        if (!(entry.isDirectory() ? tracked.folders : tracked.files).has(path)) continue
      }
      const why = whyRefused(entry.name, depth)
      if (why !== null) refused.push({ path: showPath(path.slice(prefix.length)), why })
      else if (!entry.isDirectory() || fs.existsSync(join(root, path, '.git'))) yield path
      else open.push({ folder: `${path}/`, rules, depth: depth + 1, ignored: left })
    }
  }
}

interface Tracked {
  readonly files: ReadonlySet<string>
  /** Every folder above a tracked file. */
  readonly folders: ReadonlySet<string>
}

async function readTracked(root: string, gitdir: string): Promise<Tracked> {
  const { default: git } = await import('isomorphic-git')
  const files = new Set(await git.listFiles({ fs, dir: root, gitdir }))
  const folders = new Set<string>()
  for (const path of files) {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) folders.add(path.slice(0, at))
  }
  return { files, folders }
}

function ignoreFile(folder: string, path: string): IgnoreFile {
  try {
    if (!fs.lstatSync(path).isFile()) return { folder, rules: [] }
    return parseIgnoreFile(folder, fs.readFileSync(path, 'utf8'))
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return { folder, rules: [] }
    throw error
  }
}

/** Null for what is neither file, link nor submodule, and for what has just gone away. */
function readFile(full: string, path: string, most: number): { file: SentFile; content: Uint8Array | null } | null {
  try {
    const facts = fs.lstatSync(full)
    if (facts.isSymbolicLink()) {
      const target = fs.readlinkSync(full, { encoding: 'buffer' })
      const oid = hashOf('blob', target)
      return { file: { path, kind: 'link', oid, executable: false, size: target.length, sent: false }, content: null }
    }
    if (facts.isDirectory()) {
      const oid = openRefs(join(full, '.git')).read('HEAD') ?? NO_ID
      return { file: { path, kind: 'submodule', oid, executable: false, size: 0, sent: false }, content: null }
    }
    return facts.isFile() ? readRegular(full, path, most) : null
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(codeOf(error))) return null
    throw error
  }
}

function readRegular(full: string, path: string, most: number): { file: SentFile; content: Uint8Array | null } {
  const descriptor = fs.openSync(full, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK)
  try {
    const { size, mode } = fs.fstatSync(descriptor)
    const executable = (mode & 0o100) !== 0
    if (size <= most) {
      const content = fs.readFileSync(descriptor)
      const oid = hashOf('blob', content)
      return { file: { path, kind: 'file', oid, executable, size: content.length, sent: true }, content }
    }
    const oid = hashLarge(descriptor, createHash('sha1').update(`blob ${size}\0`), size)
    return { file: { path, kind: 'file', oid, executable, size, sent: false }, content: null }
  } finally {
    fs.closeSync(descriptor)
  }
}

function hashLarge(descriptor: number, hash: Hash, size: number): string {
  const piece = Buffer.allocUnsafe(1024 * 1024)
  for (let at = 0; at < size;) {
    const got = fs.readSync(descriptor, piece, 0, Math.min(piece.length, size - at), at)
    if (got === 0) break
    hash.update(piece.subarray(0, got))
    at += got
  }
  return hash.digest('hex')
}

/** Each folder on the way must be one, not a link to one. */
function checkFolder(root: string, folder: string): void {
  let at = root
  for (const name of folder === '' ? [] : folder.split('/')) {
    at = join(at, name)
    if (fs.lstatSync(at, { throwIfNoEntry: false })?.isDirectory() === true) continue
    throw new RepositoryFault('not-found', `${root} has no folder “${folder}”`, 'Correct --path, or make the folder')
  }
}
