// A snapshot with changes put in: the ids that Git gives, and the same objects for what stays.

import { expect, test } from 'vitest'

import { editedSnapshot } from '../../../src/desired/edited-snapshot.ts'
import { LARGEST_READ_LIMITS } from '../../../src/desired/read-limits.ts'
import { snapshotOf } from './snapshot-of.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)
const before = snapshotOf({ 'a.yaml': 'a', 'b/c.yaml': 'c', 'd.yaml': 'd' })

test('what stays is the same object, what changes has the id that git hash-object gives it', () => {
  const after = editedSnapshot(before, [{ path: 'a.yaml', content: bytes('hello\n') }])
  expect(after.entries.get('a.yaml')).toMatchObject({
    oid: 'ce013625030ba8dba906f756967f9e9ca394464a',
    kind: 'file',
    size: 6,
    content: bytes('hello\n'),
  })
  expect(after.entries.get('b/c.yaml')).toBe(before.entries.get('b/c.yaml'))
  expect([...after.entries.keys()]).toEqual(['a.yaml', 'b/c.yaml', 'd.yaml'])
  expect(after.commit).toBeNull()
  expect(before.entries.get('a.yaml')?.size).toBe(1)
})

test('a file comes where its path belongs, and another goes', () => {
  const after = editedSnapshot(before, [
    { path: 'b/a.yaml', content: bytes('x') },
    { path: 'd.yaml', content: null },
  ])
  expect([...after.entries.keys()]).toEqual(['a.yaml', 'b/a.yaml', 'b/c.yaml'])
})

test('a change that changes nothing gives the very same snapshot', () => {
  const once = editedSnapshot(before, [{ path: 'a.yaml', content: bytes('x') }])
  const again = [
    { path: 'a.yaml', content: bytes('x') },
    { path: 'gone.yaml', content: null },
  ]
  expect(editedSnapshot(once, again)).toBe(once)
  expect(editedSnapshot(once, [])).toBe(once)
})

const FILE_SIZE_LIMIT = LARGEST_READ_LIMITS.fileBytes

test('content above every limit is not kept, and a file stays executable', () => {
  const entry = before.entries.get('a.yaml')
  if (entry === undefined) throw new Error('no entry')
  const start = { ...before, entries: new Map([['a.yaml', { ...entry, executable: true }]]) }
  const after = editedSnapshot(start, [{ path: 'a.yaml', content: new Uint8Array(FILE_SIZE_LIMIT + 1) }])
  expect(after.entries.get('a.yaml')).toMatchObject({ size: FILE_SIZE_LIMIT + 1, content: null, executable: true })
})
