// The commit of each ref that this host accepted last, so that a daemon that starts again knows what it may go on with.

import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'

import { z } from 'zod'

import { writeDurably } from '../repository/new-object.ts'
import { RepositoryFault } from '../repository/repository.ts'

export interface AcceptedCommits {
  readonly file: string
  /** Null where none was accepted yet under this ref. */
  read(): Promise<string | null>
  keep(commit: string): Promise<void>
}

const content = z.object({ format: z.literal(1), refs: z.record(z.string(), z.string().regex(/^[0-9a-f]{40}$/)) })

/**
 * `ref` as it was asked for. Throws RepositoryFault for a file that does not read: damage must not decide what is
 * trusted.
 */
export function createAcceptedCommits(file: string, ref: string | null): AcceptedCommits {
  const name = ref ?? 'HEAD'

  async function refs(): Promise<Readonly<Record<string, string>>> {
    let text: string
    try {
      text = await readFile(file, 'utf8')
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {}
      throw error
    }
    try {
      return content.parse(JSON.parse(text)).refs
    } catch {
      throw new RepositoryFault(
        'damaged',
        `${file} does not read`,
        'Delete it: graft then begins with the newest commit',
      )
    }
  }

  return {
    file,
    async read() {
      const known = await refs()
      return Object.hasOwn(known, name) ? (known[name] ?? null) : null
    },
    async keep(commit) {
      const known = await refs()
      if (Object.hasOwn(known, name) && known[name] === commit) return
      await mkdir(dirname(file), { recursive: true, mode: 0o700 })
      const text = JSON.stringify({ format: 1, refs: Object.fromEntries([...Object.entries(known), [name, commit]]) })
      writeDurably(file, Buffer.from(`${text}\n`), 0o600)
    },
  }
}
