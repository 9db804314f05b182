// What is written so that files are as they were: of a commit, of a folder, of one leaf.

import { describe, expect, it } from 'vitest'

import { editedSnapshot } from '../../../src/desired/edited-snapshot.ts'
import { folderAsItWas, inverseOf, type PutBack } from '../../../src/desired/revert-files.ts'
import { leafAsItWas } from '../../../src/desired/revert-leaf.ts'
import type { Snapshot } from '../../../src/repository/snapshot.ts'
import { snapshotOf, type FileContent } from './snapshot-of.ts'

const shown = ({ changes }: PutBack): (string | null)[][] =>
  changes.map(({ path, content }) => [path, content === null ? null : Buffer.from(content).toString()])

function executable(snapshot: Snapshot, path: string): Snapshot {
  const entry = snapshot.entries.get(path)
  if (entry === undefined) throw new Error(path)
  return { ...snapshot, entries: new Map([...snapshot.entries, [path, { ...entry, executable: true }]]) }
}

describe('the inverse of a commit', () => {
  const before = snapshotOf({ a: '1', b: '1', c: '1' })
  const after = snapshotOf({ a: '2', c: '1', d: '1' })

  it('writes what it changed, brings back what it deleted, and lets go what it made', () => {
    const inverse = inverseOf(before, after, after)
    expect(inverse).toMatchObject({ conflicts: [], unwritable: [], touched: 3 })
    expect(shown(inverse)).toEqual([
      ['d', null],
      ['a', '1'],
      ['b', '1'],
    ])
    expect([...editedSnapshot(after, inverse.changes).entries.keys()]).toEqual(['a', 'b', 'c'])
  })

  it('leaves alone what others changed since in other files', () => {
    const now = snapshotOf({ a: '2', c: '2', d: '1', e: '1' })
    expect(shown(inverseOf(before, after, now))).toEqual([
      ['d', null],
      ['a', '1'],
      ['b', '1'],
    ])
  })

  it.each<[string, Record<string, FileContent>, string[]]>([
    ['changed again', { a: '3', c: '1', d: '1' }, ['a']],
    ['deleted since', { c: '1', d: '1' }, ['a']],
    ['made anew otherwise', { a: '2', b: '2', c: '1', d: '1' }, ['b']],
    ['changed after it was made', { a: '2', c: '1', d: '2' }, ['d']],
    ['a link now', { a: { kind: 'link' }, c: '1', d: '1' }, ['a']],
  ])('names what was %s', (_, files, conflicts) => {
    expect(inverseOf(before, after, snapshotOf(files)).conflicts).toEqual(conflicts)
  })

  it('has nothing to do where all is as before', () => {
    expect(inverseOf(before, after, before)).toMatchObject({ changes: [], conflicts: [], touched: 3 })
  })

  it('brings modes back', () => {
    const was = executable(before, 'a')
    expect(inverseOf(was, after, after).changes.find(({ path }) => path === 'a')).toMatchObject({ executable: true })
    expect(inverseOf(was, before, before).changes).toMatchObject([{ path: 'a', executable: true }])
    expect(inverseOf(before, was, was).changes).toMatchObject([{ path: 'a', executable: false }])
    expect(editedSnapshot(was, inverseOf(before, was, was).changes).entries.get('a')?.executable).toBe(false)
  })

  it('says what cannot be written', () => {
    const odd = snapshotOf({ l: { kind: 'link' }, s: { kind: 'submodule' }, big: { size: 2_000_000 }, a: '1' })
    const gone = snapshotOf({ a: '1' })
    expect(inverseOf(odd, gone, gone).unwritable.map(({ path, what }) => `${path}: ${what}`)).toEqual([
      'big: larger than 1 MiB',
      'l: a symbolic link',
      's: a submodule',
    ])
    expect(inverseOf(gone, odd, odd).unwritable.map(({ path }) => path)).toEqual(['l', 's'])
    expect(inverseOf(gone, odd, odd).changes).toEqual([{ path: 'big', content: null }])
  })
})

describe('a folder as it was', () => {
  const then = snapshotOf({ 'web/set.yaml': 'one', 'web/a.yaml': '1', 'web-2/a.yaml': '1', 'db.yaml': '1' })
  const now = snapshotOf({ 'web/set.yaml': 'two', 'web/new.yaml': '1', 'web-2/a.yaml': '2', 'db.yaml': '2' })

  it('is that folder, and nothing beside it', () => {
    expect(shown(folderAsItWas(then, now, 'web'))).toEqual([
      ['web/new.yaml', null],
      ['web/a.yaml', '1'],
      ['web/set.yaml', 'one'],
    ])
  })

  it('is everything at the root', () => {
    const back = editedSnapshot(now, folderAsItWas(then, now, '').changes)
    const texts = ({ entries }: Snapshot) => [...entries].map(([path, { content }]) => `${path} ${content}`).toSorted()
    expect(texts(back)).toEqual(texts(then))
  })
})

describe('a leaf as it was', () => {
  const leaf = (image: string, rest = ''): string => `generation: 1\nimage: ${image}\n${rest}`
  const place = (files: Record<string, string>, file: string | null) => ({ snapshot: snapshotOf(files), file })

  it('has what its own file names, in each form, and not what others name', () => {
    const names =
      'files: {/a: ./a.conf, /b: {source: ../b.conf}, /c: "./${name}.conf", /d: ../../out}\nenv_file: [one.env, {path: two.env}]\n'
    const files = { 'b.conf': '1', 'web/a.conf': '1', 'web/one.env': '1', 'web/two.env': '1', 'web/other.conf': '1' }
    const changed = Object.fromEntries(Object.keys(files).map((path) => [path, '2']))
    const then = place({ ...files, 'web/page.yaml': leaf('x:1', names) }, 'web/page.yaml')
    const now = place({ ...changed, 'web/page.yaml': leaf('x:2', names) }, 'web/page.yaml')
    const { whole, careful } = leafAsItWas(then, now)
    expect(whole.changes.map(({ path }) => path)).toEqual([
      'b.conf',
      'web/a.conf',
      'web/one.env',
      'web/page.yaml',
      'web/two.env',
    ])
    expect(careful).toEqual(whole)
  })

  it('loses what only the newer one names, where nobody else may', () => {
    const then = place({ 'page.yaml': leaf('x:1') }, 'page.yaml')
    const now = place({ 'page.yaml': leaf('x:2', 'env_file: a.env\n'), 'a.env': '' }, 'page.yaml')
    const { whole, careful } = leafAsItWas(then, now)
    expect(shown(whole)).toEqual([
      ['a.env', null],
      ['page.yaml', leaf('x:1')],
    ])
    expect(shown(careful)).toEqual([['page.yaml', leaf('x:1')]])
  })

  it('goes back to where it lay, comes back, and may not read', () => {
    const then = place({ 'page.yaml': leaf('x:1') }, 'page.yaml')
    const moved = place({ 'web/page.yaml': leaf('x:1') }, 'web/page.yaml')
    expect(shown(leafAsItWas(then, moved).whole)).toEqual([
      ['web/page.yaml', null],
      ['page.yaml', leaf('x:1')],
    ])
    expect(shown(leafAsItWas(then, place({ 'db.yaml': '' }, null)).whole)).toEqual([['page.yaml', leaf('x:1')]])
    const broken = place({ 'page.yaml': '[: no YAML' }, 'page.yaml')
    expect(shown(leafAsItWas(then, broken).whole)).toEqual([['page.yaml', leaf('x:1')]])
  })
})
