// Commits that graft pushes, against a real Git server.

import { writeFileSync } from 'node:fs'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import type { CommitWish, Person, Repository } from '../../../src/repository/repository.ts'
import { serveRepository, type Served } from './served-repository.ts'

const ANN: Person = { name: 'Ann', email: 'ann@example.org' }
let served: Served
let repository: Repository

beforeEach(async () => {
  served = await serveRepository({
    'site/a/set.yaml': 'x: 1\n',
    'site/deployment.yaml': 'name: shop\n',
    'notes.txt': 'n\n',
  })
  served.sandbox.git('served.git', 'config', 'http.receivepack', 'true')
  repository = await served.open({ path: 'site' })
})
afterEach(() => served.end())

const wish = (onto: string, text: string): CommitWish => ({
  onto,
  changes: [{ path: 'a/set.yaml', content: Buffer.from(text) }],
  message: 'A change',
  author: ANN,
  branch: null,
  push: false,
})

describe('a commit to a server', () => {
  it('is there for everybody, in order, and for the next look', async () => {
    const { commit: tip } = await repository.refresh()
    const made = await repository.commitFiles(wish(tip.id, 'x: 2\n'))
    expect(served.sandbox.git('served.git', 'rev-parse', 'main')).toBe(made.id)
    expect(served.sandbox.git('served.git', 'show', 'main:site/a/set.yaml')).toBe('x: 2')
    expect(served.sandbox.git('served.git', 'show', 'main:notes.txt')).toBe('n')
    expect(served.sandbox.git('served.git', 'fsck', '--strict')).not.toMatch(/error|missing/)
    expect((await repository.refresh()).commit).toEqual(made)
    const again = await repository.commitFiles(wish(made.id, 'x: 3\n'))
    expect(again.parents).toEqual([made.id])
  })

  it('of two from the same commit, one is told that the other was faster', async () => {
    const other = await served.open({ path: 'site', cache: served.sandbox.path('other') })
    const [{ commit: tip }] = await Promise.all([repository.refresh(), other.refresh()])
    const both = await Promise.allSettled([
      repository.commitFiles(wish(tip.id, 'x: mine\n')),
      other.commitFiles(wish(tip.id, 'x: theirs\n')),
    ])
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    const lost = both.find(({ status }) => status === 'rejected')
    expect(lost).toMatchObject({ reason: { kind: 'moved' } })
  })

  it('loses to a push that comes between the look and its own', async () => {
    const { commit: tip } = await repository.refresh()
    let pushed = false
    served.interfere((line) => {
      if (line.includes('git-receive-pack') && !pushed) {
        pushed = true
        served.push({ 'notes.txt': 'theirs\n' }, 'Theirs')
      }
      return null
    })
    await expect(repository.commitFiles(wish(tip.id, 'x: 2\n'))).rejects.toMatchObject({ kind: 'moved' })
    expect(served.sandbox.git('served.git', 'log', '-1', '--format=%s', 'main')).toBe('Theirs')
  })

  it('is refused with the server’s own words', async () => {
    writeFileSync(
      served.sandbox.path('served.git', 'hooks', 'update'),
      '#!/bin/sh\necho "only by review" >&2\nexit 1\n',
      {
        mode: 0o755,
      },
    )
    const { commit: tip } = await repository.refresh()
    await expect(repository.commitFiles(wish(tip.id, 'x: 2\n'))).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringMatching(/hook declined; only by review/),
    })
    expect(served.sandbox.git('served.git', 'rev-parse', 'main')).toBe(tip.id)
  })

  it.each([
    [403, {}, 'auth', 'asks for credentials'],
    [403, { username: 'ann', password: 'x' }, 'refused', 'but not push to it'],
    [500, {}, 'server', 'HTTP 500'],
  ])('where the server answers %i to a push, is a fault with words', async (status, auth, kind, words) => {
    const reader = await served.open({ auth, cache: served.sandbox.path('reader') })
    const { commit: tip } = await reader.refresh()
    served.interfere((line) => (line.includes('git-receive-pack') ? { status } : null))
    const fault = { kind, message: expect.stringContaining(words) }
    await expect(reader.commitFiles(wish(tip.id, 'x: 2\n'))).rejects.toMatchObject(fault)
    expect(served.sandbox.git('served.git', 'rev-parse', 'main')).toBe(tip.id)
  })

  it('whose answer is cut short is a fault, and doing it again finds what became of it', async () => {
    const { commit: tip } = await repository.refresh()
    served.interfere((line) => (/^POST .*receive-pack/.test(line) ? { cutAfterBytes: 5 } : null))
    await expect(repository.commitFiles(wish(tip.id, 'x: 2\n'))).rejects.toMatchObject({
      kind: expect.stringMatching(/server|unreachable/),
    })
    served.interfere(() => null)
    expect((await repository.refresh()).commit.parents).toEqual([tip.id])
  })

  it('to a tag is refused before anything is sent', async () => {
    served.sandbox.git('served.git', 'tag', 'v1', 'main')
    const pinned = await served.open({ ref: 'v1', cache: served.sandbox.path('pinned') })
    const { commit: tip } = await pinned.refresh()
    await expect(pinned.commitFiles(wish(tip.id, 'x: 2\n'))).rejects.toMatchObject({ kind: 'refused' })
  })
})

describe('a commit to a branch of its own', () => {
  it('makes the branch, and leaves the one that is deployed where it is', async () => {
    const { commit: tip } = await repository.refresh()
    const made = await repository.commitFiles({ ...wish(tip.id, 'x: 2\n'), branch: 'bump/a' })
    expect(served.sandbox.git('served.git', 'rev-parse', 'bump/a', 'main').split('\n')).toEqual([made.id, tip.id])
    expect(served.sandbox.git('served.git', 'fsck', '--strict')).not.toMatch(/error|missing/)
    expect((await repository.resolve('bump/a')).id).toBe(made.id)
    const words = { kind: 'refused', message: expect.stringContaining('is there already') }
    await expect(repository.commitFiles({ ...wish(tip.id, 'x: 3\n'), branch: 'bump/a' })).rejects.toMatchObject(words)
  })

  it('is made by one of two who want it at once', async () => {
    const other = await served.open({ path: 'site', cache: served.sandbox.path('other') })
    const [{ commit: tip }] = await Promise.all([repository.refresh(), other.refresh()])
    const both = await Promise.allSettled([
      repository.commitFiles({ ...wish(tip.id, 'x: mine\n'), branch: 'bump' }),
      other.commitFiles({ ...wish(tip.id, 'x: theirs\n'), branch: 'bump' }),
    ])
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  })

  it('goes with a shallow clone, and from a commit that is not the newest', async () => {
    const { commit: first } = await repository.refresh()
    for (const number of [1, 2, 3]) served.push({ 'notes.txt': `${number}\n` })
    const shallow = await served.open({ path: 'site', cache: served.sandbox.path('shallow'), depth: 1 })
    const { commit: tip } = await shallow.refresh()
    const made = await shallow.commitFiles({ ...wish(tip.id, 'x: 2\n'), branch: 'from-shallow' })
    expect(made.parents).toEqual([tip.id])
    await repository.refresh()
    expect(await repository.commitFiles({ ...wish(first.id, 'x: 2\n'), branch: 'older' })).toMatchObject({
      parents: [first.id],
    })
    expect(served.sandbox.git('served.git', 'fsck', '--strict')).not.toMatch(/error|missing/)
  })
})

describe('a folder that was cloned from a server', () => {
  it('pushes its branch with everything the server lacks, by the token of the settings', async () => {
    const account = { username: 'x-access-token', password: 'the-token' }
    const closed = await serveRepository(
      { 'site/a/set.yaml': 'x: 1\n', 'site/deployment.yaml': 'name: shop\n' },
      account,
    )
    try {
      const { sandbox, server } = closed
      sandbox.git('work', 'remote', 'set-url', 'origin', `${server.url}/served.git`)
      sandbox.commit('work', { 'notes.txt': 'not pushed yet\n' })
      writeFileSync(sandbox.path('token'), 'the-token\n')
      const folder = await closed.open({
        repo: sandbox.path('work'),
        path: 'site',
        auth: { tokenFile: sandbox.path('token') },
      })
      const { commit: tip } = await folder.refresh()
      const made = await folder.commitFiles({ ...wish(tip.id, 'x: 2\n'), push: true })
      expect(sandbox.git('served.git', 'rev-parse', 'main', 'main~1').split('\n')).toEqual([made.id, tip.id])
      expect(sandbox.git('served.git', 'fsck', '--strict')).not.toMatch(/error|missing/)
      expect(sandbox.git('work', 'rev-parse', 'origin/main')).toBe(made.id)
      const behindUrl = await closed.open({ path: 'site', auth: { tokenFile: sandbox.path('token') } })
      const { commit } = await behindUrl.refresh()
      const pushed = await behindUrl.commitFiles(wish(commit.id, 'x: 3\n'))
      expect(sandbox.git('served.git', 'rev-parse', 'main')).toBe(pushed.id)
      const nobody = await closed.open({ repo: sandbox.path('work'), path: 'site' })
      const denied = nobody.commitFiles({ ...wish(made.id, 'x: 4\n'), branch: 'apart', push: true })
      await expect(denied).rejects.toMatchObject({
        kind: 'auth',
        message: expect.stringContaining('asks for credentials'),
      })
      expect(sandbox.git('work', 'show', 'apart:site/a/set.yaml')).toBe('x: 4')
    } finally {
      await closed.end()
    }
  })
})
