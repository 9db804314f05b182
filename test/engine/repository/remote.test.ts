// A repository on a real Git server: what is fetched, what is noticed, and what never is fetched twice.

import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync, chmodSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type GitServer, type Interference, startGitServer } from '../../../src/demo/git-server.ts'
import { openRepository, type RepositoryOptions } from '../../../src/repository/open.ts'
import type { Repository } from '../../../src/repository/repository.ts'
import { makeRepository, openSandbox, type Sandbox } from '../../unit/repository/git-sandbox.ts'

let sandbox: Sandbox
let server: GitServer
let interference: (url: string) => Interference
let opened: Repository[]

beforeEach(async () => {
  sandbox = openSandbox()
  makeRepository(sandbox, 'work')
  sandbox.commit('work', { 'deployment.yaml': 'name: one\n', 'set/leaf.yaml': 'generation: 1\n' }, 'first')
  sandbox.git('', 'clone', '-q', '--bare', 'work', 'served.git')
  sandbox.git('work', 'remote', 'add', 'origin', sandbox.path('served.git'))
  interference = () => null
  opened = []
  server = await startGitServer({
    folder: sandbox.folder,
    interfere: (request) => interference(`${request.method} ${request.url}`),
  })
})
afterEach(async () => {
  await Promise.all(opened.map((repository) => repository.close()))
  await server.stop()
  sandbox.remove()
})

async function open(options: Partial<RepositoryOptions> = {}): Promise<Repository> {
  const repository = await openRepository({
    repo: `${server.url}/served.git`,
    cache: sandbox.path('cache'),
    ...options,
  })
  opened.push(repository)
  return repository
}

function push(files: Readonly<Record<string, string | null>>, message?: string): string {
  const id = sandbox.commit('work', files, message)
  sandbox.git('work', 'push', '-q', '--force', 'origin', 'main')
  return id
}

const head = (): string => sandbox.git('work', 'rev-parse', 'HEAD')
const packs = (): string[] => {
  const clone = readdirSync(sandbox.path('cache')).find((name) => name.startsWith('clone-')) ?? 'none'
  const folder = sandbox.path('cache', clone, 'objects/pack')
  return readdirSync(folder)
    .filter((name) => name.endsWith('.pack'))
    .map((name) => `${folder}/${name}`)
}

describe('fetching', () => {
  it('clones, reads, and fetches only what is new', async () => {
    const repository = await open()
    const first = await repository.refresh()
    expect(first).toEqual({ commit: expect.objectContaining({ id: head(), subject: 'first' }), ref: 'refs/heads/main' })
    const before = await repository.snapshot(first.commit.id)
    expect([...before.entries.keys()]).toEqual(['deployment.yaml', 'set/leaf.yaml'])
    expect(Buffer.from(before.entries.get('set/leaf.yaml')?.content ?? []).toString()).toBe('generation: 1\n')

    push({ 'set/leaf.yaml': 'generation: 2\n' }, 'second')
    const second = await repository.refresh()
    expect(second.commit).toMatchObject({ id: head(), parents: [first.commit.id] })
    const after = await repository.snapshot(second.commit.id, before)
    expect(after.entries.get('deployment.yaml')).toBe(before.entries.get('deployment.yaml'))
    expect(Buffer.from(after.entries.get('set/leaf.yaml')?.content ?? []).toString()).toBe('generation: 2\n')
    // A commit, two trees and two blobs at first; then one commit, two trees and one blob, not the history again.
    expect(
      packs()
        .map((path) => readFileSync(path).readUInt32BE(8))
        .toSorted(),
    ).toEqual([4, 5])
  })

  it('asks twice and fetches nothing where nothing moved, also after a restart', async () => {
    await (await open()).refresh()
    const repository = await open()
    const before = server.requests()
    await repository.refresh()
    await repository.refresh()
    expect(server.requests() - before).toBe(4)
    expect(packs().length).toBe(1)
  })

  it('does not mistake main-2 for main', async () => {
    sandbox.git('work', 'push', '-q', 'origin', 'HEAD:refs/heads/main-2')
    sandbox.git('served.git', 'update-ref', '-d', 'refs/heads/main')
    const repository = await open({ ref: 'main' })
    await expect(repository.refresh()).rejects.toMatchObject({
      kind: 'missing-ref',
      message: expect.stringContaining('main-2'),
    })
  })

  it('follows a history that was rewritten by force', async () => {
    const repository = await open()
    push({ a: '1' })
    await repository.refresh()
    sandbox.git('work', 'reset', '-q', '--hard', 'HEAD~1')
    push({ a: '2' }, 'rewritten')
    expect((await repository.refresh()).commit).toMatchObject({ id: head(), subject: 'rewritten' })
    sandbox.git('work', 'reset', '-q', '--hard', 'HEAD~1')
    sandbox.git('work', 'push', '-qf', 'origin', 'main')
    const before = packs().length
    expect((await repository.refresh()).commit.id).toBe(head())
    expect(packs().length).toBe(before)
  })

  it('says which branches there are when one is deleted, and recovers', async () => {
    sandbox.git('work', 'push', '-q', 'origin', 'HEAD:refs/heads/release', 'HEAD:refs/heads/other')
    const repository = await open({ ref: 'release' })
    await repository.refresh()
    sandbox.git('work', 'push', '-q', 'origin', ':release', 'HEAD:refs/heads/releases')
    await expect(repository.refresh()).rejects.toMatchObject({
      kind: 'missing-ref',
      message: expect.stringMatching(/“release”; its branches are: releases, /),
    })
    sandbox.git('work', 'push', '-q', 'origin', 'HEAD:refs/heads/release')
    expect((await repository.refresh()).ref).toBe('refs/heads/release')
  })

  it('says that a repository is empty, and takes its first commit', async () => {
    sandbox.git('', 'init', '-q', '--bare', '-b', 'main', 'empty.git')
    const repository = await open({ repo: `${server.url}/empty.git` })
    await expect(repository.refresh()).rejects.toMatchObject({
      kind: 'missing-ref',
      message: expect.stringContaining('no commit yet'),
    })
    sandbox.git('work', 'push', '-q', sandbox.path('empty.git'), 'main')
    expect((await repository.refresh()).commit.id).toBe(head())
  })

  it('uses the remote’s own branch where none is named', async () => {
    sandbox.git('work', 'checkout', '-q', '-b', 'trunk')
    sandbox.commit('work', { t: '1' })
    sandbox.git('work', 'push', '-q', 'origin', 'trunk')
    sandbox.git('served.git', 'symbolic-ref', 'HEAD', 'refs/heads/trunk')
    const repository = await open()
    expect(await repository.refresh()).toMatchObject({ ref: 'refs/heads/trunk', commit: { id: head() } })
  })

  it('takes tags, annotated and not, and commits that no ref names', async () => {
    const first = head()
    const second = push({ b: '2' })
    push({ c: '3' })
    sandbox.git('work', 'tag', '-a', 'v1', '-m', 'one', first)
    sandbox.git('work', 'push', '-q', 'origin', 'v1', `${first}:refs/tags/light`)
    const cases = [
      ['v1', first, 'refs/tags/v1'],
      ['light', first, 'refs/tags/light'],
      ['refs/tags/v1', first, 'refs/tags/v1'],
      [first, first, null],
      [second, second, null],
    ] as const
    for (const [index, [ref, id, name]] of cases.entries()) {
      const repository = await open({ ref, cache: sandbox.path(`cache-${index}`) })
      expect(await repository.refresh()).toMatchObject({ commit: { id }, ref: name })
    }
    const wrong = await open({ ref: '1'.repeat(40), cache: sandbox.path('cache-x') })
    await expect(wrong.refresh()).rejects.toMatchObject({ kind: 'missing-ref' })
  })

  it('reads one folder of it, and says when it is not there', async () => {
    const { commit } = await (await open()).refresh()
    const inside = await open({ path: '/set/' })
    expect([...(await inside.snapshot(commit.id)).entries.keys()]).toEqual(['leaf.yaml'])
    for (const path of ['sett', 'set/leaf.yaml', 'set/leaf.yaml/x']) {
      await expect((await open({ path })).snapshot(commit.id)).rejects.toMatchObject({
        kind: 'not-found',
        message: expect.stringContaining(path),
      })
    }
  })

  it('resolves other branches and tags, which it fetches', async () => {
    const repository = await open()
    await repository.refresh()
    sandbox.git('work', 'checkout', '-q', '-b', 'other')
    const other = sandbox.commit('work', { o: '1' })
    sandbox.git('work', 'tag', '-a', 'v9', '-m', 'nine')
    sandbox.git('work', 'push', '-q', 'origin', 'other', 'v9')
    const parent = sandbox.git('work', 'rev-parse', 'HEAD~1')
    for (const revision of ['other', 'origin/other', 'v9', other.slice(0, 8)])
      expect((await repository.resolve(revision)).id).toBe(other)
    for (const revision of ['main', 'HEAD', 'other~1', 'origin/main'])
      expect((await repository.resolve(revision)).id).toBe(parent)
    await expect(repository.resolve('nobody')).rejects.toMatchObject({ kind: 'missing-ref' })
  })
})

describe('history', () => {
  it('is complete at first, whatever its length', async () => {
    for (let round = 0; round < 40; round++) sandbox.commit('work', { a: String(round) })
    const tip = push({ z: '1' })
    const repository = await open()
    await repository.refresh()
    const native = sandbox.git('work', 'rev-list', '--first-parent', 'HEAD').split('\n')
    const all = await repository.firstParents(tip, new Set())
    expect(all.commits.map(({ id }) => id)).toEqual(native)
    expect(all.complete).toBe(true)
    const some = await repository.firstParents(tip, new Set([native[35] ?? '']))
    expect(some.commits.map(({ id }) => id)).toEqual(native.slice(0, 35))
    expect(await repository.firstParents(tip, new Set([tip]))).toEqual({ commits: [], complete: true })
    expect((await repository.ancestors(tip)).commits.map(({ id }) => id)).toEqual(native)
  })

  it('may be shallow, says so, stays so over fetches, and is deepened', async () => {
    for (let round = 0; round < 5; round++) push({ a: String(round) })
    const repository = await open({ depth: 2 })
    const { commit } = await repository.refresh()
    expect(await repository.firstParents(commit.id, new Set())).toMatchObject({
      complete: false,
      commits: { length: 2 },
    })
    const next = push({ b: '1' })
    await repository.refresh()
    expect(await repository.ancestors(next)).toMatchObject({ complete: false, commits: { length: 3 } })
    expect(await repository.deepen()).toBe(true)
    expect(await repository.ancestors(next)).toMatchObject({ complete: true, commits: { length: 7 } })
    expect(await repository.deepen()).toBe(true)
    expect((await (await open({ depth: 2 })).ancestors(next)).complete).toBe(true)
  })
})

describe('the clone', () => {
  it('is cloned afresh above some packs, with nothing lost', async () => {
    const repository = await open({ limits: { packs: 3 } })
    await repository.refresh()
    let most = 0
    for (let round = 0; round < 6; round++) {
      push({ a: String(round) })
      await repository.refresh()
      most = Math.max(most, packs().length)
    }
    expect(most).toBeLessThanOrEqual(3)
    expect(packs().length).toBeGreaterThan(0)
    expect((await repository.ancestors(head())).commits.length).toBe(7)
    expect(readdirSync(sandbox.path('cache')).filter((name) => name.startsWith('clone-')).length).toBe(1)
  })

  it.each([
    'a pack that was cut',
    'a pack with a wrong byte',
    'packs that are gone',
    'a clone that is gone',
    'a broken state',
  ])('with %s is replaced by itself', async (what) => {
    const { commit } = await (await open()).refresh()
    const [pack = ''] = packs()
    chmodSync(pack, 0o600)
    if (what === 'a pack that was cut') truncateSync(pack, 60)
    if (what === 'a pack with a wrong byte') {
      const bytes = readFileSync(pack)
      for (let at = 40; at < bytes.length - 20; at += 3) bytes[at] = (bytes[at] ?? 0) ^ 1
      writeFileSync(pack, bytes)
    }
    if (what === 'packs that are gone') rmSync(pack.replace(/\/[^/]*$/, ''), { recursive: true })
    if (what === 'a clone that is gone') rmSync(pack.replace(/\/objects.*$/, ''), { recursive: true })
    if (what === 'a broken state') writeFileSync(sandbox.path('cache/state.json'), '{')
    const repository = await open()
    expect((await repository.refresh()).commit.id).toBe(commit.id)
    expect((await repository.snapshot(commit.id)).entries.size).toBe(2)
    expect(existsSync(sandbox.path('cache/state.json'))).toBe(true)
  })

  it('of another repository is not used', async () => {
    await (await open()).refresh()
    makeRepository(sandbox, 'second')
    const id = sandbox.commit('second', { x: '1' })
    const repository = await open({ repo: `${server.url}/second/.git` })
    expect((await repository.refresh()).commit.id).toBe(id)
    expect(readdirSync(sandbox.path('cache')).filter((name) => name.startsWith('clone-')).length).toBe(1)
  })

  it('serves two processes that fetch and read at once', async () => {
    const [one, two] = [await open({ limits: { packs: 2 } }), await open({ limits: { packs: 2 } })]
    for (let round = 0; round < 6; round++) {
      const id = push({ a: String(round) })
      const tips = await Promise.all([one.refresh(), two.refresh()])
      expect(tips.map(({ commit }) => commit.id)).toEqual([id, id])
      const both = await Promise.all([one.snapshot(id), two.snapshot(id)])
      expect(both.map(({ entries }) => entries.size)).toEqual([3, 3])
    }
  })

  it('survives a process that is killed at any moment', async () => {
    let waits = 0
    for (let round = 0; round < 12; round++) {
      const id = push({ a: String(round), large: 'x'.repeat(round * 50_000) })
      const victim = await open({ limits: { operationMs: 20 + round * 12 } })
      const outcome = await victim.refresh().catch((error: unknown) => error)
      if (outcome instanceof Error) {
        expect(outcome).toMatchObject({ kind: 'timeout' })
        waits++
      }
      await victim.close()
      if (round % 3 !== 0) continue
      const next = await open()
      expect((await next.refresh()).commit.id).toBe(id)
      expect((await next.ancestors(id)).commits.length).toBe(round + 2)
      expect(readdirSync(sandbox.path('cache')).filter((name) => name !== 'state.json').length).toBe(1)
    }
    expect(waits).toBeGreaterThan(0)
  })
})

describe('secrets', () => {
  it('are nowhere in the clone, the description or a fault', async () => {
    const { port } = server
    const repository = await open({ repo: `http://ada:s3cr3t@127.0.0.1:${port}/served.git` })
    await repository.refresh()
    expect(repository.description).toBe(`http://127.0.0.1:${port}/served.git`)
    interference = () => ({ status: 403 })
    const fault: unknown = await repository.refresh().catch((error: unknown) => error)
    expect(fault).toMatchObject({ kind: 'auth' })
    expect(`${String(fault)} ${JSON.stringify(fault)}`).not.toContain('s3cr3t')
    expect(() => sandbox.git('cache', 'grep', '--no-index', '-rI', 's3cr3t')).toThrow()
    expect(sandbox.git('cache', 'grep', '--no-index', '-rIl', 'served.git')).toContain('state.json')
  })
})
