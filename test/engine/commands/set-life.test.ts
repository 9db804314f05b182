// graft stop, start and restart: the real program, a real Git server, a real engine; with a daemon and without one.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'

import { startGitServer, type GitServer } from '../../../src/demo/git-server.ts'
import { CHECKED, FOREVER, leaf, setStage, type Stage } from '../stage/stage.ts'
import { graft, type Ran } from './graft.ts'

const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))
const HEALTHY = `touch /tmp/ok; ${FOREVER}`
const SET = '# the web\ndescription:   "pages"   # for people\n'
const web = (generation: number, line = HEALTHY) =>
  leaf(generation, line, `${CHECKED}update: {drain: 0s, deadline: 20s}\n`)
const FILES = {
  'web/set.yaml': SET,
  'web/page.yaml': web(1),
  'web/api.yaml': `${web(1)}depends_on: [page]\n`,
  'web/once.yaml': `kind: job\n${leaf(1, 'true')}`,
  'db.yaml': web(1),
}
const ANN = { GIT_AUTHOR_NAME: 'Ann Example', GIT_AUTHOR_EMAIL: 'ann@example.org' }
const soon = <T>(check: () => Promise<T>) => vi.waitFor(check, { timeout: 30_000, interval: 200 })

interface Where {
  readonly stage: Stage
  run(...args: string[]): Promise<Ran>
}

async function states({ containers }: Stage): Promise<Record<string, string>> {
  return Object.fromEntries(Object.entries(await containers()).map(([name, { state }]) => [name, state]))
}

async function ids({ containers }: Stage): Promise<Record<string, string>> {
  return Object.fromEntries(Object.entries(await containers()).map(([name, { id }]) => [name, id]))
}

describe('without a daemon, in a folder', () => {
  let stage: Stage
  let run: Where['run']

  beforeAll(async () => {
    stage = await setStage({ engineUrl: inject('engineUrl') })
    await stage.commit(FILES, 'begin')
    const options = ['--state', stage.state, '--engine', inject('engineUrl')]
    run = (...args) => graft(stage.repo, [...args, ...options], ANN)
    expect(await run('apply')).toMatchObject({ exitCode: 0 })
  })
  afterAll(() => stage.end())

  it('stop is a commit that keeps the file as it was, and says what follows', async () => {
    const stopped = await run('stop', 'web')
    expect(stopped).toMatchObject({ exitCode: 0, output: expect.stringContaining('graft apply') })
    expect(await readFile(join(stage.repo, 'web/set.yaml'), 'utf8')).toBe(`${SET}state: stopped\n`)
    expect(await stage.git('status', '--porcelain')).toBe('')
    expect(await stage.git('log', '-1', '--format=%s|%an|%ae')).toBe('Stop web|Ann Example|ann@example.org')
    expect(await run('apply')).toMatchObject({ exitCode: 0 })
    expect(await states(stage)).toMatchObject({ page: 'exited', api: 'exited', db: 'running' })
  })

  it('stop again has nothing to commit', async () => {
    const before = await stage.git('rev-parse', 'HEAD')
    expect(await run('stop', 'web')).toMatchObject({ exitCode: 0, output: expect.stringContaining('stopped already') })
    expect(await stage.git('rev-parse', 'HEAD')).toBe(before)
  })

  it('a stopped set is not restarted', async () => {
    const refused = await run('restart', 'web')
    expect(refused).toMatchObject({ exitCode: 1, output: expect.stringContaining('graft start SET') })
  })

  it('start brings the same containers back', async () => {
    const before = await ids(stage)
    const started = await run('start', 'web/', '-m', 'Pages again', '--author', 'Ben <ben@example.org>', '--json')
    const data: unknown = JSON.parse(started.output)
    expect(data).toMatchObject({ set: 'web', file: 'web/set.yaml', state: 'running', daemon: false })
    expect(data).toMatchObject({ commit: { subject: 'Pages again', author: 'Ben' } })
    expect(await run('apply')).toMatchObject({ exitCode: 0 })
    expect(await states(stage)).toMatchObject({ page: 'running', api: 'running' })
    expect(await ids(stage)).toEqual(before)
  })

  it('the whole deployment is stopped and started in deployment.yaml', async () => {
    expect(await run('stop', '.')).toMatchObject({ exitCode: 0 })
    expect(await readFile(join(stage.repo, 'deployment.yaml'), 'utf8')).toMatch(/^state: stopped$/m)
    expect(await run('start', 'web')).toMatchObject({ output: expect.stringContaining('graft start .') })
    expect(await run('start', stage.name)).toMatchObject({ exitCode: 0 })
  })

  it('refuses a file with changes of its own, a leaf, and a set that is not there', async () => {
    await writeFile(join(stage.repo, 'web/set.yaml'), `${SET}depends_on: []\n`)
    expect(await run('stop', 'web')).toMatchObject({ exitCode: 1, output: expect.stringContaining('not committed') })
    await stage.git('checkout', '-q', '--', '.')
    expect(await run('stop', 'page')).toMatchObject({ exitCode: 1, output: expect.stringContaining('is a leaf') })
    expect(await run('stop', 'wbe')).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining('did you mean web?'),
    })
    expect(await run('stop', 'web', '--author', 'Ben')).toMatchObject({ exitCode: 1 })
    expect(await stage.git('status', '--porcelain')).toBe('')
  })

  it('restart gives a leaf a new container of the same generation, and tells how it went', async () => {
    const before = await ids(stage)
    const restarted = await run('restart', 'page')
    expect(restarted).toMatchObject({ exitCode: 0, output: expect.stringContaining('✓ page') })
    const after = await ids(stage)
    expect(after['page']).not.toBe(before['page'])
    expect({ ...after, page: '' }).toEqual({ ...before, page: '' })
    expect((await stage.containers())['page']).toMatchObject({ state: 'running', generation: '1' })
    const { tree } = JSON.parse((await run('status', '--json')).output)
    expect(tree.sets[0].leaves).toContainEqual(
      expect.objectContaining({ name: 'page', lastSwap: expect.objectContaining({ from: 1, to: 1 }) }),
    )
    expect((await run('status')).output).toContain('LAST SWAP')
  })

  it('a job is not restarted, and a slip of the fingers is told', async () => {
    expect(await run('restart', 'once')).toMatchObject({ exitCode: 1, output: expect.stringContaining('is a job') })
    const unknown = await run('restart', 'pgae')
    expect(unknown).toMatchObject({ exitCode: 1, output: expect.stringContaining('did you mean page?') })
  })
})

describe('with a daemon, behind a Git server', () => {
  let stage: Stage
  let server: GitServer
  let folder: string
  let daemon: ChildProcess
  let log = ''
  let run: Where['run']

  beforeAll(async () => {
    stage = await setStage({ engineUrl: inject('engineUrl') })
    folder = await mkdtemp(join(tmpdir(), 'graft-set-life-'))
    await stage.git('init', '-q', '--bare', '-b', 'main', join(folder, 'site.git'))
    await stage.git('--git-dir', join(folder, 'site.git'), 'config', 'http.receivepack', 'true')
    server = await startGitServer({ folder })
    await stage.git('remote', 'add', 'served', `${server.url}/site.git`)
    await stage.commit(FILES, 'begin')
    await stage.git('push', '-q', 'served', 'main')
    const url = `${server.url}/site.git`
    const options = ['--repo', url, '--state', join(folder, 'state'), '--engine', inject('engineUrl')]
    run = (...args) => graft(folder, [...args, ...options], ANN)
    daemon = spawn(process.execPath, [main, 'run', '--poll', '600', ...options], { stdio: ['ignore', 'pipe', 'pipe'] })
    daemon.stdout?.on('data', (chunk) => (log += String(chunk)))
    daemon.stderr?.on('data', (chunk) => (log += String(chunk)))
    await soon(async () => expect(await states(stage), log).toMatchObject({ api: 'running', db: 'running' }))
  })

  afterAll(async () => {
    if (daemon.exitCode === null) {
      daemon.kill('SIGTERM')
      await once(daemon, 'exit')
    }
    await server.stop()
    await stage.end()
    await rm(folder, { recursive: true, force: true })
  })

  it('stop pushes a commit, and the daemon follows at once', async () => {
    const stopped = await run('stop', 'web')
    expect(stopped).toMatchObject({ exitCode: 0, output: expect.stringContaining('the daemon follows it now') })
    await soon(async () => expect(await states(stage), log).toMatchObject({ page: 'exited', api: 'exited' }))
    await stage.git('pull', '-q', 'served', 'main')
    expect(await stage.git('log', '-1', '--format=%s|%an')).toBe('Stop web|Ann Example')
    expect(await stage.git('show', 'HEAD:web/set.yaml')).toBe(`${SET}state: stopped`)
    expect(await stage.git('fsck', '--strict')).not.toMatch(/error|missing/)
  })

  it('start goes on from a commit that somebody else pushed meanwhile', async () => {
    await stage.commit({ 'notes.txt': 'hello\n' }, 'Theirs')
    await stage.git('push', '-q', 'served', 'main')
    expect(await run('start', 'web')).toMatchObject({ exitCode: 0 })
    await soon(async () => expect(await states(stage), log).toMatchObject({ page: 'running', api: 'running' }))
    await stage.git('pull', '-q', 'served', 'main')
    expect(await stage.git('log', '-2', '--format=%s')).toBe('Start web\nTheirs')
  })

  it('says with the server’s own words why it does not take a commit', async () => {
    const hook = join(folder, 'site.git', 'hooks', 'pre-receive')
    await writeFile(hook, '#!/bin/sh\necho "main is protected" >&2\nexit 1\n', { mode: 0o755 })
    const refused = await run('stop', 'web')
    expect(refused).toMatchObject({ exitCode: 1, output: expect.stringContaining('main is protected') })
    await rm(hook)
  })

  it('restart takes a set leaf by leaf through the gate, and says how it went', async () => {
    const before = await ids(stage)
    const restarted = await run('restart', 'web')
    expect(restarted, log).toMatchObject({ exitCode: 0, output: expect.stringContaining('2 of 2 restarted') })
    const after = await ids(stage)
    expect(after['page']).not.toBe(before['page'])
    expect(after['api']).not.toBe(before['api'])
    expect(after['db']).toBe(before['db'])
    expect(log).toContain('"event":"restart"')
  })

  it('restart only asks where nobody wants to wait', async () => {
    const before = await ids(stage)
    const asked = await run('restart', 'db', '--no-wait', '--json')
    expect(JSON.parse(asked.output)).toMatchObject({ daemon: true, leaves: ['db'] })
    await soon(async () => expect((await ids(stage))['db'], log).not.toBe(before['db']))
  })

  it('the daemon refuses jobs and unknown names as the command does', async () => {
    expect(await run('restart', 'once')).toMatchObject({ exitCode: 1, output: expect.stringContaining('is a job') })
    expect(await run('restart', 'wbe')).toMatchObject({ exitCode: 1, output: expect.stringContaining('did you mean') })
  })

  it('tells when what runs becomes unhealthy and healthy again', async () => {
    await soon(async () => expect(Object.keys(await states(stage)).toSorted()).toEqual(['api', 'db', 'once', 'page']))
    await soon(async () => {
      const { output } = await run('status', '--json')
      expect(JSON.parse(output).tree.leaves).toContainEqual(expect.objectContaining({ name: 'db', health: 'healthy' }))
    })
    const remove = await stage.container('db').exec({ Cmd: ['/bin/rm', '/tmp/ok'] })
    await remove.start({})
    await soon(async () => expect(log).toContain('db became unhealthy'))
    await soon(async () => expect(log).toContain('db is healthy again'))
    expect(log).not.toMatch(/\n\s+at /)
  })
})
