// Signed commits from end to end: the real program, a real Git server, a real engine, keys made by ssh-keygen.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'

import { startGitServer, type GitServer } from '../../../src/demo/git-server.ts'
import { signingTools, type SigningTools } from '../repository/signing-tools.ts'
import { FOREVER, leaf, setStage, type Stage } from '../stage/stage.ts'
import { graft } from './graft.ts'

const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))
const web = (generation: number) => leaf(generation, FOREVER, 'update: {drain: 0s, settle: 200ms, deadline: 20s}\n')
const soon = <T>(check: () => Promise<T>) => vi.waitFor(check, { timeout: 30_000, interval: 200 })

let tools: SigningTools
let stage: Stage
/** The public key, as it stands in a file. */
let line: string

beforeAll(async () => {
  tools = await signingTools()
  const file = join(tools.folder, 'ann')
  tools.sshKeygen('-q', '-t', 'ed25519', '-N', '', '-C', 'ann', '-f', file)
  line = (await readFile(`${file}.pub`, 'utf8')).trim()
})
afterAll(() => tools.end())

/** The settings of Git that sign all commits of the stage. */
async function signs(yes: boolean): Promise<void> {
  await stage.git('config', 'gpg.format', 'ssh')
  await stage.git('config', 'gpg.ssh.program', tools.sshProgram)
  await stage.git('config', 'user.signingkey', join(tools.folder, 'ann'))
  await stage.git('config', 'commit.gpgsign', String(yes))
}
const generation = async () => (await stage.containers())['web']?.generation

describe('in a folder', () => {
  let keys: string
  const run = (command: string, ...args: string[]) =>
    graft(stage.repo, [command, ...args, '--state', stage.state, '--engine', inject('engineUrl')])

  beforeAll(async () => {
    stage = await setStage({ engineUrl: inject('engineUrl') })
    keys = join(stage.folder, 'keys')
    await writeFile(keys, `ben@example.org ${line}\n`)
  })
  afterAll(() => stage.end())

  it('apply, plan and validate refuse what is not signed, each with exit 1 and the reason', async () => {
    await signs(false)
    const id = await stage.commit({ 'web.yaml': web(1) })
    for (const command of ['apply', 'plan', 'validate', 'apply --dry-run']) {
      const refused = await run(...(command.split(' ') as [string, string]), '--verify-keys', keys)
      expect(refused).toMatchObject({
        exitCode: 1,
        output: expect.stringContaining(`commit ${id.slice(0, 7)} is not signed`),
      })
    }
    expect(await stage.containers()).toEqual({})
    const json = await run('apply', '--json', '--verify-keys', keys)
    expect(JSON.parse(json.output)).toMatchObject({ ok: false, problems: [{ severity: 'unreadable' }] })
  })

  it('apply takes what is signed, and says whose name it is not in', async () => {
    await signs(true)
    await stage.commit({ 'web.yaml': web(1), 'note.txt': 'signed\n' })
    const applied = await run('apply', '--verify-keys', keys)
    expect(applied).toMatchObject({
      exitCode: 0,
      output: expect.stringContaining('is signed by ben@example.org, and its committer'),
    })
    expect(await generation()).toBe('1')
  })

  it('every asks for each commit since then, head for the last one', async () => {
    await signs(false)
    const id = await stage.commit({ 'web.yaml': web(2) })
    await signs(true)
    await stage.commit({ 'note.txt': 'signed again\n' })
    const refused = await run('apply', '--verify', 'every', '--verify-keys', keys)
    expect(refused).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining(`commit ${id.slice(0, 7)} is not signed`),
    })
    expect(await generation()).toBe('1')
    expect(await run('apply', '--verify', 'head', '--verify-keys', keys)).toMatchObject({ exitCode: 0 })
    expect(await generation()).toBe('2')
    expect(await run('apply', '--verify', 'every', '--verify-keys', keys)).toMatchObject({ exitCode: 0 })
  })

  it('forward_only refuses what does not contain the commit before, until somebody says that it is meant', async () => {
    const before = await stage.git('rev-parse', 'HEAD')
    await stage.git('commit', '-q', '--amend', '--allow-empty', '-m', 'Other words')
    const refused = await run('apply', '--forward-only')
    expect(refused).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining(`does not contain ${before.slice(0, 7)}`),
    })
    const file = /delete (\S+accepted\.json)/.exec(refused.output)?.[1] ?? ''
    await rm(file)
    expect(await run('apply', '--forward-only')).toMatchObject({ exitCode: 0 })
  })

  it('keys that are not there, or no keys, are told with their place', async () => {
    const none = await run('apply', '--verify', 'head')
    expect(none).toMatchObject({ exitCode: 1, output: expect.stringContaining(join(stage.state, 'allowed_signers')) })
    const empty = join(stage.folder, 'empty')
    await writeFile(empty, '# nobody\n')
    const useless = await run('apply', '--verify-keys', empty)
    expect(useless).toMatchObject({ exitCode: 1, output: expect.stringContaining('there is no key in it') })
  })

  it('what graft commits by itself is signed with its own key', async () => {
    tools.sshKeygen('-q', '-t', 'ed25519', '-N', '', '-f', join(stage.folder, 'own'))
    const own = (await readFile(join(stage.folder, 'own.pub'), 'utf8')).trim()
    await stage.commit({ 'web.yaml': null, 'site/set.yaml': '', 'site/web.yaml': web(2) })
    const before = await stage.git('rev-parse', 'HEAD')
    const without = await run('stop', 'site', '--verify-keys', keys)
    expect(without).toMatchObject({ exitCode: 1, output: expect.stringContaining('no key to sign this one with') })
    expect(await stage.git('rev-parse', 'HEAD')).toBe(before)
    const stopped = await run(
      'stop',
      'site',
      '--signing-key-file',
      join(stage.folder, 'own'),
      '--author',
      'graft <graft@host1>',
    )
    expect(stopped).toMatchObject({ exitCode: 0 })
    await writeFile(keys, `graft@host1 ${own}\n`)
    await stage.git('config', 'gpg.ssh.allowedSignersFile', keys)
    await stage.git('verify-commit', 'HEAD')
    expect(await run('validate', '--verify-keys', keys)).toMatchObject({ exitCode: 0 })
  })
})

describe('with a daemon, behind a Git server', () => {
  let server: GitServer
  let folder: string
  let daemon: ChildProcess | null = null
  let log = ''
  let options: string[]

  const push = async (...args: string[]) => {
    await stage.git('push', '-q', ...args, 'served', 'main')
    return stage.git('rev-parse', 'HEAD')
  }
  function start(): void {
    log = ''
    const started = spawn(process.execPath, [main, 'run', '--poll', '1', ...options], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    started.stdout.on('data', (chunk) => (log += String(chunk)))
    started.stderr.on('data', (chunk) => (log += String(chunk)))
    daemon = started
  }
  async function end(): Promise<void> {
    if (daemon === null || daemon.exitCode !== null) return
    daemon.kill('SIGTERM')
    await once(daemon, 'exit')
  }
  const status = async () => JSON.parse((await graft(folder, ['status', '--json', ...options])).output)

  beforeAll(async () => {
    stage = await setStage({ engineUrl: inject('engineUrl') })
    folder = await mkdtemp(join(tmpdir(), 'graft-signed-'))
    await stage.git('clone', '-q', '--bare', stage.repo, join(folder, 'site.git'))
    await stage.git('remote', 'add', 'served', join(folder, 'site.git'))
    server = await startGitServer({ folder })
    await writeFile(join(folder, 'keys'), `*@*,* ${line}\n`)
    const config = join(folder, 'graft.config.yaml')
    await writeFile(config, 'verify: {mode: every, keys: keys}\nforward_only: true\nallow_privileged: true\n')
    options = [
      '--config',
      config,
      '--repo',
      `${server.url}/site.git`,
      '--state',
      stage.state,
      '--engine',
      inject('engineUrl'),
    ]
    await signs(false)
    await stage.commit({ 'web.yaml': web(1) })
    await push()
    start()
  })
  afterAll(async () => {
    await end()
    await server.stop()
    await stage.end()
    await rm(folder, { recursive: true, force: true })
  })

  it('it waits for a first commit that is signed', async () => {
    await soon(async () => expect(log).toContain('"event":"not-admitted"'))
    expect(await stage.containers()).toEqual({})
    await signs(true)
    await stage.commit({ 'note.txt': 'Signed from here on\n' })
    await push()
    await soon(async () => expect(await generation(), log).toBe('1'))
  })

  it('a commit that is not signed changes nothing, and what runs is looked after', async () => {
    const good = await stage.git('rev-parse', 'HEAD')
    await signs(false)
    await stage.commit({ 'web.yaml': web(2) })
    const bad = await push()
    await soon(async () =>
      expect(log).toContain(`commit ${bad.slice(0, 7)} is not taken over; ${good.slice(0, 7)} stays in force`),
    )
    expect(await generation()).toBe('1')
    const told = await status()
    expect(told).toMatchObject({ commit: { id: good }, repository: { tip: { id: bad } } })
    expect(told.problems[0].message).toContain('is not signed')
    await stage.container('web').remove({ force: true })
    await soon(async () => expect(await generation(), log).toBe('1'))
  })

  it('started again, it still knows what was good', async () => {
    await end()
    await stage.container('web').remove({ force: true })
    start()
    await soon(async () => expect(await generation(), log).toBe('1'))
    expect(log).toContain('"event":"not-admitted"')
  })

  it('a signed commit on top of one that is not does not make that good, where every one is asked for', async () => {
    await signs(true)
    await stage.commit({ 'note.txt': 'On top\n' })
    const tip = await push()
    await soon(async () => expect(log).toContain(`commit ${tip.slice(0, 7)} is not taken over`))
    expect(await generation()).toBe('1')
  })

  it('the same again, signed, goes on; a force-push behind it does not', async () => {
    await stage.git('reset', '-q', '--hard', 'HEAD~2')
    await stage.commit({ 'web.yaml': web(2) })
    const good = await push('--force')
    await soon(async () => expect(await generation(), log).toBe('2'))
    await stage.git('reset', '-q', '--hard', 'HEAD~1')
    const old = await push('--force')
    await soon(async () => expect(log).toContain(`commit ${old.slice(0, 7)} does not contain ${good.slice(0, 7)}`))
    expect(await generation()).toBe('2')
    expect((await status()).commit.id).toBe(good)
  })

  it('a key that is added counts at the next look', async () => {
    await stage.git('reset', '-q', '--hard', 'served/main')
    tools.sshKeygen('-q', '-t', 'ecdsa', '-N', '', '-f', join(folder, 'ben'))
    await stage.git('config', 'user.signingkey', join(folder, 'ben'))
    await stage.git('fetch', '-q', 'served')
    const good = (await status()).commit.id
    await stage.git('reset', '-q', '--hard', good)
    await stage.commit({ 'web.yaml': web(3) })
    const tip = await push('--force')
    await soon(async () => expect(log).toContain(`commit ${tip.slice(0, 7)} is signed by SHA256:`))
    const ben = (await readFile(join(folder, 'ben.pub'), 'utf8')).trim()
    await writeFile(join(folder, 'keys'), `*@*,* ${line}\nben@example.org ${ben}\n`)
    await soon(async () => expect(await generation(), log).toBe('3'))
    expect(log).not.toMatch(/\n\s+at /)
  })
})
