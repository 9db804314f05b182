// Graft's own repository of notes, in this process; native Git looks at it.

import { readdirSync, rmSync } from 'node:fs'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { DEFAULT_LIMITS } from '../../../src/repository/limits.ts'
import { noteWith } from '../../../src/repository/note-text.ts'
import { openNotesStore, type NotesStore } from '../../../src/repository/notes-store.ts'
import { takeNotesRead, takeNotesWrite } from '../../../src/repository/notes-tasks.ts'
import { tidyNotes } from '../../../src/repository/notes-tidy.ts'
import type { Setup } from '../../../src/repository/protocol.ts'
import { openSandbox, type Sandbox } from './git-sandbox.ts'

const BY = { name: 'graft on alpha', email: 'graft@alpha' }
const WRITER = { by: BY, message: 'told', sign: null }
const { signal } = new AbortController()
const id = (number: number): string => number.toString(16).padStart(40, '7')

let sandbox: Sandbox
let own: string
let setup: Setup
beforeEach(() => {
  sandbox = openSandbox()
  own = sandbox.path('notes')
  const proxies = { http: null, https: null, none: '' }
  setup = {
    source: { kind: 'remote', url: 'http://127.0.0.1:9/none.git', cache: sandbox.path('clone'), depth: null },
    access: { auth: {}, caFile: null, proxies, ssh: { keyFile: null, knownHostsFile: null } },
    ref: null,
    signingKey: null,
    folder: '',
    limits: DEFAULT_LIMITS,
  }
})
afterEach(() => sandbox.remove())

const entry = (text: string, at = 1) => ({
  name: 'shop on alpha',
  at,
  words: `shop on alpha: ${text}`,
  data: JSON.stringify({ host: 'alpha', deployment: 'shop', at }),
})
const write = (number: number, text: string, at = 1): Promise<boolean> =>
  takeNotesWrite(
    setup,
    { own, notes: [{ commit: id(number), entries: [entry(text, at)] }], by: BY, message: 'told' },
    signal,
  )
const read = async (...numbers: number[]): Promise<string[]> =>
  (await takeNotesRead(setup, { own, commits: numbers.map(id), fetch: false }, signal)).map(([, text]) => text)

async function using<Result>(task: (store: NotesStore) => Result | Promise<Result>): Promise<Result> {
  const store = openNotesStore(setup, own)
  try {
    return await task(store)
  } finally {
    store.close()
  }
}

const files = (folder: string): string[] =>
  readdirSync(sandbox.path('notes', 'objects', folder)).filter((name) => name.endsWith('.pack'))
const fsck = (): string => sandbox.git('notes', 'fsck', '--strict', '--connectivity-only')

describe('a repository of notes of graft’s own', () => {
  it('is one that native Git opens, and takes the same entry once', async () => {
    expect(await write(1, 'deployed')).toBe(true)
    expect(await write(1, 'deployed')).toBe(false)
    expect(sandbox.git('notes', 'rev-list', '--count', 'refs/notes/graft')).toBe('1')
    expect(sandbox.git('notes', 'rev-parse', '--is-bare-repository')).toBe('true')
    expect(sandbox.git('notes', 'notes', '--ref=graft', 'list')).toContain(id(1))
    expect(await read(1, 2)).toEqual([noteWith('', [entry('deployed')])])
  })

  it('that was never pushed is put together as one commit, and goes on', async () => {
    for (let number = 0; number < 12; number++) await write(number, 'deployed')
    await using((store) => tidyNotes(store, WRITER, { loose: 10, packs: 50 }))
    expect(sandbox.git('notes', 'rev-list', '--count', 'refs/notes/graft')).toBe('1')
    expect(files('pack')).toHaveLength(1)
    expect(sandbox.git('notes', 'count-objects')).toMatch(/^0 objects/)
    expect(fsck()).not.toMatch(/error|missing|broken/)
    await write(3, 'failed', 2)
    expect((await read(3))[0]).toContain('failed')
    expect(await read(...Array.from({ length: 12 }, (_, number) => number))).toHaveLength(12)
    expect(fsck()).not.toMatch(/error|missing|broken/)
  })

  it('that the server has is cut off at its tip, and goes on', async () => {
    for (let number = 0; number < 12; number++) await write(number, 'deployed')
    await using(async (store) => {
      store.keepSeen(store.tip() ?? '')
      await tidyNotes(store, WRITER, { loose: 10, packs: 50 })
    })
    const tip = sandbox.git('notes', 'rev-parse', 'refs/notes/graft')
    expect(sandbox.git('notes', 'rev-list', 'refs/notes/graft')).toBe(tip)
    expect(fsck()).not.toMatch(/error|missing|broken/)
    await write(3, 'failed', 2)
    expect(sandbox.git('notes', 'rev-list', 'refs/notes/graft').split('\n')[1]).toBe(tip)
    // What came on top of it is a way forward, and nothing is merged.
    await using((store) => expect(store.merge(tip, store.tip(), WRITER)).toBe(store.tip()))
    expect(fsck()).not.toMatch(/error|missing|broken/)
  })

  it('that is damaged makes room for a new one', async () => {
    await write(1, 'deployed')
    const tree = sandbox.git('notes', 'rev-parse', 'refs/notes/graft^{tree}')
    rmSync(sandbox.path('notes', 'objects', tree.slice(0, 2), tree.slice(2)))
    expect(await write(2, 'deployed')).toBe(true)
    expect(await read(1, 2)).toHaveLength(1)
    expect(readdirSync(sandbox.path('.'))).toContain('notes.damaged')
  })

  it('with little in it is left alone', async () => {
    await write(1, 'deployed')
    await using((store) => tidyNotes(store, WRITER))
    expect(files('')).toEqual([])
    expect(sandbox.git('notes', 'count-objects')).toMatch(/^3 objects/)
  })
})
