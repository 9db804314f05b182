// What the Git child does with notes: writes them, reads them, and brings them together with those on the server.

import { existsSync, renameSync, rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { withLock } from './cache-lock.ts'
import { fetchRef } from './fetch-ref.ts'
import { DamagedStore, MissingObject } from './git-object.ts'
import { lackingObjects } from './lacking-objects.ts'
import { mergeNotes, noteWith } from './note-text.ts'
import { NOTES_REF, notesRemote, openNotesStore, type NotesStore, type NoteWriter } from './notes-store.ts'
import { startAnew, tidyNotes } from './notes-tidy.ts'
import type { Setup, Tasks } from './protocol.ts'
import { pushRef } from './push.ts'
import { RepositoryFault } from './repository.ts'
import { openSigner } from './signing-key.ts'

/** How often a push is tried again at once because somebody else was faster; many hosts may tell in the same second. */
const ATTEMPTS = 12

/** False where nothing had to be written. Throws RepositoryFault. */
export async function takeNotesWrite(
  setup: Setup,
  { own, notes, by, message }: Tasks['notesWrite']['takes'],
  signal: AbortSignal,
): Promise<boolean> {
  const writer = { by, message, sign: await openSigner(setup.signingKey) }
  return withStore(setup, own, (store) =>
    whileMoved(signal, () =>
      withLock(own, signal, async () => {
        const tip = store.tip()
        const texts = new Map<string, string>()
        for (const { commit, entries } of notes) {
          const before = texts.get(commit) ?? store.read(tip, commit)
          const after = noteWith(before ?? '', entries)
          if (after !== before) texts.set(commit, after)
        }
        const made = store.commit(tip === null ? [] : [tip], texts, writer)
        if (made === null || made === tip) return false
        store.move(tip, made, writer)
        if (setup.source.kind === 'remote') await tidied(store, writer)
        return true
      }),
    ),
  )
}

/** The texts of the notes that there are, as pairs; `fetch`: with what the server has, where it answers. */
export async function takeNotesRead(
  setup: Setup,
  { own, commits, fetch }: Tasks['notesRead']['takes'],
  signal: AbortSignal,
): Promise<[string, string][]> {
  return withStore(setup, own, async (store) => {
    if (fetch) {
      try {
        await look(setup, store, signal)
      } catch (error) {
        // What is here is worth reading without it.
        if (!(error instanceof RepositoryFault)) throw error
      }
    }
    const [tip, theirs] = [store.tip(), setup.source.kind === 'remote' ? store.seen() : null]
    return commits.flatMap((id): [string, string][] => {
      const texts = [store.read(theirs, id), store.read(tip, id)].filter((text) => text !== null)
      return texts.length === 0 ? [] : [[id, texts.reduce(mergeNotes)]]
    })
  })
}

/** Fetches, merges and pushes until the server has what is here. Throws RepositoryFault. */
export async function takeNotesPush(
  setup: Setup,
  { own, by, message }: Tasks['notesPush']['takes'],
  signal: AbortSignal,
): Promise<null> {
  const writer = { by, message, sign: await openSigner(setup.signingKey) }
  const remote = notesRemote(setup)
  const isOwn = setup.source.kind === 'remote'
  return withStore(setup, own, (store) =>
    whileMoved(signal, async () => {
      const theirs = await look(setup, store, signal)
      const to = await withLock(own, signal, async () => mergeHere(store, theirs, writer, isOwn))
      if (to === null || to === theirs) return null
      const objects = lackingObjects(store, to, theirs === null ? [] : [theirs])
      await pushRef(remote, { ref: NOTES_REF, from: theirs, to, objects }, signal)
      store.keepSeen(to)
      if (isOwn) await withLock(own, signal, () => tidied(store, writer))
      return null
    }),
  )
}

/** The notes ref here goes on to what holds both. */
function mergeHere(store: NotesStore, theirs: string | null, writer: NoteWriter, isOwn: boolean): string | null {
  const ours = store.tip()
  if (theirs === null && ours !== null && store.shallow.size > 0 && isOwn) return startAnew(store, ours, writer)
  const to = store.merge(theirs, ours, writer)
  if (to !== null) store.move(ours, to, writer)
  return to
}

/** The note is where it should be; what cannot be tidied now is tidied another time. */
async function tidied(store: NotesStore, writer: NoteWriter): Promise<void> {
  await tidyNotes(store, writer).catch(() => undefined)
}

/** What the server's notes ref stands for, with its objects here; null where it has none. */
async function look(setup: Setup, store: NotesStore, signal: AbortSignal): Promise<string | null> {
  const have = store.seen()
  const theirs = await fetchRef(notesRemote(setup), { ref: NOTES_REF, folder: store.gitdir, have }, signal)
  if (theirs !== null && theirs !== have) store.keepSeen(theirs)
  return theirs
}

async function withStore<Result>(
  setup: Setup,
  own: string,
  task: (store: NotesStore) => Promise<Result>,
): Promise<Result> {
  const once = async (): Promise<Result> => {
    const store = openNotesStore(setup, own)
    try {
      return await task(store)
    } finally {
      store.close()
    }
  }
  try {
    return await once()
  } catch (error) {
    const isDamaged = error instanceof MissingObject || error instanceof DamagedStore
    if (!isDamaged || setup.source.kind === 'local') throw error
    setAside(own)
    return once()
  }
}

/** Notes that are damaged make room for new ones; the first that were are kept for whoever wants to look. */
function setAside(own: string): void {
  const aside = `${own}.damaged`
  if (existsSync(aside)) rmSync(own, { recursive: true, force: true })
  else renameSync(own, aside)
}

/** Again after a moment, a longer one each time and never the same for two, while somebody else is faster. */
async function whileMoved<Result>(signal: AbortSignal, task: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await task()
    } catch (error) {
      const isRace = error instanceof RepositoryFault && (error.kind === 'moved' || /another Git/.test(error.message))
      if (!isRace || attempt === ATTEMPTS) throw error
      await pause(Math.min(2_000, 50 * 1.6 ** attempt) * (0.5 + Math.random()), undefined, { signal })
    }
  }
}
