// The child process that does all Git work of one repository, one task after the other.
// It ends when its parent goes away; whatever a task throws becomes a fault for the parent.

import { writeFile } from 'node:fs/promises'
import { DamagedStore, isDiskError, MissingObject } from './git-object.ts'
import { openLocalSource } from './local-source.ts'
import type { FromChild, Setup, TaskName, Tasks, ToChild } from './protocol.ts'
import { RepositoryFault } from './repository.ts'
import type { Source } from './source.ts'
import { takeAncestors, takeCommitText, takeFilesOutside, takeFirstParents, takeSnapshot } from './tasks.ts'

/** Where a machine runs out of memory, this process goes first and not a container. */
void writeFile('/proc/self/oom_score_adj', '1000').catch(() => undefined)

let setup: Setup | null = null
let source: Promise<Source> | null = null
let queue: Promise<void> = Promise.resolve()
const running = new Map<number, AbortController>()

process.on('disconnect', () => process.exit(0))
// isomorphic-git leaves promises behind that nobody waits for when an answer is cut; each fetch is verified anyway.
process.on('unhandledRejection', () => undefined)
process.on('message', (message: ToChild) => {
  if (message.say === 'setup') {
    setup = message.setup
    return
  }
  if (message.say === 'cancel') {
    running.get(message.id)?.abort()
    return
  }
  const controller = new AbortController()
  running.set(message.id, controller)
  queue = queue.then(() => runTask(message.id, message.name, message.takes, controller.signal))
})
tell({ say: 'ready' }).catch(() => process.exit(0))

async function runTask(id: number, name: TaskName, takes: unknown, signal: AbortSignal): Promise<void> {
  const send = (part: unknown): Promise<void> => tell({ say: 'part', id, part })
  try {
    const opened = await (source ??= openSource())
    await tell({
      say: 'done',
      id,
      gives: await healing(opened, name, signal, () => perform(opened, name, takes, signal, send)),
    })
  } catch (error) {
    const { kind, message, remedy } = asFault(error)
    await tell({ say: 'fault', id, fault: { kind, message, remedy } }).catch(() => process.exit(0))
  } finally {
    running.delete(id)
  }
}

function perform(
  opened: Source,
  name: TaskName,
  takes: unknown,
  signal: AbortSignal,
  send: (part: unknown) => Promise<void>,
): Promise<unknown> {
  const { folder, limits, signingKey } = theSetup()
  const table: { [Name in TaskName]: (takes: Tasks[Name]['takes']) => Promise<Tasks[Name]['gives']> } = {
    refresh: () => opened.refresh(signal),
    resolve: ({ revision }) => opened.resolve(revision, signal),
    snapshot: async (wish) => takeSnapshot(await opened.objects(), folder, limits, wish, send),
    worktree: async ({ have }) => {
      const { takeWorktree } = await import('./worktree.ts')
      return takeWorktree(placeOf(theSetup()), folder, limits, have, send)
    },
    firstParents: async (wish) => takeFirstParents(await opened.objects(), wish),
    ancestors: async (wish) => takeAncestors(await opened.objects(), wish, send),
    deepen: () => opened.deepen(signal),
    commitText: async ({ commit }) => takeCommitText(await opened.objects(), { commit }),
    notesWrite: async (wish) => (await import('./notes-tasks.ts')).takeNotesWrite(theSetup(), wish, signal),
    notesRead: async (wish) => (await import('./notes-tasks.ts')).takeNotesRead(theSetup(), wish, signal),
    notesPush: async (wish) => (await import('./notes-tasks.ts')).takeNotesPush(theSetup(), wish, signal),
    filesOutside: async ({ commit }) => takeFilesOutside(await opened.objects(), folder, limits, { commit }),
    verify: async (wish) => {
      const { takeVerify } = await import('./verify-history.ts')
      return takeVerify(opened, wish, signal)
    },
    commit: async (wish) => {
      const [{ takeCommit }, { openSigner }] = await Promise.all([
        import('./commit-files.ts'),
        import('./signing-key.ts'),
      ])
      return takeCommit(opened, folder, wish, signal, await openSigner(signingKey))
    },
  }
  // The parent's `request` ties a name to what it takes.
  const task = table[name] as (takes: unknown) => Promise<unknown>
  return task(takes)
}

/** Tries once more where damage was found and the clone could be replaced. */
async function healing(
  opened: Source,
  name: TaskName,
  signal: AbortSignal,
  task: () => Promise<unknown>,
): Promise<unknown> {
  try {
    return await task()
  } catch (error) {
    // Notes lie elsewhere than the clone that could be replaced.
    if (!isDamage(error) || name.startsWith('notes') || !(await opened.replace(signal))) throw error
    return task()
  }
}

async function openSource(): Promise<Source> {
  const { source: from, access, ref, limits } = theSetup()
  if (from.kind === 'local') return openLocalSource(from.gitdir, from.worktree, ref, { access, limits })
  const [{ openRemoteSource }, { openRemote }] = await Promise.all([
    import('./remote-source.ts'),
    import('./open-remote.ts'),
  ])
  return openRemoteSource(from, openRemote(from.url, access, limits), ref, limits)
}

function placeOf({ source: from }: Setup): { root: string; gitdir: string } {
  if (from.kind === 'remote' || from.worktree === null) throw new Error('there is no work tree')
  return { root: from.worktree, gitdir: from.gitdir }
}

function theSetup(): Setup {
  if (setup === null) throw new Error('a task came before the setup')
  return setup
}

function cacheWords(): string {
  return setup?.source.kind === 'remote' ? ` in ${setup.source.cache}` : ''
}

function isDamage(error: unknown): boolean {
  return error instanceof DamagedStore || error instanceof MissingObject
}

function asFault(error: unknown): RepositoryFault {
  if (error instanceof RepositoryFault) return error
  const words = error instanceof Error ? error.message : String(error)
  if (isDamage(error)) {
    return new RepositoryFault(
      'damaged',
      `the repository is damaged: ${words}`,
      'Run git fsck in it, or clone it afresh',
    )
  }
  if (isDiskError(error)) {
    return new RepositoryFault(
      'damaged',
      /ENOSPC|EDQUOT/.test(words) ? `there is no space left for the clone${cacheWords()}` : `the disk failed: ${words}`,
      'Free some space, or correct the permissions of the folder',
      { cause: error },
    )
  }
  return new RepositoryFault(
    'damaged',
    `the repository could not be read: ${words}`,
    'Look at its files and permissions',
  )
}

/** Resolves when the message is on its way, so that parts do not pile up in memory. */
function tell(message: FromChild): Promise<void> {
  return new Promise((resolve, reject) => {
    if (process.send === undefined) reject(new Error('this file runs as a child process of graft only'))
    else process.send(message, undefined, {}, (error) => (error === null ? resolve() : reject(error)))
  })
}
