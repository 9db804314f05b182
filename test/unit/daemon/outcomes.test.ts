// The book of outcomes over notes that fail, hang and come back, in virtual time.

import { describe, expect, it } from 'vitest'

import { hostName, notesMode } from '../../../src/daemon/notes-settings.ts'
import { openOutcomeBook, type NotesFault, type NotesMode } from '../../../src/daemon/outcomes.ts'
import { settingsSchema } from '../../../src/daemon/settings.ts'
import { virtualClock } from '../../../src/engine/memory/clock.ts'
import type { OutcomeRecord } from '../../../src/report/outcome-record.ts'
import { noteWith } from '../../../src/repository/note-text.ts'
import type { Notes } from '../../../src/repository/notes.ts'
import { RepositoryFault, type RepositoryFaultKind } from '../../../src/repository/repository.ts'

const record = (commit: string, at: number, result: OutcomeRecord['result'] = 'deployed'): OutcomeRecord => ({
  format: 1,
  host: 'alpha',
  deployment: 'shop',
  commit,
  result,
  at,
  milliseconds: 1,
  leaves: [],
  problems: [],
})

function bookOn(mode: NotesMode) {
  const clock = virtualClock()
  const texts = new Map<string, string>()
  const state = { writing: null as RepositoryFault | null, pushing: null as RepositoryFault | null, hangs: false }
  const pushes: number[] = []
  const notes: Notes = {
    write(changes) {
      if (state.writing !== null) return Promise.reject(state.writing)
      for (const { commit, entries } of changes) texts.set(commit, noteWith(texts.get(commit) ?? '', entries))
      return Promise.resolve()
    },
    read: (commits) => Promise.resolve(new Map([...texts].filter(([commit]) => commits.includes(commit)))),
    push(signal) {
      pushes.push(clock.now())
      if (state.hangs) {
        return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted'))))
      }
      return state.pushing === null ? Promise.resolve() : Promise.reject(state.pushing)
    },
    close: () => Promise.resolve(),
  }
  const book = openOutcomeBook(notes, mode, clock)
  const faults: (NotesFault | null)[] = []
  book.onFault((fault) => faults.push(fault))
  return { book, clock, texts, state, pushes, faults }
}

const fault = (kind: RepositoryFaultKind) => new RepositoryFault(kind, `it is ${kind}`, 'Do something')

describe('the book of outcomes', () => {
  it('reads back what it recorded, the newest of each commit', async () => {
    const { book, pushes } = bookOn('keep')
    await book.record(record('c1', 1, 'failed'))
    await book.record(record('c1', 2))
    await book.record(record('c2', 3))
    expect(await book.read(['c1', 'c2', 'c3'], true)).toEqual(
      new Map([
        ['c1', [record('c1', 2)]],
        ['c2', [record('c2', 3)]],
      ]),
    )
    expect(await book.settled(1_000)).toBe(true)
    expect(pushes).toEqual([])
  })

  it('writes nothing where it is off', async () => {
    const { book, texts } = bookOn('off')
    await book.record(record('c1', 1))
    book.catchUp()
    expect(texts.size).toBe(0)
    expect(await book.settled(1_000)).toBe(true)
  })

  it('pushes with growing pauses while the server is away, says so once, and once that it is back', async () => {
    const { book, clock, state, pushes, faults } = bookOn('push')
    const begun = clock.now()
    state.pushing = fault('unreachable')
    await book.record(record('c1', 1))
    await clock.advance(3_600_000)
    expect(pushes.length).toBeGreaterThan(8)
    expect(pushes.length).toBeLessThan(16)
    expect((pushes[1] ?? 0) - begun).toBeLessThan(7_000)
    expect(faults).toEqual([
      { message: 'notes of outcomes: it is unreachable', remedy: 'Do something', retryIn: expect.any(Number) },
    ])
    state.pushing = null
    await clock.advance(1_200_000)
    expect(faults.at(-1)).toBeNull()
    const settled = pushes.length
    await clock.advance(7_200_000)
    expect(pushes).toHaveLength(settled)
  })

  it('hardly asks again where a person must act', async () => {
    const { book, clock, state, pushes } = bookOn('push')
    state.pushing = fault('auth')
    await book.record(record('c1', 1))
    await book.record(record('c2', 2))
    await clock.advance(4 * 3_600_000)
    expect(pushes.length).toBeLessThan(7)
  })

  it('goes on recording while a push hangs, and its end waits no longer than it was told', async () => {
    const { book, clock, state, pushes, texts } = bookOn('push')
    state.hangs = true
    await book.record(record('c1', 1))
    await book.record(record('c2', 2))
    expect(texts.size).toBe(2)
    expect(pushes).toHaveLength(1)
    expect(await clock.run(book.settled(3_000))).toBe(false)
    await book.close()
  })

  it('writes later, by itself, what the disk did not take', async () => {
    const { book, clock, state, texts } = bookOn('keep')
    state.writing = fault('damaged')
    await book.record(record('c1', 1))
    await clock.advance(12_000)
    state.writing = null
    await clock.advance(60_000)
    expect([...texts.keys()]).toEqual(['c1'])
  })

  it('keeps what could not be written, and writes it with the next one', async () => {
    const { book, state, texts, faults } = bookOn('keep')
    state.writing = fault('damaged')
    await book.record(record('c1', 1))
    expect(await book.settled(1_000)).toBe(false)
    state.writing = null
    await book.record(record('c2', 2))
    expect([...texts.keys()]).toEqual(['c1', 'c2'])
    expect(faults).toEqual([expect.objectContaining({ message: 'notes of outcomes: it is damaged' }), null])
    expect(await book.settled(1_000)).toBe(true)
  })

  it('pushes at a start what an earlier process could not', async () => {
    const { book, clock, pushes } = bookOn('push')
    book.catchUp()
    expect(await clock.run(book.settled(1_000))).toBe(true)
    expect(pushes).toHaveLength(1)
  })
})

describe('where notes go', () => {
  it.each([
    ['/srv/site', {}, 'keep'],
    ['file:///srv/site', {}, 'keep'],
    ['https://git.example/site.git', {}, 'keep'],
    ['https://git.example/site.git', { tokenFile: '/t' }, 'push'],
    ['https://ann:secret@git.example/site.git', {}, 'push'],
    ['git@git.example:site.git', {}, 'push'],
  ] as const)('of %s with %o: %s', (repo, auth, mode) => {
    expect(notesMode({ repo }, auth)).toBe(mode)
    expect(notesMode({ repo, notes: 'off' }, auth)).toBe('off')
    expect(notesMode({ repo, notes: 'push' }, auth)).toBe('push')
  })

  it('is told under a name that fits into one word', () => {
    const settings = settingsSchema.parse({})
    expect(hostName({ ...settings, host_name: 'alpha.example' })).toBe('alpha.example')
    expect(hostName(settings)).toMatch(/^[A-Za-z0-9][\w.-]*$/)
    expect(settingsSchema.safeParse({ host_name: 'al pha' }).success).toBe(false)
    expect(settingsSchema.safeParse({ host_name: 'a: b' }).success).toBe(false)
  })
})
