// Which commits have to be signed, and whether a tip goes on from what was accepted, on histories that native Git makes.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { openLocalSource } from '../../../src/repository/local-source.ts'
import { takeVerify, type VerifyWish } from '../../../src/repository/verify-history.ts'
import { makeRepository, openSandbox, type Sandbox } from './git-sandbox.ts'
import { testKey, type TestKey } from './signed-commits.ts'

const NOW = 1_800_000_000_000
let sandbox: Sandbox
let key: TestKey
let first: string

beforeEach(async () => {
  sandbox = openSandbox()
  makeRepository(sandbox, 'site')
  key = await testKey('ed25519')
  first = sandbox.commit('site', { 'a.yaml': '0\n' })
})
afterEach(() => sandbox.remove())

const git = (...args: string[]) => sandbox.git('site', ...args)
let count = 0
const unsigned = () => sandbox.commit('site', { 'a.yaml': `${++count}\n` })

/** The newest commit again, with a signature. */
function signTip(by = key): string {
  const folder = mkdtempSync(join(tmpdir(), 'graft-raw-'))
  const file = join(folder, 'commit')
  const raw = Buffer.from(`${git('cat-file', 'commit', 'HEAD')}\n`)
  writeFileSync(file, by.sign(raw))
  const id = git('hash-object', '-t', 'commit', '-w', file)
  rmSync(folder, { recursive: true })
  git('update-ref', 'HEAD', id)
  return id
}
const signed = (by = key) => {
  unsigned()
  return signTip(by)
}

function verify(wish: Partial<VerifyWish>, options: string | null = 'ada@example.org') {
  const keys = options === null ? null : Buffer.from(`${options} ${key.line}\n`)
  const source = openLocalSource(sandbox.path('site', '.git'), sandbox.path('site'), null)
  const whole = {
    tip: git('rev-parse', 'HEAD'),
    since: null,
    mode: 'head',
    forward: false,
    keys,
    now: NOW,
    ...wish,
  } as const
  return takeVerify(source, whole, new AbortController().signal)
}
const kinds = ({ told }: Awaited<ReturnType<typeof verify>>) => told.map(({ verdict }) => verdict.kind)

describe('head', () => {
  it('asks for the tip alone', async () => {
    const tip = signed()
    expect(await verify({ since: first })).toMatchObject({ good: true, contains: true, complete: true, told: [] })
    const later = unsigned()
    const refused = await verify({ since: tip })
    expect(refused).toMatchObject({ good: false, told: [{ commit: { id: later }, verdict: { kind: 'unsigned' } }] })
    signed()
    expect(await verify({ since: tip })).toMatchObject({ good: true })
  })

  it('tells of a good commit in the name of somebody else', async () => {
    signed()
    expect(await verify({}, 'ben@example.org')).toMatchObject({ good: true, told: [{ verdict: { ownName: false } }] })
  })

  it('looks at nothing with keys that are of no use', async () => {
    signed()
    const { good, keyProblems } = await verify({ keys: Buffer.from('nothing') })
    expect(good).toBe(false)
    expect(keyProblems.map(({ fatal }) => fatal)).toEqual([false, true])
  })

  it('takes no commit for older than the one that it stands on', async () => {
    signed()
    // The tip says 2023-11-14, and stands on a commit from then.
    expect(await verify({}, 'ada@example.org valid-before="20231115Z"')).toMatchObject({ good: true })
    git('-c', 'user.name=x', 'commit', '-q', '--allow-empty', '--date', '1700000000 +0000', '-m', 'later')
    const parent = git('cat-file', 'commit', 'HEAD').replaceAll('1700000', '1790000')
    const id = sandbox.gitWithInput('site', `${parent}\n`, 'hash-object', '-t', 'commit', '-w', '--stdin')
    git('update-ref', 'HEAD', id)
    signed()
    expect(git('log', '-1', '--format=%cs')).toBe('2023-11-14')
    expect(kinds(await verify({}, 'ada@example.org valid-before="20231115Z"'))).toEqual(['expired'])
  })

  it('takes no history that begins anew for older than what was accepted', async () => {
    const early = signed()
    git('-c', 'user.name=x', 'commit', '-q', '--allow-empty', '--date', '1700000000 +0000', '-m', 'later')
    const commit = git('cat-file', 'commit', 'HEAD').replaceAll('1700000', '1790000')
    const accepted = sandbox.gitWithInput('site', `${commit}\n`, 'hash-object', '-t', 'commit', '-w', '--stdin')
    const keys = 'ada@example.org valid-before="20231115Z"'
    // Back to what was there before is as good as it was.
    git('update-ref', 'HEAD', early)
    expect(await verify({ since: accepted }, keys)).toMatchObject({ good: true })
    git('checkout', '-q', '--orphan', 'anew')
    signed()
    git('branch', '-q', '-M', 'anew', 'main')
    expect(git('log', '-1', '--format=%cs %P')).toBe('2023-11-14')
    expect(kinds(await verify({ since: accepted }, keys))).toEqual(['expired'])
    expect(await verify({}, keys)).toMatchObject({ good: true })
  })
})

describe('every', () => {
  const every = (since: string | null) => verify({ since, mode: 'every' })

  it('asks for each commit since the last one, and names those that are not good, newest first', async () => {
    const since = unsigned()
    signed()
    const [one, two] = [unsigned(), unsigned()]
    signed()
    const refused = await every(since)
    expect(refused.good).toBe(false)
    expect(refused.told.map(({ commit }) => commit.id)).toEqual([two, one])
    expect(await every(two)).toMatchObject({ good: true })
  })

  it('asks for the tip alone where nothing was accepted yet', async () => {
    unsigned()
    signed()
    expect(await every(null)).toMatchObject({ good: true })
  })

  it('asks for the tip even where it was accepted before, or lies before what was', async () => {
    const old = unsigned()
    const tip = signed()
    expect(await every(tip)).toMatchObject({ good: true })
    expect(kinds(await verify({ tip: old, since: tip, mode: 'every' }))).toEqual(['unsigned'])
    expect(await verify({ tip: old, since: old, mode: 'every' })).toMatchObject({ good: false })
  })

  it('lets a signed merge vouch for what it merges', async () => {
    const since = signed()
    git('switch', '-q', '-c', 'side')
    sandbox.commit('site', { 'b.yaml': 'b\n' })
    sandbox.commit('site', { 'b.yaml': 'c\n' })
    git('switch', '-q', 'main')
    signed()
    git('merge', '-q', '--no-ff', '-m', 'Merge', 'side')
    expect(kinds(await every(since))).toEqual(['unsigned'])
    signTip()
    expect(await every(since)).toMatchObject({ good: true })
  })

  it('goes on from a commit that came in by a merge', async () => {
    git('switch', '-q', '-c', 'side')
    const since = sandbox.commit('site', { 'b.yaml': 'b\n' })
    git('switch', '-q', 'main')
    const own = unsigned()
    git('merge', '-q', '--no-ff', '-m', 'Merge', 'side')
    const merge = signTip()
    expect(git('rev-list', '--count', '--first-parent', merge)).toBe('3')
    const refused = await every(since)
    expect(refused.told.map(({ commit }) => commit.id)).toEqual([own])
  })

  it('asks for everything where what was accepted is gone', async () => {
    signed()
    expect((await every('f'.repeat(40))).told.map(({ commit }) => commit.id)).toEqual([first])
  })

  it('stops after a handful', async () => {
    for (let i = 0; i < 8; i++) unsigned()
    expect((await every(first)).told).toHaveLength(5)
  })
})

describe('forward', () => {
  const forward = (tip: string, since: string | null) => verify({ tip, since, mode: 'off', forward: true, keys: null })

  it('is a tip that contains what was accepted, on whichever side', async () => {
    git('switch', '-q', '-c', 'side')
    const side = sandbox.commit('site', { 'b.yaml': 'b\n' })
    git('switch', '-q', 'main')
    const main = unsigned()
    git('merge', '-q', '--no-ff', '-m', 'Merge', 'side')
    const merge = git('rev-parse', 'HEAD')
    for (const since of [null, first, side, main, merge])
      expect(await forward(merge, since)).toMatchObject({ contains: true, complete: true, good: true })
    expect(await forward(main, side)).toMatchObject({ contains: false })
    expect(await forward(first, main)).toMatchObject({ contains: false })
    expect(await forward(main, 'f'.repeat(40))).toMatchObject({ contains: false, complete: true })
  })

  it('cannot be told in a clone that is cut short', async () => {
    const since = unsigned()
    for (let i = 0; i < 3; i++) signed()
    sandbox.git('', 'clone', '-q', '--depth', '2', `file://${sandbox.path('site')}`, 'shallow')
    const source = openLocalSource(sandbox.path('shallow', '.git'), sandbox.path('shallow'), null)
    const tip = git('rev-parse', 'HEAD')
    const keys = Buffer.from(`* ${key.line}`)
    const { signal } = new AbortController()
    for (const [mode, isForward] of [
      ['off', true],
      ['every', false],
    ] as const) {
      const verified = await takeVerify(source, { tip, since, mode, forward: isForward, keys, now: NOW }, signal)
      expect(verified).toMatchObject({ complete: false })
    }
    const head = await takeVerify(source, { tip, since, mode: 'head', forward: false, keys, now: NOW }, signal)
    expect(head).toMatchObject({ complete: true, good: true })
  })

  it('a tip that is not there is missing', async () => {
    await expect(forward('f'.repeat(40), first)).rejects.toMatchObject({ kind: 'missing-ref' })
  })
})
