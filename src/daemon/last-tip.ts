// The tip that was last seen, so that a daemon that starts while the repository is away goes on with what it has.

import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'

import { z } from 'zod'

import { writeDurably } from '../repository/new-object.ts'

export interface LastTip {
  /** Null where none was seen yet under this ref. */
  read(): Promise<string | null>
  keep(commit: string): Promise<void>
}

const content = z.object({ ref: z.string().nullable(), commit: z.string().regex(/^[0-9a-f]{40}$/) })

/**
 * `ref` as it was asked for; a tip of another ref does not count. A file that does not read counts for nothing: it only
 * says where to go on, and not what is trusted.
 */
export function createLastTip(file: string, ref: string | null): LastTip {
  let known: string | null = null
  return {
    async read() {
      try {
        const found = content.parse(JSON.parse(await readFile(file, 'utf8')))
        return found.ref === ref ? found.commit : null
      } catch {
        return null
      }
    },
    async keep(commit) {
      if (known === commit) return
      await mkdir(dirname(file), { recursive: true, mode: 0o700 })
      writeDurably(file, Buffer.from(`${JSON.stringify({ ref, commit })}\n`), 0o600)
      known = commit
    },
  }
}
