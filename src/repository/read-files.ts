// Reads the contents of listed files out of the object store and hands them on in batches of about a megabyte.

import type { ObjectStore } from './object-store.ts'
import type { FileBatch, SentFile } from './protocol.ts'
import { type RepositoryLimits, tooMuchContent } from './limits.ts'
import type { ListedFile } from './tree.ts'

const BATCH_BYTES = 1024 * 1024
const BATCH_FILES = 1000

export type Send<Part> = (part: Part) => Promise<void>

/** Throws RepositoryFault `too-large` above the limits, MissingObject and DamagedStore. */
export async function sendFiles(
  store: ObjectStore,
  files: readonly ListedFile[],
  limits: RepositoryLimits,
  send: Send<FileBatch>,
): Promise<void> {
  const batch = openBatch(send)
  let total = 0
  for (const file of inPackOrder(store, files)) {
    if (file.kind !== 'file') {
      await batch.add({ ...file, size: 0, sent: false }, null)
      continue
    }
    const { size, content } = store.readUpTo(file.oid, limits.fileBytes)
    total += content?.length ?? 0
    if (total > limits.contentBytes) throw tooMuchContent(limits)
    await batch.add({ ...file, size, sent: content !== null }, content)
  }
  await batch.end()
}

/** Collects files and sends them whenever there are enough. */
export function openBatch(send: Send<FileBatch>): {
  add(file: SentFile, content: Uint8Array | null): Promise<void>
  end(): Promise<void>
} {
  let files: SentFile[] = []
  let contents: Uint8Array[] = []
  let bytes = 0
  async function end(): Promise<void> {
    if (files.length === 0) return
    const batch = { files, bytes: Buffer.concat(contents, bytes) }
    files = []
    contents = []
    bytes = 0
    await send(batch)
  }
  return {
    async add(file, content) {
      files.push(file)
      if (content !== null) {
        contents.push(content)
        bytes += content.length
      }
      if (bytes >= BATCH_BYTES || files.length >= BATCH_FILES) await end()
    },
    end,
  }
}

/** Neighbours in a pack share reads and delta bases. */
function inPackOrder(store: ObjectStore, files: readonly ListedFile[]): ListedFile[] {
  if (files.length < 3) return [...files]
  const placed = files.map((file) => ({
    file,
    place: file.kind === 'submodule' ? ([-1, 0] as const) : store.place(file.oid),
  }))
  placed.sort((a, b) => a.place[0] - b.place[0] || a.place[1] - b.place[1])
  return placed.map(({ file }) => file)
}
