// What is said of a tip that signatures or an earlier commit stand against, and what is remembered for that.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { createAcceptedCommits } from '../../../src/daemon/accepted-commits.ts'
import { admit, type AdmitOptions } from '../../../src/daemon/admit.ts'
import { signatureRules } from '../../../src/daemon/signature-rules.ts'
import { settingsSchema } from '../../../src/daemon/settings.ts'
import { testKey } from '../repository/signed-commits.ts'
import { nativeRepository, type NativeRepository } from './native-repository.ts'

let folder: string
let repository: NativeRepository
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'graft-admit-'))
  repository = nativeRepository()
})
afterEach(() => {
  rmSync(folder, { recursive: true })
  repository.sandbox.remove()
})

async function ask(rules: Partial<AdmitOptions['rules']>, more: Partial<AdmitOptions> = {}) {
  const { commit } = await repository.refresh()
  return admit(commit, {
    repository,
    rules: { mode: 'off', keysFile: '/keys', forwardOnly: false, ...rules },
    keys: null,
    accepted: null,
    acceptedFile: '/state/accepted.json',
    now: Date.now(),
    ...more,
  })
}

describe('a tip', () => {
  it('is admitted where nothing is asked, without looking at it', async () => {
    const { commit } = await repository.refresh()
    const other = { ...repository, verify: () => Promise.reject(new Error('looked')) }
    const nothing = { admitted: true, problems: [] }
    expect(await ask({}, { repository: other, accepted: commit.id })).toEqual(nothing)
    expect(await ask({ forwardOnly: true }, { repository: other })).toEqual(nothing)
  })

  it('is not admitted while the keys cannot be read', async () => {
    expect(await ask({ mode: 'head' })).toEqual({ admitted: false, problems: [] })
  })

  it('that is not signed is named', async () => {
    const { line } = await testKey('ed25519')
    const id = repository.git('rev-parse', 'HEAD')
    const refused = await ask({ mode: 'head' }, { keys: Buffer.from(`ann@example.org ${line}\nnonsense here\n`) })
    expect(refused).toMatchObject({
      admitted: false,
      problems: [
        { file: '/keys', line: 2, column: 1, severity: 'warning' },
        { file: null, message: `commit ${id.slice(0, 7)} is not signed`, severity: 'unreadable' },
      ],
    })
  })

  it('that lost what was accepted is refused with a way out', async () => {
    const accepted = repository.commit({ 'a.txt': '1' })
    repository.git('reset', '-q', '--hard', 'HEAD~1')
    repository.commit({ 'a.txt': '2' })
    const refused = await ask({ forwardOnly: true }, { accepted })
    expect(refused).toMatchObject({
      admitted: false,
      problems: [
        {
          message: expect.stringContaining(`does not contain ${accepted.slice(0, 7)}, which was accepted before it`),
          remedy: expect.stringContaining('delete /state/accepted.json'),
        },
      ],
    })
    repository.git('merge', '-q', '-s', 'ours', '-m', 'Both', accepted)
    expect(await ask({ forwardOnly: true }, { accepted })).toEqual({ admitted: true, problems: [] })
  })
})

describe('what was accepted', () => {
  const [one, two] = ['1'.repeat(40), '2'.repeat(40)]

  it('is kept for each ref, over a restart', async () => {
    const file = join(folder, 'deep', 'accepted.json')
    const [main, stable] = [createAcceptedCommits(file, 'main'), createAcceptedCommits(file, 'stable')]
    expect(await main.read()).toBeNull()
    await main.keep(one)
    await stable.keep(two)
    await main.keep(one)
    expect([await main.read(), await stable.read()]).toEqual([one, two])
    expect(await createAcceptedCommits(file, 'main').read()).toBe(one)
    expect(await createAcceptedCommits(file, null).read()).toBeNull()
    expect(await createAcceptedCommits(file, '__proto__').read()).toBeNull()
    expect(readFileSync(file, 'utf8').endsWith('\n')).toBe(true)
  })

  it.each(['', '{', '[]', '{"format":1,"refs":{"main":"x"}}'])('is a fault where the file says “%s”', async (text) => {
    const file = join(folder, 'accepted.json')
    writeFileSync(file, text)
    await expect(createAcceptedCommits(file, 'main').read()).rejects.toMatchObject({
      kind: 'damaged',
      message: expect.stringContaining('does not read'),
    })
  })

  it('can be forgotten by deleting the file', async () => {
    const file = join(folder, 'accepted.json')
    const main = createAcceptedCommits(file, 'main')
    await main.keep(one)
    rmSync(file)
    expect(await main.read()).toBeNull()
    await main.keep(one)
    expect(await main.read()).toBe(one)
  })
})

describe('the settings', () => {
  it.each([
    [{}, { mode: 'off', keysFile: '/state/allowed_signers', forwardOnly: false }],
    [{ verify: 'head' }, { mode: 'head', keysFile: '/state/allowed_signers' }],
    [{ verify_keys: '/k' }, { mode: 'head', keysFile: '/k' }],
    [
      { verify: 'every', verify_keys: '/k', forward_only: 'true' },
      { mode: 'every', keysFile: '/k', forwardOnly: true },
    ],
    [{ verify: 'off', verify_keys: '/k' }, { mode: 'off' }],
    [{ verify: { mode: 'every', keys: '/k' } }, { mode: 'every', keysFile: '/k' }],
    [{ verify: { keys: '/k' } }, { mode: 'head', keysFile: '/k' }],
    [
      { verify: { mode: 'every' }, verify_keys: '/k' },
      { mode: 'every', keysFile: '/k' },
    ],
    [{ verify: {} }, { mode: 'head', keysFile: '/state/allowed_signers' }],
  ])('%j', (given, rules) => {
    expect(signatureRules(settingsSchema.parse(given), '/state')).toMatchObject(rules)
  })

  it.each([{ verify: 'always' }, { verify: { mode: 'always' } }, { verify: { keys: '' } }, { verify: { file: '/k' } }])(
    '%j is none',
    (given) => {
      expect(settingsSchema.safeParse(given).success).toBe(false)
    },
  )
})
