// What a push must send, beside native Git's own list for the same histories.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lackingObjects } from '../../../src/repository/lacking-objects.ts'
import { newObject, packOf } from '../../../src/repository/new-object.ts'
import { openObjectStore } from '../../../src/repository/object-store.ts'
import { openTreeReader } from '../../../src/repository/tree.ts'
import { makeRepository, openSandbox, type Sandbox } from './git-sandbox.ts'

let sandbox: Sandbox
beforeEach(() => {
  sandbox = openSandbox()
  makeRepository(sandbox, 'site')
})
afterEach(() => sandbox.remove())

const git = (...args: string[]): string => sandbox.git('site', ...args)

function lacking(to: string, there: readonly string[], shallow: readonly string[] = []) {
  const store = openObjectStore([sandbox.path('site', '.git', 'objects')])
  const objects = { store, trees: openTreeReader(store), shallow: new Set(shallow) }
  return lackingObjects(
    objects,
    git('rev-parse', to),
    there.map((name) => git('rev-parse', name)),
  )
}

function native(to: string, there: readonly string[]): string[] {
  const not = there.flatMap((name) => [`^${git('rev-parse', name)}`])
  return git('rev-list', '--objects', to, ...not)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.slice(0, 40))
    .toSorted()
}

const ids = (objects: readonly { readonly oid: string }[]): string[] => objects.map(({ oid }) => oid).toSorted()

it('a pack holds no more than it may', () => {
  const objects = [newObject('blob', Buffer.alloc(600)), newObject('blob', Buffer.alloc(500))]
  expect(packOf(objects, 1099)).toBeNull()
  const pack = packOf(objects, 1100)
  makeRepository(sandbox, 'other')
  sandbox.gitWithInput('other', pack ?? '', 'unpack-objects', '-q')
  for (const { oid, content } of objects)
    expect(sandbox.git('other', 'cat-file', '-s', oid)).toBe(String(content.length))
})

describe('the objects that another side lacks', () => {
  it('are those that Git lists', () => {
    sandbox.commit('site', { 'a/one.txt': '1', 'a/two.txt': '2', 'b.txt': 'b' })
    git('tag', '-a', 'v1', '-m', 'one')
    sandbox.commit('site', { 'a/one.txt': '1.1', 'c/d/e.txt': 'e' })
    git('branch', 'side')
    sandbox.commit('site', { 'b.txt': null, 'a/two.txt': '2.1' })
    git('switch', '-q', 'side')
    sandbox.commit('site', { 'side.txt': 's' })
    git('switch', '-q', 'main')
    git('merge', '-q', '--no-ff', '-m', 'merged', 'side')
    for (const [to, there] of [
      ['main', []],
      ['main', ['v1']],
      ['main', ['main~1']],
      ['main', ['side']],
      ['main', ['side', 'main~1']],
      ['side', ['main~1']],
      ['main~1', ['side', 'v1']],
      ['main', ['main']],
      ['side', ['main']],
    ] as const) {
      const mine = lacking(to, there)
      expect([to, there, ids(mine)]).toEqual([to, there, native(to, there)])
      for (const { oid, type, content } of mine) {
        expect(git('cat-file', '-t', oid)).toBe(type)
        expect(content.length).toBe(Number(git('cat-file', '-s', oid)))
      }
    }
  })

  it('leave submodules out, and say where the history is cut off', () => {
    sandbox.commit('site', { 'a.txt': '1' })
    git('update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},sub`)
    git('commit', '-q', '-m', 'a submodule')
    const tip = git('rev-parse', 'HEAD')
    expect(ids(lacking('main', ['main~1']))).toEqual(native('main', ['main~1']))
    expect(() => lacking('main', [], [tip])).toThrow(expect.objectContaining({ kind: 'refused' }))
    expect(lacking('main', ['main'], [tip])).toEqual([])
  })

  it('are complete for histories whose times lie', () => {
    sandbox.commit('site', { 'a.txt': '1' })
    const times = [900_000_000, 2_000_000_000, 1_000_000_000, 1_900_000_000]
    for (const [at, time] of times.entries()) {
      const blob = sandbox.gitWithInput('site', `${at}`, 'hash-object', '-w', '--stdin')
      const tree = sandbox.gitWithInput('site', `100644 blob ${blob}\tfile\n`, 'mktree')
      const parent = git('rev-parse', 'HEAD')
      const text = `tree ${tree}\nparent ${parent}\nauthor A <a@b> ${time} +0000\ncommitter A <a@b> ${time} +0000\n\n${at}\n`
      git(
        'update-ref',
        'refs/heads/main',
        sandbox.gitWithInput('site', text, 'hash-object', '-t', 'commit', '-w', '--stdin'),
      )
    }
    for (const there of [[], ['main~1'], ['main~2'], ['main~3'], ['main~4']]) {
      const mine = new Set(ids(lacking('main', there)))
      expect(native('main', there).filter((oid) => !mine.has(oid))).toEqual([])
    }
  })
})
