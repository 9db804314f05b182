// What a snapshot entry holds, as bytes or as text, or the problem that keeps a leaf from using it. Pure.

import { orRaise } from '../repository/limits.ts'
import { FILE_SIZE_LIMIT } from '../repository/snapshot.ts'
import type { SnapshotEntry } from '../repository/snapshot.ts'
import type { Problem } from './problem.ts'

export interface Refusal {
  readonly message: string
  readonly remedy: string
}

const LFS_POINTER = Buffer.from('version https://git-lfs.github.com/spec/v1')
const decoder = new TextDecoder('utf-8', { fatal: true })

/** The bytes of a regular file within `limit`, which the host's settings call `name`; or why there are none. */
export function bytesOf(
  entry: SnapshotEntry,
  limit: number = FILE_SIZE_LIMIT,
  name: 'file_size' | 'yaml_size' = 'file_size',
): Uint8Array | Refusal {
  if (entry.kind === 'link') {
    return {
      message: `${entry.path} is a symbolic link, and links are never followed`,
      remedy: 'put the file itself here',
    }
  }
  if (entry.kind === 'submodule') {
    return {
      message: `${entry.path} is a submodule, and submodules are not read`,
      remedy: 'put the files themselves here',
    }
  }
  if (entry.size > limit || entry.content === null || entry.content.length > limit) {
    return {
      message: `${entry.path} has ${entry.size} bytes, and at most ${limit} are read`,
      remedy:
        name === 'file_size'
          ? `make it smaller, put it into the image or a volume, ${orRaise(name)}`
          : `make it smaller, ${orRaise(name)}`,
    }
  }
  if (LFS_POINTER.equals(entry.content.subarray(0, LFS_POINTER.length))) {
    return {
      message: `${entry.path} is a Git LFS pointer: its content is not in the repository`,
      remedy: 'commit the file itself, without LFS',
    }
  }
  return entry.content
}

/** Text of UTF-8 bytes, a byte order mark taken away; null for anything else, NUL included. */
export function decodeText(bytes: Uint8Array): string | null {
  if (bytes.includes(0)) return null
  try {
    return decoder.decode(bytes)
  } catch {
    return null
  }
}

export type EntryText = { readonly text: string } | { readonly text: null; readonly problem: Problem }

/** The text of an entry, or the problem of the whole file. */
export function textOf(entry: SnapshotEntry, limit?: number, name?: 'file_size' | 'yaml_size'): EntryText {
  const bytes = bytesOf(entry, limit, name)
  const text = bytes instanceof Uint8Array ? decodeText(bytes) : null
  if (text !== null) return { text }
  const refusal: Refusal =
    bytes instanceof Uint8Array
      ? { message: `${entry.path} is not a text in UTF-8`, remedy: 'save it as UTF-8' }
      : bytes
  const nowhere = { line: null, column: null, text: null, leaf: null }
  return { text: null, problem: { file: entry.path, ...nowhere, ...refusal, severity: 'unreadable' } }
}
