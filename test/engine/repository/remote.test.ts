// A repository on a real Git server: what is fetched, what is noticed, and what never is fetched twice.

import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Served, serveRepository } from './served-repository.ts'

const FILES = { 'deployment.yaml': 'name: one\n', 'set/leaf.yaml': 'generation: 1\n' }
let served: Served

beforeEach(async () => {
  served = await serveRepository(FILES)
})
afterEach(() => served.end())

describe('fetching', () => {
  it('clones, reads, and fetches only what is new', async () => {
    const repository = await served.open()
    const first = await repository.refresh()
    expect(first).toEqual({
      commit: expect.objectContaining({ id: served.head(), subject: 'first' }),
      ref: 'refs/heads/main',
    })
    const before = await repository.snapshot(first.commit.id)
    expect([...before.entries.keys()]).toEqual(['deployment.yaml', 'set/leaf.yaml'])
    expect(Buffer.from(before.entries.get('set/leaf.yaml')?.content ?? []).toString()).toBe('generation: 1\n')

    served.push({ 'set/leaf.yaml': 'generation: 2\n' }, 'second')
    const second = await repository.refresh()
    expect(second.commit).toMatchObject({ id: served.head(), parents: [first.commit.id] })
    const after = await repository.snapshot(second.commit.id, before)
    expect(after.entries.get('deployment.yaml')).toBe(before.entries.get('deployment.yaml'))
    expect(Buffer.from(after.entries.get('set/leaf.yaml')?.content ?? []).toString()).toBe('generation: 2\n')
    // A commit, two trees and two blobs at first; then one commit, two trees and one blob, not the history again.
    expect(
      served
        .packs()
        .map((path) => readFileSync(path).readUInt32BE(8))
        .toSorted(),
    ).toEqual([4, 5])
  })

  it('asks twice and fetches nothing where nothing moved, also after a restart', async () => {
    await (await served.open()).refresh()
    const repository = await served.open()
    const before = served.server.requests()
    await repository.refresh()
    await repository.refresh()
    expect(served.server.requests() - before).toBe(4)
    expect(served.packs().length).toBe(1)
  })

  it('does not mistake main-2 for main', async () => {
    served.sandbox.git('work', 'push', '-q', 'origin', 'HEAD:refs/heads/main-2')
    served.sandbox.git('served.git', 'update-ref', '-d', 'refs/heads/main')
    const repository = await served.open({ ref: 'main' })
    await expect(repository.refresh()).rejects.toMatchObject({
      kind: 'missing-ref',
      message: expect.stringContaining('main-2'),
    })
  })

  it('follows a history that was rewritten by force', async () => {
    const repository = await served.open()
    served.push({ a: '1' })
    await repository.refresh()
    served.sandbox.git('work', 'reset', '-q', '--hard', 'HEAD~1')
    served.push({ a: '2' }, 'rewritten')
    expect((await repository.refresh()).commit).toMatchObject({ id: served.head(), subject: 'rewritten' })
    served.sandbox.git('work', 'reset', '-q', '--hard', 'HEAD~1')
    served.sandbox.git('work', 'push', '-qf', 'origin', 'main')
    const before = served.packs().length
    expect((await repository.refresh()).commit.id).toBe(served.head())
    expect(served.packs().length).toBe(before)
  })

  it('says which branches there are when one is deleted, and recovers', async () => {
    served.sandbox.git('work', 'push', '-q', 'origin', 'HEAD:refs/heads/release', 'HEAD:refs/heads/other')
    const repository = await served.open({ ref: 'release' })
    await repository.refresh()
    served.sandbox.git('work', 'push', '-q', 'origin', ':release', 'HEAD:refs/heads/releases')
    await expect(repository.refresh()).rejects.toMatchObject({
      kind: 'missing-ref',
      message: expect.stringMatching(/“release”; its branches are: releases, /),
    })
    served.sandbox.git('work', 'push', '-q', 'origin', 'HEAD:refs/heads/release')
    expect((await repository.refresh()).ref).toBe('refs/heads/release')
  })

  it('says that a repository is empty, and takes its first commit', async () => {
    served.sandbox.git('', 'init', '-q', '--bare', '-b', 'main', 'empty.git')
    const repository = await served.open({ repo: `${served.server.url}/empty.git` })
    await expect(repository.refresh()).rejects.toMatchObject({
      kind: 'missing-ref',
      message: expect.stringContaining('no commit yet'),
    })
    served.sandbox.git('work', 'push', '-q', served.sandbox.path('empty.git'), 'main')
    expect((await repository.refresh()).commit.id).toBe(served.head())
  })

  it('uses the remote’s own branch where none is named', async () => {
    served.sandbox.git('work', 'checkout', '-q', '-b', 'trunk')
    served.sandbox.commit('work', { t: '1' })
    served.sandbox.git('work', 'push', '-q', 'origin', 'trunk')
    served.sandbox.git('served.git', 'symbolic-ref', 'HEAD', 'refs/heads/trunk')
    const repository = await served.open()
    expect(await repository.refresh()).toMatchObject({ ref: 'refs/heads/trunk', commit: { id: served.head() } })
  })

  it('takes tags, annotated and not, and commits that no ref names', async () => {
    const first = served.head()
    const second = served.push({ b: '2' })
    served.push({ c: '3' })
    served.sandbox.git('work', 'tag', '-a', 'v1', '-m', 'one', first)
    served.sandbox.git('work', 'push', '-q', 'origin', 'v1', `${first}:refs/tags/light`)
    const cases = [
      ['v1', first, 'refs/tags/v1'],
      ['light', first, 'refs/tags/light'],
      ['refs/tags/v1', first, 'refs/tags/v1'],
      [first, first, null],
      [second, second, null],
    ] as const
    for (const [index, [ref, id, name]] of cases.entries()) {
      const repository = await served.open({ ref, cache: served.sandbox.path(`cache-${index}`) })
      expect(await repository.refresh()).toMatchObject({ commit: { id }, ref: name })
    }
    const wrong = await served.open({ ref: '1'.repeat(40), cache: served.sandbox.path('cache-x') })
    await expect(wrong.refresh()).rejects.toMatchObject({ kind: 'missing-ref' })
  })

  it('reads one folder of it, and says when it is not there', async () => {
    const { commit } = await (await served.open()).refresh()
    const inside = await served.open({ path: '/set/' })
    expect([...(await inside.snapshot(commit.id)).entries.keys()]).toEqual(['leaf.yaml'])
    for (const path of ['sett', 'set/leaf.yaml', 'set/leaf.yaml/x']) {
      await expect((await served.open({ path })).snapshot(commit.id)).rejects.toMatchObject({
        kind: 'not-found',
        message: expect.stringContaining(path),
      })
    }
  })

  it('resolves other branches and tags, which it fetches', async () => {
    const repository = await served.open()
    await repository.refresh()
    served.sandbox.git('work', 'checkout', '-q', '-b', 'other')
    const other = served.sandbox.commit('work', { o: '1' })
    served.sandbox.git('work', 'tag', '-a', 'v9', '-m', 'nine')
    served.sandbox.git('work', 'push', '-q', 'origin', 'other', 'v9')
    const parent = served.sandbox.git('work', 'rev-parse', 'HEAD~1')
    for (const revision of ['other', 'origin/other', 'v9', other.slice(0, 8)])
      expect((await repository.resolve(revision)).id).toBe(other)
    for (const revision of ['main', 'HEAD', 'other~1', 'origin/main'])
      expect((await repository.resolve(revision)).id).toBe(parent)
    await expect(repository.resolve('nobody')).rejects.toMatchObject({ kind: 'missing-ref' })
  })
})

describe('history', () => {
  it('is complete at first, whatever its length', async () => {
    for (let round = 0; round < 40; round++) served.sandbox.commit('work', { a: String(round) })
    const tip = served.push({ z: '1' })
    const repository = await served.open()
    await repository.refresh()
    const native = served.sandbox.git('work', 'rev-list', '--first-parent', 'HEAD').split('\n')
    const all = await repository.firstParents(tip, new Set())
    expect(all.commits.map(({ id }) => id)).toEqual(native)
    expect(all.complete).toBe(true)
    const some = await repository.firstParents(tip, new Set([native[35] ?? '']))
    expect(some.commits.map(({ id }) => id)).toEqual(native.slice(0, 35))
    expect(await repository.firstParents(tip, new Set([tip]))).toEqual({ commits: [], complete: true })
    expect((await repository.ancestors(tip)).commits.map(({ id }) => id)).toEqual(native)
  })

  it('may be shallow, says so, stays so over fetches, and is deepened', async () => {
    for (let round = 0; round < 5; round++) served.push({ a: String(round) })
    const repository = await served.open({ depth: 2 })
    const { commit } = await repository.refresh()
    expect(await repository.firstParents(commit.id, new Set())).toMatchObject({
      complete: false,
      commits: { length: 2 },
    })
    const next = served.push({ b: '1' })
    await repository.refresh()
    expect(await repository.ancestors(next)).toMatchObject({ complete: false, commits: { length: 3 } })
    expect(await repository.deepen()).toBe(true)
    expect(await repository.ancestors(next)).toMatchObject({ complete: true, commits: { length: 7 } })
    expect(await repository.deepen()).toBe(true)
    expect((await (await served.open({ depth: 2 })).ancestors(next)).complete).toBe(true)
  })
})
