// Trees against native Git, unsafe names, and the property that a difference leads from one listing to the other.

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openObjectStore } from '../../../src/repository/object-store.ts'
import { compareTrees, openTreeReader, type TreeDifference, type TreeReader } from '../../../src/repository/tree.ts'
import { makeRepository, makeTree, openSandbox, type Sandbox } from './git-sandbox.ts'

const BLOB = 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
const NONE = (): void => undefined
let sandbox: Sandbox
let trees: TreeReader

beforeAll(() => {
  sandbox = openSandbox()
  makeRepository(sandbox, 'repo')
  sandbox.gitWithInput('repo', '', 'hash-object', '-w', '--stdin')
  trees = openTreeReader(openObjectStore([sandbox.path('repo/.git/objects')]))
})
afterAll(() => sandbox.remove())

function listing(difference: TreeDifference): Map<string, string> {
  return new Map(difference.files.map(({ path, kind, oid, executable }) => [path, `${kind} ${executable} ${oid}`]))
}

describe('a listing', () => {
  it('holds what git ls-tree holds', () => {
    sandbox.commit('repo', { 'a/b/c.yaml': '1', 'a/b.yaml': '2', 'a.yaml': '3', 'z/ä ö.txt': '4', 'run.sh': '5' })
    sandbox.git('repo', 'update-index', '--chmod=+x', 'run.sh')
    sandbox.git('repo', 'update-index', '--add', '--cacheinfo', `120000,${BLOB},link`)
    sandbox.git('repo', 'update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},module`)
    const tree = sandbox.git('repo', 'write-tree')
    const native = sandbox.git('repo', 'ls-tree', '-rz', tree).split('\0').filter(Boolean)
    const expected = native.map((line) => {
      const [, mode, oid, path] = /^(\d+) \w+ (\w+)\t(.*)$/s.exec(line) ?? []
      const kind = mode === '120000' ? 'link' : mode === '160000' ? 'submodule' : 'file'
      return [path, `${kind} ${mode === '100755'} ${oid}`]
    })
    expect(expected.length).toBe(7)
    expect([...listing(compareTrees(trees, null, tree, NONE))].toSorted()).toEqual(expected.toSorted())
  })

  it('ends where there are too many files', () => {
    const tree = sandbox.git('repo', 'write-tree')
    const tooMany = (files: number): void => {
      if (files > 2) throw new Error('too many')
    }
    expect(() => compareTrees(trees, null, tree, tooMany)).toThrow('too many')
  })
})

describe('unsafe names', () => {
  const inside = (name: string | Buffer): TreeDifference => {
    const folder = makeTree(sandbox, 'repo', [{ mode: '100644', name: 'inner', oid: BLOB }])
    const entries = [
      { mode: '100644', name: 'good.yaml', oid: BLOB },
      { mode: '40000', name, oid: folder },
    ]
    return compareTrees(trees, null, makeTree(sandbox, 'repo', entries), NONE)
  }

  it.each([
    ['..', 'may not be “..”'],
    ['.', 'may not be “.”'],
    ['.git', '.git'],
    ['.GiT', '.git'],
    ['a\\b', 'backslash'],
    ['/etc', 'slash'],
    ['a/../b', 'slash'],
    ['new\nline', 'control characters'],
    ['\u009b31m', 'control characters'],
    ['x'.repeat(256), '255 bytes'],
    [Buffer.from([0x61, 0xff]), 'UTF-8'],
  ])('%j is refused with all that is in it', (name, why) => {
    const { files, refused } = inside(name)
    expect(files.map(({ path }) => path)).toEqual(['good.yaml'])
    expect(refused).toEqual([{ path: expect.any(String), why: expect.stringContaining(why) }])
    // oxlint-disable-next-line no-control-regex
    expect(refused[0]?.path).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
  })

  it.each(['.gitignore', '..a', 'a..', '...', 'ä', 'a b', '-x'])('%j is fine', (name) => {
    expect(inside(name).refused).toEqual([])
    expect(inside(name).files.map(({ path }) => path)).toContain(`${name}/inner`)
  })

  it('are folders nested too deep, and modes nobody knows', () => {
    let tree = makeTree(sandbox, 'repo', [{ mode: '100644', name: 'leaf', oid: BLOB }])
    for (let depth = 0; depth < 40; depth++) tree = makeTree(sandbox, 'repo', [{ mode: '40000', name: 'd', oid: tree }])
    const { files, refused } = compareTrees(trees, null, tree, NONE)
    expect(files).toEqual([])
    expect(refused).toEqual([{ path: Array(34).fill('d').join('/'), why: 'folders may not nest deeper than 32' }])
    const odd = makeTree(sandbox, 'repo', [{ mode: '10644', name: 'x', oid: BLOB }])
    expect(compareTrees(trees, null, odd, NONE).refused[0]?.why).toContain('unknown mode 10644')
  })

  it('come and go with the difference', () => {
    const clean = makeTree(sandbox, 'repo', [{ mode: '100644', name: 'a', oid: BLOB }])
    const unsafe = makeTree(sandbox, 'repo', [
      { mode: '100644', name: '..', oid: BLOB },
      { mode: '100644', name: 'a', oid: BLOB },
    ])
    expect(compareTrees(trees, clean, unsafe, NONE)).toMatchObject({
      refused: [{ path: '..' }],
      files: [],
      removed: [],
    })
    expect(compareTrees(trees, unsafe, clean, NONE)).toMatchObject({ unrefused: ['..'], files: [], removed: [] })
  })
})

/** A folder of few names, so that files become folders and the other way round. */
type Nested = { [name: string]: Nested | string }
const nested = fc.letrec<{ node: Nested | string; folder: Nested }>((tie) => ({
  node: fc.oneof({ maxDepth: 3 }, fc.constantFrom('1', '2', 'x1'), tie('folder')),
  folder: fc.dictionary(fc.constantFrom('a', 'b', 'c', '..'), tie('node'), { maxKeys: 4 }),
})).folder

function write(folder: Nested): string {
  const entries = Object.entries(folder).map(([name, node]) => {
    if (typeof node !== 'string') return { mode: '40000', name, oid: write(node) }
    const oid = node.endsWith('1') ? '1'.repeat(40) : '2'.repeat(40)
    return { mode: node.startsWith('x') ? '100755' : '100644', name, oid }
  })
  return makeTree(sandbox, 'repo', entries)
}

describe('a difference', () => {
  it('leads from the listing before to the listing after', () => {
    fc.assert(
      fc.property(nested, nested, (first, second) => {
        const [before, after] = [write(first), write(second)]
        const difference = compareTrees(trees, before, after, NONE)
        const old = compareTrees(trees, null, before, NONE)
        const now = compareTrees(trees, null, after, NONE)
        const result = listing(old)
        for (const path of difference.removed) expect(result.delete(path)).toBe(true)
        for (const [path, value] of listing(difference)) {
          expect(result.get(path)).not.toBe(value)
          result.set(path, value)
        }
        expect([...result].toSorted()).toEqual([...listing(now)].toSorted())
        const refused = new Set(old.refused.map(({ path }) => path))
        for (const path of difference.unrefused) refused.delete(path)
        for (const { path } of difference.refused) refused.add(path)
        expect([...refused].toSorted()).toEqual(now.refused.map(({ path }) => path).toSorted())
      }),
      { numRuns: 40 },
    )
  }, 60_000)
})
