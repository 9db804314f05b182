// Trees of notes, with native Git as the other side.

import { createHash } from 'node:crypto'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { readCommit } from '../../../src/repository/commit.ts'
import { writeLoose } from '../../../src/repository/new-object.ts'
import { changedNotes, changeNotes, noteIn } from '../../../src/repository/notes-tree.ts'
import { openObjectStore } from '../../../src/repository/object-store.ts'
import { openTreeReader } from '../../../src/repository/tree.ts'
import { makeRepository, openSandbox, type Sandbox } from './git-sandbox.ts'

let sandbox: Sandbox
beforeEach(() => {
  sandbox = openSandbox()
  makeRepository(sandbox, '.')
})
afterEach(() => sandbox.remove())

const id = (number: number): string => createHash('sha1').update(`${number}`).digest('hex')

/** Commits and a note on each, made by native Git's fast-import, which spreads notes as `git notes` does. */
function nativeNotes(count: number): { tip: string; ids: string[] } {
  const numbers = Array.from({ length: count }, (_, number) => number)
  const head = (ref: string, number: number): string =>
    `commit ${ref}\nmark :${number}\ncommitter A <a@b> ${1_700_000_000 + number} +0000\ndata 1\nc\n`
  const commits = numbers.map((number) => head('refs/heads/main', number + 1))
  const notes = numbers.map((number) => `N inline :${number + 1}\ndata <<E\nnote ${number}\nE\n`)
  sandbox.gitWithInput(
    '.',
    `${commits.join('')}${head('refs/notes/graft', count + 1)}${notes.join('')}\n`,
    'fast-import',
    '--quiet',
  )
  const ids = sandbox.git('.', 'rev-list', '--reverse', 'main').split('\n')
  return { tip: sandbox.git('.', 'rev-parse', 'refs/notes/graft'), ids }
}

function opened() {
  const store = openObjectStore([sandbox.path('.git', 'objects')])
  return { store, trees: openTreeReader(store) }
}

/** Writes a tree of notes as the notes ref. */
function keep(change: ReturnType<typeof changeNotes>): void {
  for (const object of change.objects) writeLoose(sandbox.path('.git', 'objects'), object)
  const commit = sandbox.git('.', 'commit-tree', '-m', 'notes', change.root ?? '')
  sandbox.git('.', 'update-ref', 'refs/notes/graft', commit)
}

const blob = (text: string): string => sandbox.gitWithInput('.', text, 'hash-object', '-w', '--stdin')
const listed = (): Map<string, string> =>
  new Map(
    sandbox
      .git('.', 'notes', '--ref=graft', 'list')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(' ').toReversed() as [string, string]),
  )

describe('a tree of notes', () => {
  it.each([3, 1_600])('of %i made by native Git is read, changed, and read by it again', (count) => {
    const { tip, ids } = nativeNotes(count)
    const { store, trees } = opened()
    const root = readCommit(store, tip).tree
    const [first = '', second = '', last = ''] = [ids[0], ids[1], ids.at(-1)]
    if (count > 1_000) expect(sandbox.git('.', 'ls-tree', '--name-only', root).split('\n')[0]).toMatch(/^..$/)
    for (const [one, number] of [
      [first, 0],
      [last, count - 1],
    ] as const) {
      expect(noteIn(trees, root, one).map((oid) => store.read(oid).content.toString())).toEqual([`note ${number}\n`])
    }
    expect(noteIn(trees, root, id(1))).toEqual([])
    const before = listed()
    const [changed, added] = [blob('changed'), blob('added')]
    keep(
      changeNotes(
        trees,
        root,
        new Map([
          [second, changed],
          [id(1), added],
        ]),
      ),
    )
    expect(listed()).toEqual(new Map([...before, [second, changed], [id(1), added]]))
    expect(sandbox.git('.', 'fsck', '--strict')).not.toMatch(/error|missing|warning/)
  })

  it('grown by graft alone is spread where it is large, and native Git goes on with it', () => {
    const { trees } = opened()
    const oid = blob('x')
    const ids = Array.from({ length: 700 }, (_, number) => id(number))
    let root: string | null = null
    for (let at = 0; at < ids.length; at += 100) {
      const { root: next, objects } = changeNotes(
        trees,
        root,
        new Map(ids.slice(at, at + 100).map((one) => [one, oid])),
      )
      for (const object of objects) writeLoose(sandbox.path('.git', 'objects'), object)
      root = next
    }
    keep({ root, objects: [] })
    expect(
      sandbox
        .git('.', 'ls-tree', '--name-only', root ?? '')
        .split('\n')
        .every((name) => name.length === 2),
    ).toBe(true)
    expect(new Set(listed().keys())).toEqual(new Set(ids))
    const commit = sandbox.commit('.', { a: 'a' })
    sandbox.git('.', 'notes', '--ref=graft', 'add', '-m', 'by hand', commit)
    expect(listed().size).toBe(701)
    expect(sandbox.git('.', 'fsck', '--strict')).not.toMatch(/error|missing|warning/)
  })

  it('keeps what is no note, and takes notes away', () => {
    const readme = blob('read me')
    const folder = sandbox.gitWithInput('.', `100644 blob ${readme}\tREADME\n`, 'mktree')
    const first = sandbox.gitWithInput('.', `100644 blob ${readme}\tREADME\n040000 tree ${folder}\tdocs\n`, 'mktree')
    const { trees } = opened()
    const one = changeNotes(trees, first, new Map([[id(1), readme]]))
    keep(one)
    expect(sandbox.git('.', 'ls-tree', '-r', '--name-only', 'refs/notes/graft').split('\n')).toEqual(
      [id(1), 'README', 'docs/README'].toSorted(),
    )
    expect(changeNotes(trees, one.root, new Map([[id(1), null]])).root).toBe(first)
  })

  it('finds a note that lies in two places, and leaves it in one', () => {
    const [a, b, c] = [blob('a'), blob('b'), blob('c')]
    const inner = sandbox.gitWithInput('.', `100644 blob ${b}\t${id(1).slice(2)}\n`, 'mktree')
    const root = sandbox.gitWithInput(
      '.',
      `100644 blob ${a}\t${id(1)}\n040000 tree ${inner}\t${id(1).slice(0, 2)}\n`,
      'mktree',
    )
    const { trees } = opened()
    expect(noteIn(trees, root, id(1))).toEqual([a, b])
    keep(changeNotes(trees, root, new Map([[id(1), c]])))
    expect(listed()).toEqual(new Map([[id(1), c]]))
  })

  it('says which notes differ between two, however they are spread', () => {
    const { tip, ids } = nativeNotes(1_600)
    const { store, trees } = opened()
    const root = readCommit(store, tip).tree
    const fifth = ids[5] ?? ''
    const next = changeNotes(
      trees,
      root,
      new Map([
        [fifth, blob('5')],
        [id(9_999), blob('n')],
      ]),
    )
    for (const object of next.objects) writeLoose(sandbox.path('.git', 'objects'), object)
    expect([...changedNotes(trees, root, next.root)].toSorted()).toEqual([fifth, id(9_999)].toSorted())
    expect(changedNotes(trees, null, root).size).toBe(1_600)
    expect(changedNotes(trees, root, root).size).toBe(0)
  })
})
