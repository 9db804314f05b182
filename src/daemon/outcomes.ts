// Outcomes of commits, kept as notes: what hosts told of a commit, and what this one tells. Writing is quick and local;
// pushing goes on beside everything else, with growing pauses where the server is away, and delays nothing.

import type { Clock } from '../apply/clock.ts'
import type { OutcomeRecord } from '../report/outcome-record.ts'
import { outcomeEntry, outcomesIn } from '../report/outcome-text.ts'
import type { Notes } from '../repository/notes.ts'
import { RepositoryFault } from '../repository/repository.ts'

/** What hosts told of these commits, by host; commits of which nothing is known are left out. */
export type OutcomesOf = (commits: readonly string[]) => Promise<ReadonlyMap<string, readonly OutcomeRecord[]>>

export interface OutcomeBook {
  /** `fetch`: with what other hosts told the server, where it answers. Throws RepositoryFault. */
  read(commits: readonly string[], fetch: boolean): ReturnType<OutcomesOf>
  /** Resolves when it is on the disk, or could not be put there; never throws. It is pushed later where that is asked for. */
  record(record: OutcomeRecord): Promise<void>
  /** Pushes what an earlier process could not, where pushing is asked for; returns at once. */
  catchUp(): void
  /** Resolves when everything is pushed, or a push failed, or the time (milliseconds) is over; true where all is well. */
  settled(milliseconds: number): Promise<boolean>
  /** Told why notes cannot be written or pushed, once for each reason, and with null when they can be again. */
  onFault(callback: (fault: NotesFault | null) => void): void
  close(): Promise<void>
}

export interface NotesFault {
  readonly message: string
  readonly remedy: string
  /** Milliseconds. */
  readonly retryIn: number
}

/** `push`: to the server as well. `keep`: on this host only. `off`: nothing is written. */
export type NotesMode = 'push' | 'keep' | 'off'

const FIRST_PAUSE = 5_000
const LONGEST_PAUSE = 900_000
/** Where graft may not write a person must act: there is no hurry. */
const PAUSE_FOR_A_PERSON = 3_600_000
/** Records that wait for a disk that is full, at most. */
const MOST_WAITING = 200

export function openOutcomeBook(notes: Notes, mode: NotesMode, clock: Clock): OutcomeBook {
  const abort = new AbortController()
  let tell: (fault: NotesFault | null) => void = () => undefined
  const faultsTold = new Map<'write' | 'push', string>()
  let unwritten: OutcomeRecord[] = []
  let writing: Promise<void> = Promise.resolve()
  let isBehind = false
  let pushing: Promise<void> | null = null
  let failures = 0
  let isPausing = false
  let writeFailures = 0
  /** Whether another try to write is on its way. */
  let isWaiting = false
  const listeners = new Set<() => void>()

  function failed(what: 'write' | 'push', error: unknown, retryIn: number): void {
    const isFault = error instanceof RepositoryFault
    const message = `notes of outcomes: ${error instanceof Error ? error.message : String(error)}`
    const remedy = isFault ? error.remedy : 'It is tried again by itself'
    if (faultsTold.get(what) !== message) tell({ message, remedy, retryIn })
    faultsTold.set(what, message)
  }

  function well(what: 'write' | 'push'): void {
    if (faultsTold.delete(what) && faultsTold.size === 0) tell(null)
  }

  async function write(): Promise<void> {
    const batch = unwritten
    if (batch.length === 0) return
    unwritten = []
    const byCommit = grouped(batch)
    try {
      await notes.write(
        [...byCommit].map(([commit, records]) => ({ commit, entries: records.map(outcomeEntry) })),
        messageOf(batch),
      )
      isBehind = mode === 'push'
      writeFailures = 0
      well('write')
    } catch (error) {
      // The newest matter most.
      unwritten = [...batch, ...unwritten].slice(-MOST_WAITING)
      const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** writeFailures++)
      failed('write', error, pause)
      void writeLater(pause)
    }
  }

  async function writeLater(pause: number): Promise<void> {
    if (isWaiting) return
    isWaiting = true
    await clock.sleep(pause, abort.signal)
    isWaiting = false
    if (!abort.signal.aborted) writing = writing.then(write).then(push)
  }

  function push(): void {
    if (!isBehind || pushing !== null || abort.signal.aborted) return
    pushing = pushOn().finally(() => {
      pushing = null
      for (const listener of listeners) listener()
      push()
    })
  }

  /** One try, and after a failure the pause before the next one. */
  async function pushOn(): Promise<void> {
    isBehind = false
    try {
      await notes.push(abort.signal)
      failures = 0
      well('push')
    } catch (error) {
      if (abort.signal.aborted) return
      isBehind = true
      failures++
      const kind = error instanceof RepositoryFault ? error.kind : 'damaged'
      const forPerson = kind === 'auth' || kind === 'refused' || kind === 'unsupported' || kind === 'not-found'
      const growing = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1))
      const pause = (forPerson ? Math.max(growing, PAUSE_FOR_A_PERSON) : growing) * (0.75 + Math.random() / 2)
      failed('push', error, pause)
      isPausing = true
      for (const listener of listeners) listener()
      await clock.sleep(pause, abort.signal)
      isPausing = false
    }
  }

  return {
    async read(commits, fetch) {
      const texts = await notes.read(commits, fetch && mode !== 'off')
      return new Map([...texts].map(([commit, text]) => [commit, outcomesIn(text)]))
    },
    record(record) {
      if (mode === 'off') return Promise.resolve()
      unwritten.push(record)
      writing = writing.then(write).then(push)
      return writing
    },
    catchUp() {
      if (mode !== 'push') return
      isBehind = true
      push()
    },
    async settled(milliseconds) {
      await writing
      if (unwritten.length > 0) return false
      const end = new AbortController()
      const done = new Promise<void>((resolve) => {
        const look = (): void => {
          if ((!isBehind && pushing === null) || isPausing) resolve()
        }
        listeners.add(look)
        look()
      })
      await Promise.race([done, clock.sleep(milliseconds, end.signal)])
      end.abort()
      listeners.clear()
      return !isBehind && pushing === null
    },
    onFault: (callback) => void (tell = callback),
    async close() {
      abort.abort()
      await writing
      await notes.close()
      await pushing
    },
  }
}

function grouped(records: readonly OutcomeRecord[]): Map<string, OutcomeRecord[]> {
  const groups = new Map<string, OutcomeRecord[]>()
  for (const record of records) groups.set(record.commit, [...(groups.get(record.commit) ?? []), record])
  return groups
}

/** Of the commit of the notes ref: `shop on alpha: 3f2a1bc deployed`. */
function messageOf(records: readonly OutcomeRecord[]): string {
  const [first] = records
  if (first === undefined) return 'Notes of outcomes'
  const { deployment, host } = first
  const told = records.map(({ commit, result }) => `${commit.slice(0, 7)} ${result}`)
  return `${deployment === '' ? host : `${deployment} on ${host}`}: ${told.slice(0, 5).join(', ')}`
}
