// Notes on commits, `refs/notes/graft`: written here first, and brought to the server apart from everything else, so that
// a server that hangs delays nothing. All Git work is done by child processes, which end when there is nothing to do.

import { type GitProcess, openGitProcess } from './git-process.ts'
import type { NoteEntry } from './note-text.ts'
import { type RepositoryOptions, setupOf } from './open.ts'
import type { Setup, TaskName, Tasks } from './protocol.ts'
import type { Person } from './repository.ts'

export interface NewNote {
  /** The commit that it is on: 40 hex digits. It need not be in the repository that holds the notes. */
  readonly commit: string
  /** They take the place of older entries of the same names; all others stay. */
  readonly entries: readonly NoteEntry[]
}

export interface Notes {
  /** Durable when it resolves. Throws RepositoryFault. */
  write(notes: readonly NewNote[], message: string): Promise<void>
  /** Texts by commit; commits without a note are left out. `fetch`: what the server has as well, where it answers. */
  read(commits: readonly string[], fetch: boolean): Promise<ReadonlyMap<string, string>>
  /**
   * Brings what is here to the server, and what is there here. Several hosts may do so at once; nothing is lost. Throws
   * RepositoryFault: `auth` and `refused` where graft may not write.
   */
  push(signal?: AbortSignal): Promise<void>
  close(): Promise<void>
}

/** Milliseconds after which a child process without work ends. */
const IDLE = 10_000

/**
 * `own`: graft's folder for them; `by`: who writes them; `shared`: a process that does what needs no server, and is closed
 * by whoever opened it. Nothing is opened before it is needed.
 */
export async function openNotes(
  options: RepositoryOptions,
  own: string,
  by: Person,
  shared: GitProcess | null = null,
): Promise<Notes> {
  const { setup, description } = await setupOf(options)
  const here = shared === null ? ending(setup, description) : lasting(shared)
  const there = ending(setup, description)
  return {
    async write(notes, message) {
      await here.request('notesWrite', { own, notes, by, message })
    },
    async read(commits, fetch) {
      const takes = { own, commits, fetch }
      return new Map(await (fetch ? there : here).request('notesRead', takes))
    },
    async push(signal) {
      await there.request('notesPush', { own, by, message: `Notes of ${by.name}` }, signal)
    },
    async close() {
      await Promise.all([here.close(), there.close()])
    },
  }
}

interface Ending {
  request<Name extends TaskName>(
    name: Name,
    takes: Tasks[Name]['takes'],
    signal?: AbortSignal,
  ): Promise<Tasks[Name]['gives']>
  close(): Promise<void>
}

function lasting(process: GitProcess): Ending {
  return { request: (name, takes, signal) => process.request(name, takes, { signal }), close: async () => undefined }
}

/** A child process that is started when it is needed, and ends some time after it was. */
function ending(setup: Setup, description: string): Ending {
  let process: GitProcess | null = null
  let timer: NodeJS.Timeout | undefined
  let open = 0
  const end = async (): Promise<void> => {
    const last = process
    process = null
    await last?.close()
  }
  return {
    async request(name, takes, signal) {
      clearTimeout(timer)
      open++
      try {
        process ??= openGitProcess(setup, description)
        return await process.request(name, takes, { signal })
      } finally {
        open--
        if (open === 0) timer = setTimeout(() => void end(), IDLE).unref()
      }
    },
    close() {
      clearTimeout(timer)
      return end()
    },
  }
}
