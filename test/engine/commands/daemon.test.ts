// The daemon as it is run: the real program, a real Git server, a real engine; commits are pushed, and what runs follows.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'

import { startGitServer, type GitServer } from '../../../src/demo/git-server.ts'
import type { LeafStatus, SetStatus, Status } from '../../../src/report/status.ts'
import { CHECKED, FOREVER, leaf, setStage, type Seen, type Stage } from '../stage/stage.ts'
import { graft } from './graft.ts'

const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))
const HEALTHY = `touch /tmp/ok; ${FOREVER}`
const web = (generation: number, line = HEALTHY, more = '') =>
  leaf(generation, line, `${CHECKED}environment: {N: "${generation}"}\nupdate: {drain: 0s, deadline: 60s}\n${more}`)

let stage: Stage
let server: GitServer
let folder: string
let daemon: ChildProcess
let log = ''
let options: string[]

/** Pushes what the stage has committed. */
async function push(files: Readonly<Record<string, string | null>>, message: string): Promise<void> {
  await stage.commit(files, message)
  await stage.git('push', '-q', '--force', 'served', 'main')
}

async function status(): Promise<Status> {
  return JSON.parse((await graft(folder, ['status', '--json', ...options])).output) as Status
}

function leaves(set: SetStatus | null): LeafStatus[] {
  return set === null ? [] : [...set.leaves, ...set.sets.flatMap(leaves)]
}

/** Waits until nothing is in hand any more. */
async function atRest(): Promise<Record<string, Seen>> {
  return soon(async () => {
    const containers = await stage.containers()
    expect(Object.keys(containers).filter((name) => /\.(next|prev)/.test(name))).toEqual([])
    return containers
  })
}

const soon = <T>(check: () => Promise<T>) => vi.waitFor(check, { timeout: 30_000, interval: 200 })

beforeAll(async () => {
  stage = await setStage({ engineUrl: inject('engineUrl') })
  folder = await mkdtemp(join(tmpdir(), 'graft-daemon-'))
  await stage.git('init', '-q', '--bare', '-b', 'main', join(folder, 'site.git'))
  await stage.git('--git-dir', join(folder, 'site.git'), 'config', 'http.receivepack', 'true')
  server = await startGitServer({ folder })
  await stage.git('remote', 'add', 'served', `${server.url}/site.git`)
  await push({ 'web.yaml': web(1) }, 'web 1')
  options = ['--repo', `${server.url}/site.git`, '--state', join(folder, 'state'), '--engine', inject('engineUrl')]
  startDaemon()
})

function startDaemon(): void {
  daemon = spawn(process.execPath, [main, 'run', '--poll', '1', ...options], { stdio: ['ignore', 'pipe', 'pipe'] })
  daemon.stdout?.on('data', (chunk) => (log += String(chunk)))
  daemon.stderr?.on('data', (chunk) => (log += String(chunk)))
}

afterAll(async () => {
  if (daemon.exitCode === null) {
    daemon.kill('SIGKILL')
    await once(daemon, 'exit')
  }
  await server.stop()
  await stage.end()
  await rm(folder, { recursive: true, force: true })
})

describe('graft run', () => {
  it('brings up what the repository says', async () => {
    await soon(async () =>
      expect(await stage.containers(), log).toMatchObject({ web: { state: 'running', generation: '1' } }),
    )
    await soon(async () => {
      const seen = await status()
      expect(seen.daemon?.pid).toBe(daemon.pid)
      expect(leaves(seen.tree)).toEqual([expect.objectContaining({ name: 'web', sync: 'synced', state: 'running' })])
    })
  })

  it('refuses a second one for the same deployment', async () => {
    const other = [
      '--repo',
      `${server.url}/site.git`,
      '--state',
      join(folder, 'state'),
      '--engine',
      inject('engineUrl'),
    ]
    const second = await graft(folder, ['run', ...other])
    expect(second.exitCode).toBe(1)
    expect(second.output).toContain(`process ${daemon.pid}`)
    const elsewhere = await graft(folder, [
      'apply',
      '--repo',
      `${server.url}/site.git`,
      '--state',
      join(folder, 'other'),
      '--engine',
      inject('engineUrl'),
    ])
    expect(elsewhere).toMatchObject({ exitCode: 1, output: expect.stringContaining('already looks after') })
  })

  it('mends what somebody kills, without waiting for a poll', async () => {
    await stage.container('web').kill()
    const killed = Date.now()
    await soon(async () => expect((await stage.containers())['web']?.state).toBe('running'))
    expect(Date.now() - killed).toBeLessThan(10_000)
  })

  it('a newer commit wins over a candidate that waits at its gate', async () => {
    await push({ 'web.yaml': web(2, FOREVER) }, 'web 2 never gets healthy')
    await soon(async () => expect(await stage.containers()).toHaveProperty(['web.next']))
    const waiting = (await stage.containers())['web.next']?.id
    await push({ 'web.yaml': web(3) }, 'web 3')
    await soon(async () =>
      expect(await stage.containers()).toEqual({ web: expect.objectContaining({ generation: '3' }) }),
    )
    expect((await stage.containers())['web']?.id).not.toBe(waiting)
  })

  it('a commit that does not touch a waiting leaf leaves its gate alone', async () => {
    const patient = web(4, `sleep 4; ${HEALTHY}`).replace('interval: 1s', 'interval: 1s, start_period: 30s')
    await push({ 'web.yaml': patient }, 'web 4 takes its time')
    await soon(async () => expect(await stage.containers()).toHaveProperty(['web.next']))
    const waiting = (await stage.containers())['web.next']?.id
    await push({ 'other.yaml': web(1) }, 'other')
    await soon(async () => expect(await stage.containers()).toMatchObject({ other: { state: 'running' } }))
    await soon(async () => expect((await stage.containers())['web']).toMatchObject({ id: waiting, generation: '4' }))
  })

  it('keeps the last good commit when the next one does not read, and says so', async () => {
    const before = await atRest()
    await push({ 'web.yaml': 'generation: five\n' }, 'nonsense')
    await soon(async () => {
      const seen = await status()
      expect(seen.problems).toEqual(
        expect.arrayContaining([expect.objectContaining({ file: 'web.yaml', severity: 'unreadable' })]),
      )
      expect(seen.commit?.subject).toBe('other')
      expect(seen.repository.tip?.subject).toBe('nonsense')
    })
    expect(await stage.containers()).toEqual(before)
    await stage.container('web').kill()
    await soon(async () => expect((await stage.containers())['web']?.state).toBe('running'))
    await stage.git('revert', '--no-edit', 'HEAD')
    await push({}, 'go on')
    await soon(async () => expect((await status()).problems).toEqual([]))
  })

  it('does not try a bad spec again until somebody asks', async () => {
    await push({ 'web.yaml': web(5, 'exit 7') }, 'web 5 is broken')
    await soon(async () => expect(await stage.containers()).toHaveProperty(['web.failed']))
    const first = (await stage.containers())['web.failed']?.id
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    expect((await stage.containers())['web.failed']?.id).toBe(first)
    expect(leaves((await status()).tree).find(({ name }) => name === 'web')).toMatchObject({
      sync: 'held',
      generation: { wanted: 5, running: 4 },
    })
    const retried = await graft(folder, ['retry', 'web', ...options])
    expect(retried).toMatchObject({ exitCode: 0 })
    await soon(async () => {
      const again = (await stage.containers())['web.failed']?.id
      expect(again).toBeDefined()
      expect(again).not.toBe(first)
    })
    expect((await stage.containers())['web']).toMatchObject({ state: 'running', generation: '4' })
  })

  it('goes on when the Git server was away', async () => {
    const { port } = server
    await server.stop()
    await soon(async () => expect((await status()).repository.fault).not.toBeNull())
    await stage.container('web').kill()
    await soon(async () => expect((await stage.containers())['web']?.state).toBe('running'))
    server = await startGitServer({ folder, port })
    await push({ 'web.yaml': web(6) }, 'web 6')
    await soon(async () => expect((await stage.containers())['web']).toMatchObject({ generation: '6' }))
  })

  it('starts while the Git server is away, and keeps running what it saw last', async () => {
    await atRest()
    const { port } = server
    await server.stop()
    daemon.kill('SIGKILL')
    await once(daemon, 'exit')
    await stage.container('web').kill()
    startDaemon()
    await soon(async () =>
      expect((await stage.containers())['web'], log).toMatchObject({ state: 'running', generation: '6' }),
    )
    server = await startGitServer({ folder, port })
    await push({ 'web.yaml': web(7) }, 'web 7')
    await soon(async () => expect((await stage.containers())['web'], log).toMatchObject({ generation: '7' }))
  })

  it('asks before it removes more than the limit, and takes the word of graft apply', async () => {
    await push({ 'deployment.yaml': stage.deploymentYaml('removal_limit: 0\n') }, 'careful')
    await push({ 'other.yaml': null }, 'other goes')
    await soon(async () => expect((await status()).removalHeld).toMatchObject({ count: 1, limit: 0, names: ['other'] }))
    expect(log).toContain('graft approve')
    const confirmed = await graft(folder, ['apply', '--confirm-removals', ...options])
    expect(confirmed).toMatchObject({ exitCode: 0, output: expect.stringContaining('the daemon removes') })
    await soon(async () => expect(await stage.containers()).not.toHaveProperty('other'))
  })

  it('SIGTERM ends it cleanly: what runs stays, nothing is left over, the lock is gone', async () => {
    const before = await atRest()
    daemon.kill('SIGTERM')
    const [code] = await once(daemon, 'exit')
    expect(code).toBe(0)
    expect(await stage.containers()).toEqual(before)
    const locks = await stage.docker.listContainers({ all: true, filters: { name: [`graft.${stage.name}.lock`] } })
    expect(locks).toEqual([])
    expect(log).not.toMatch(/\n\s+at /)
  })
})
