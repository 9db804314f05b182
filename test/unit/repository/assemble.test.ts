// A snapshot is put together so that what did not change is the same object, in the order of the paths.

import { describe, expect, it } from 'vitest'
import { openAssembly } from '../../../src/repository/assemble.ts'
import { DEFAULT_LIMITS } from '../../../src/repository/limits.ts'
import type { Difference, FileBatch } from '../../../src/repository/protocol.ts'
import type { Snapshot } from '../../../src/repository/snapshot.ts'

const WHOLE: Difference = { whole: true, removed: [], refused: [], unrefused: [], kept: [] }
const PART: Difference = { ...WHOLE, whole: false }

function batch(files: Readonly<Record<string, string>>): FileBatch {
  const sent = Object.entries(files).map(([path, text]) => ({
    path,
    kind: 'file' as const,
    oid: text,
    executable: false,
    size: text.length,
    sent: true,
  }))
  return { files: sent, bytes: Buffer.from(Object.values(files).join('')) }
}

function assemble(
  base: Snapshot | undefined,
  files: Readonly<Record<string, string>>,
  difference: Difference,
): Snapshot {
  const assembly = openAssembly(base, DEFAULT_LIMITS)
  assembly.add(batch(files))
  return assembly.finish(null, difference)
}

const texts = (snapshot: Snapshot): [string, string][] =>
  [...snapshot.entries].map(([path, { content }]) => [path, Buffer.from(content ?? []).toString()])

describe('a snapshot', () => {
  const first = assemble(undefined, { 'b/x': 'one', a: 'two', 'a.b': '', c: 'three' }, WHOLE)

  it('has its entries in order, each with its own bytes', () => {
    expect(texts(first)).toEqual([
      ['a', 'two'],
      ['a.b', ''],
      ['b/x', 'one'],
      ['c', 'three'],
    ])
    for (const { content } of first.entries.values()) expect(content?.buffer.byteLength).toBe(content?.length)
  })

  it('shares what did not change with its base', () => {
    const next = assemble(first, { aa: 'new', c: 'changed' }, { ...PART, removed: ['a.b'] })
    expect(texts(next).map(([path]) => path)).toEqual(['a', 'aa', 'b/x', 'c'])
    expect(next.entries.get('a')).toBe(first.entries.get('a'))
    expect(next.entries.get('b/x')).toBe(first.entries.get('b/x'))
    expect(next.entries.get('c')).not.toBe(first.entries.get('c'))
    expect(first.entries.has('a.b')).toBe(true)
  })

  it('shares what is equal even where everything is sent', () => {
    const next = assemble(first, { a: 'two', z: 'z' }, { ...WHOLE, kept: ['c'] })
    expect(texts(next).map(([path]) => path)).toEqual(['a', 'c', 'z'])
    expect(next.entries.get('a')).toBe(first.entries.get('a'))
    expect(next.entries.get('c')).toBe(first.entries.get('c'))
  })

  it('keeps the refusals of what was not looked at again', () => {
    const bad = assemble(undefined, {}, { ...WHOLE, refused: ['x', '..'].map((path) => ({ path, why: 'bad' })) })
    const next = assemble(bad, {}, { ...PART, unrefused: ['x'], refused: [{ path: 'y', why: 'bad' }] })
    expect(next.refused?.map(({ path }) => path)).toEqual(['..', 'y'])
  })

  it('has limits as a whole, however little changed', () => {
    const small = { ...DEFAULT_LIMITS, filesPerSnapshot: 4, contentBytes: 15 }
    const more = openAssembly(first, small)
    more.add(batch({ d: '' }))
    expect(() => more.finish(null, PART)).toThrow('more than 4 files')
    const larger = openAssembly(first, small)
    larger.add(batch({ c: 'a long text' }))
    expect(() => larger.finish(null, PART)).toThrow('larger than')
  })
})
