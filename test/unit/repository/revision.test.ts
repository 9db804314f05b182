// Names, revisions and histories against native Git.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { factsOf, parseCommit, readCommit } from '../../../src/repository/commit.ts'
import { walkAncestors, walkFirstParents } from '../../../src/repository/history.ts'
import { openObjectStore, type ObjectStore } from '../../../src/repository/object-store.ts'
import { openRefs, type Refs } from '../../../src/repository/refs.ts'
import { placesOf, resolveRevision } from '../../../src/repository/revision.ts'
import { makeRepository, openSandbox, type Sandbox } from './git-sandbox.ts'

let sandbox: Sandbox
let store: ObjectStore
let refs: Refs
const names = (name: string): string | null => {
  for (const place of placesOf(name)) {
    const oid = refs.read(place)
    if (oid !== null) return oid
  }
  return null
}

beforeAll(() => {
  sandbox = openSandbox()
  makeRepository(sandbox, 'repo')
  for (let round = 0; round < 4; round++) sandbox.commit('repo', { a: String(round) }, `main ${round}`)
  sandbox.git('repo', 'tag', 'light', 'HEAD~1')
  sandbox.git('repo', 'tag', '-a', 'v1', '-m', 'one', 'HEAD~2')
  sandbox.git('repo', 'tag', '-a', 'v1-again', '-m', 'a tag of a tag', 'v1')
  sandbox.git('repo', 'checkout', '-q', '-b', 'side/branch')
  for (let round = 0; round < 3; round++) sandbox.commit('repo', { b: String(round) }, `side ${round}`)
  sandbox.git('repo', 'checkout', '-q', 'main')
  sandbox.commit('repo', { c: '1' })
  sandbox.git('repo', 'merge', '-q', '--no-ff', '-m', 'Merge\nof two lines\n\nand more', 'side/branch')
  sandbox.git('repo', 'update-ref', 'refs/remotes/origin/main', 'HEAD~1')
  sandbox.git('repo', 'symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/remotes/origin/main')
  sandbox.git('repo', 'pack-refs', '--all')
  sandbox.commit('repo', { c: '2' }, 'the newest')
  store = openObjectStore([sandbox.path('repo/.git/objects')])
  refs = openRefs(sandbox.path('repo/.git'))
})
afterAll(() => sandbox.remove())

describe('a revision', () => {
  it.each([
    'main',
    'HEAD',
    '@',
    'HEAD~1',
    'HEAD~',
    'HEAD^',
    'HEAD~1^2',
    'HEAD~1^2~2',
    'main^^^',
    'main~3^0',
    'side/branch',
    'side/branch~2',
    'light',
    'v1',
    'v1^',
    'v1-again',
    'v1^{commit}',
    'v1-again^{}~1',
    'origin/main',
    'origin',
    'refs/heads/main',
    'refs/tags/v1~1',
    'heads/main',
  ])('%s is what git rev-parse says', (revision) => {
    expect(resolveRevision(store, names, revision)).toBe(sandbox.git('repo', 'rev-parse', `${revision}^{commit}`))
  })

  it('may be the beginning of an id', () => {
    const id = sandbox.git('repo', 'rev-parse', 'HEAD~2')
    for (const length of [7, 12, 40]) expect(resolveRevision(store, names, id.slice(0, length))).toBe(id)
    expect(resolveRevision(store, names, `${id.slice(0, 9).toUpperCase()}~1`)).toBe(
      sandbox.git('repo', 'rev-parse', 'HEAD~3'),
    )
  })

  it.each([
    ['nobody', 'no branch, tag or commit “nobody”'],
    ['HEAD~99', 'further than the history does'],
    ['HEAD^7', 'further than the history does'],
    ['HEAD^{tree}', 'no branch, tag or commit'],
    ['', 'no branch, tag or commit'],
    ['../../etc/passwd', 'no branch, tag or commit'],
    ['refs/../config', 'no branch, tag or commit'],
  ])('%j that stands for nothing is refused', (revision, words) => {
    expect(() => resolveRevision(store, names, revision)).toThrow(words)
  })

  it('that names a file’s content is refused', () => {
    const blob = sandbox.git('repo', 'rev-parse', 'HEAD:a')
    expect(() => resolveRevision(store, names, blob)).toThrow('is not a commit')
  })
})

describe('refs', () => {
  it('are the same packed and loose', () => {
    const native = sandbox.git('repo', 'for-each-ref', '--format=%(refname)', 'refs/heads/').split('\n')
    expect(refs.list('refs/heads/')).toEqual(native)
    expect(native.length).toBe(2)
    expect(refs.headBranch()).toBe('refs/heads/main')
    sandbox.git('repo', 'branch', 'passing')
    expect(refs.read('refs/heads/passing')).toBe(sandbox.git('repo', 'rev-parse', 'HEAD'))
    sandbox.git('repo', 'pack-refs', '--all')
    expect(refs.read('refs/heads/passing')).toBe(sandbox.git('repo', 'rev-parse', 'HEAD'))
    sandbox.git('repo', 'branch', '-D', 'passing')
    expect(refs.read('refs/heads/passing')).toBeNull()
  })
})

describe('history', () => {
  const none = new Set<string>()
  it('along first parents is git rev-list --first-parent', () => {
    const native = sandbox.git('repo', 'rev-list', '--first-parent', 'HEAD').split('\n')
    const walked = walkFirstParents(store, none, native[0] ?? '', 100)
    expect(walked.commits.map(({ id }) => id)).toEqual(native)
    expect(walked).toMatchObject({ next: null, complete: true })
    const piece = walkFirstParents(store, none, native[0] ?? '', 2)
    expect(piece).toMatchObject({ next: native[2], complete: true })
  })

  it('of everything reachable is git rev-list', () => {
    const head = sandbox.git('repo', 'rev-parse', 'HEAD')
    const walked = [...walkAncestors(store, none, head)]
    expect(walked.map(({ id }) => id)).toEqual(sandbox.git('repo', 'rev-list', '--date-order', 'HEAD').split('\n'))
  })

  it('says where it was cut off', () => {
    const [head = '', second = ''] = sandbox.git('repo', 'rev-list', '--first-parent', 'HEAD').split('\n')
    const cut = new Set([second])
    expect(walkFirstParents(store, cut, head, 100)).toMatchObject({ complete: false, next: null })
    const walk = walkAncestors(store, cut, head)
    const seen: string[] = []
    let step = walk.next()
    for (; step.done !== true; step = walk.next()) seen.push(step.value.id)
    expect(seen).toEqual([head, second])
    expect(step.value).toBe(false)
    const first = sandbox.git('repo', 'rev-list', '--max-parents=0', 'HEAD')
    expect(walkFirstParents(store, new Set([first]), head, 100).complete).toBe(true)
  })
})

describe('a commit', () => {
  it('tells who, when and what in one line', () => {
    const id = sandbox.git('repo', 'rev-parse', 'HEAD~1')
    const [subject, author, seconds, parents] = sandbox
      .git('repo', 'log', '-1', '--format=%s%n%an%n%ct%n%P', id)
      .split('\n')
    expect(factsOf(readCommit(store, id))).toEqual({
      id,
      subject,
      author,
      time: Number(seconds) * 1000,
      parents: (parents ?? '').split(' '),
    })
    expect(subject).toBe('Merge of two lines')
  })

  it('without a tree is damage', () => {
    expect(() => parseCommit('1'.repeat(40), Buffer.from('author x\n\nhello'))).toThrow('names no tree')
  })
})
