// The tip that was last seen, so that a daemon that starts while the repository is away goes on with what it has.

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

export interface LastTip {
  /** Null where none was seen yet under this ref. */
  read(): Promise<string | null>
  keep(commit: string): Promise<void>
}

/** `ref` as it was asked for; a tip of another ref does not count. */
export function createLastTip(file: string, ref: string | null): LastTip {
  let known: string | null = null
  return {
    async read() {
      const text = await readFile(file, 'utf8').catch(() => 'null')
      const found = JSON.parse(text) as { ref: string | null; commit: string } | null
      return found?.ref === ref ? found.commit : null
    },
    async keep(commit) {
      if (known === commit) return
      await mkdir(dirname(file), { recursive: true, mode: 0o700 })
      await writeFile(`${file}.new`, JSON.stringify({ ref, commit }))
      await rename(`${file}.new`, file)
      known = commit
    },
  }
}
