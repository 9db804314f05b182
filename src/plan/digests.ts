// Digests of what cannot be read back from an engine and is therefore kept as a label: contents of files, and the
// options that a network or a volume was made with.

import { createHash } from 'node:crypto'
import { canonicalJson } from '../desired/ledger-digest.ts'
import type { FileFacts } from '../desired/spec.ts'
import type { NetworkOptions, VolumeWish } from '../desired/tree.ts'

/** SHA-256 (hex) over path, content, mode and owner of every file; empty where there are none. */
export function filesDigest(files: Readonly<Record<string, FileFacts>>): string {
  return Object.keys(files).length === 0 ? '' : digestOf(files)
}

/** SHA-256 (hex) of the options of a network or a volume, whatever the order of their keys. */
export function optionsDigest(options: NetworkOptions | VolumeWish['options']): string {
  return digestOf(options)
}

function digestOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex')
}
