// The host's own folder of secrets: files below it by their names, and a stamp that changes when any of them does.

import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

import type { SopsFault } from '../../desired/sops/sops-file.ts'

/** Bytes of one secret, as Docker's own limit is. */
export const LARGEST_SECRET = 500 * 1024
/** Files and folders that a stamp looks at; more of them are read all the same, and changes seen at the next commit. */
const MOST_FILES = 2_000

export async function readHostSecret(folder: string, name: string): Promise<Uint8Array | SopsFault> {
  const file = join(folder, name)
  try {
    const facts = await stat(file)
    if (!facts.isFile()) return { message: `${file} is no file`, remedy: 'put the secret into a file of that name' }
    if (facts.size > LARGEST_SECRET) {
      return {
        message: `${file} holds more than ${LARGEST_SECRET / 1024} KiB`,
        remedy: 'mount a file of the host instead',
      }
    }
    return await readFile(file)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    return code === 'ENOENT' || code === 'ENOTDIR'
      ? { message: `this host has no ${file}`, remedy: 'put the secret into a file of that name, with mode 0600' }
      : { message: `${file} cannot be read (${code})`, remedy: 'let the user graft runs as read it' }
  }
}

/** A text that is another one when a file below the folder, or the file of keys, came, went or was written. */
export async function secretsStamp(folder: string, keyFile: string): Promise<string> {
  const lines = [await stampOf(keyFile)]
  const folders = [folder]
  for (let at = 0; at < folders.length && lines.length < MOST_FILES; at++) {
    const inside = await readdir(folders[at] ?? folder, { withFileTypes: true }).catch(() => [])
    for (const entry of inside.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folders[at] ?? folder, entry.name)
      if (entry.isDirectory()) folders.push(path)
      else lines.push(await stampOf(path))
    }
  }
  return lines.join('\n')
}

async function stampOf(path: string): Promise<string> {
  try {
    const { size, mtimeNs, ctimeNs, ino, mode } = await stat(path, { bigint: true })
    return `${path} ${size} ${mtimeNs} ${ctimeNs} ${ino} ${mode}`
  } catch (error) {
    return `${path} ${error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'}`
  }
}
