// Notes as a person meets them: the real program, a real Git server, a real engine; native Git shows them.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'

import { startGitServer, type GitServer } from '../../../src/demo/git-server.ts'
import type { OutcomeRecord } from '../../../src/report/outcome-record.ts'
import { outcomesIn } from '../../../src/report/outcome-text.ts'
import { CHECKED, FOREVER, leaf, setStage, type Stage } from '../stage/stage.ts'
import { graft } from './graft.ts'

const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))
const HEALTHY = `touch /tmp/ok; ${FOREVER}`
const web = (generation: number, line = HEALTHY) =>
  leaf(generation, line, `${CHECKED}environment: {N: "${generation}"}\nupdate: {drain: 0s, deadline: 60s}\n`)
const soon = <T>(check: () => Promise<T>) => vi.waitFor(check, { timeout: 40_000, interval: 200 })

let stage: Stage
let folder: string
let bare: string
let server: GitServer
let daemon: ChildProcess | null = null
let log = ''
/** The server takes nothing from anybody. */
let readOnly = false

const shown = (commit: string, ...where: string[]): Promise<string> =>
  stage.git(...where, 'notes', '--ref=graft', 'show', commit)

async function told(commit: string): Promise<OutcomeRecord | undefined> {
  return outcomesIn(await shown(commit, '--git-dir', bare))[0]
}

beforeAll(async () => {
  stage = await setStage({ engineUrl: inject('engineUrl') })
  folder = await mkdtemp(join(tmpdir(), 'graft-notes-'))
  bare = join(folder, 'site.git')
  await stage.git('init', '-q', '--bare', '-b', 'main', bare)
  await stage.git('--git-dir', bare, 'config', 'http.receivepack', 'true')
  server = await startGitServer({
    folder,
    interfere: ({ url }) => (readOnly && url?.includes('receive-pack') === true ? { status: 503 } : null),
  })
  await stage.git('remote', 'add', 'served', `${server.url}/site.git`)
})

async function end(): Promise<void> {
  if (daemon !== null && daemon.exitCode === null) {
    daemon.kill('SIGTERM')
    await once(daemon, 'exit')
  }
  daemon = null
}

afterAll(async () => {
  await end()
  await server.stop()
  await stage.end()
  await rm(folder, { recursive: true, force: true })
})

describe('graft apply in a folder', () => {
  const apply = (...args: string[]) =>
    graft(stage.repo, [
      'apply',
      '--allow-privileged',
      '--host-name',
      'laptop',
      '--state',
      stage.state,
      '--engine',
      inject('engineUrl'),
      ...args,
    ])

  it('leaves a note on the commit, right in that repository', async () => {
    const first = await stage.commit({ 'web.yaml': web(1) }, 'web 1')
    expect((await apply()).exitCode).toBe(0)
    expect(await stage.git('log', '-1', '--notes=graft', first)).toMatch(
      new RegExp(
        `Notes \\(graft\\):\\n    ${stage.name} on laptop: deployed in .* UTC\\)\\n      web 1  created, gate `,
      ),
    )
    const second = await stage.commit({ 'web.yaml': web(2) }, 'web 2')
    expect((await apply()).exitCode).toBe(0)
    const [outcome] = outcomesIn(await shown(second))
    expect(outcome).toMatchObject({
      host: 'laptop',
      deployment: stage.name,
      commit: second,
      result: 'deployed',
      problems: [],
    })
    expect(outcome?.leaves).toEqual([
      {
        leaf: 'web',
        result: 'replaced',
        from: 1,
        to: 2,
        order: 'start-first',
        gate: expect.any(Number),
        gap: 0,
        availability: null,
        message: null,
      },
    ])
    // Nothing to do is nothing new.
    const before = await stage.git('rev-parse', 'refs/notes/graft')
    expect((await apply()).exitCode).toBe(0)
    expect(await stage.git('rev-parse', 'refs/notes/graft')).toBe(before)
  })

  it('also on one that fails, and on one that does not read', async () => {
    const bad = await stage.commit({ 'web.yaml': web(3, 'echo no >&2; exit 4') }, 'web 3')
    expect((await apply()).exitCode).toBe(1)
    expect(await shown(bad)).toMatch(/ on laptop: failed after .*\n  web 2 → 3  failed: .*4/)
    const unreadable = await stage.commit({ 'web.yaml': 'generation: [\n' }, 'oops')
    expect((await apply()).exitCode).toBe(1)
    expect(await shown(unreadable)).toMatch(new RegExp(`^${stage.name} on laptop: refused after .*\\n  web.yaml:`))
    expect(await stage.git('fsck', '--strict')).not.toMatch(/error|missing|warning/)
    expect(await stage.git('status', '--porcelain')).toBe('')
  })

  it('writes none where that is asked for', async () => {
    await stage.commit({ 'web.yaml': web(4) }, 'web 4')
    const before = await stage.git('rev-parse', 'refs/notes/graft')
    expect((await apply('--notes', 'off')).exitCode).toBe(0)
    expect(await stage.git('rev-parse', 'refs/notes/graft')).toBe(before)
  })
})

describe('graft run behind a URL', () => {
  const start = (): void => {
    const options = [
      '--repo',
      `${server.url}/site.git`,
      '--state',
      join(folder, 'state'),
      '--engine',
      inject('engineUrl'),
    ]
    const more = ['--poll', '1', '--notes', 'push', '--host-name', 'server-1', '--allow-privileged']
    daemon = spawn(process.execPath, [main, 'run', ...more, ...options], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [daemon.stdout, daemon.stderr]) stream?.on('data', (chunk) => (log += String(chunk)))
  }
  const push = async (files: Readonly<Record<string, string>>, message: string): Promise<string> => {
    const id = await stage.commit(files, message)
    await stage.git('push', '-q', 'served', 'main')
    return id
  }

  it('pushes what came of each commit, so that git log tells the story', async () => {
    const ids = [await push({ 'web.yaml': web(5) }, 'web 5')]
    start()
    await soon(async () =>
      expect(await told(ids[0] ?? ''), log).toMatchObject({ result: 'deployed', host: 'server-1' }),
    )
    ids.push(await push({ 'web.yaml': web(6, 'exit 3') }, 'a bad release'))
    await soon(async () => expect(await told(ids[1] ?? ''), log).toMatchObject({ result: 'failed' }))
    ids.push(await push({ 'web.yaml': web(5) }, 'Revert "a bad release"'))
    await soon(async () => expect(await told(ids[2] ?? ''), log).toMatchObject({ result: 'deployed', leaves: [] }))
    await stage.git('fetch', '-q', 'served', 'refs/notes/graft:refs/notes/served')
    const story = await stage.git('log', '-3', '--reverse', '--notes=served', '--format=%s%n%N')
    expect(story).toMatch(
      /web 5\n.* on server-1: deployed [^]*a bad release\n.* on server-1: failed [^]*Revert "a bad release"\n.* on server-1: deployed in .*, nothing had to change/,
    )
    expect(await stage.git('--git-dir', bare, 'fsck', '--strict')).not.toMatch(/error|missing|warning/)
    expect(log).toMatch(/"event":"outcome"[^\n]*"result":"failed"/)
  })

  it('says nothing again after a start, and catches up where the server took nothing meanwhile', async () => {
    const before = await stage.git('--git-dir', bare, 'rev-parse', 'refs/notes/graft')
    await end()
    log = ''
    start()
    await soon(async () => expect(log).toMatch(/"event":"commit"/))
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    expect(log).not.toMatch(/"event":"outcome"/)
    expect(await stage.git('--git-dir', bare, 'rev-parse', 'refs/notes/graft')).toBe(before)
    readOnly = true
    const id = await stage.commit({ 'web.yaml': web(7) }, 'web 7')
    await stage.git('push', '-q', bare, 'main')
    await soon(async () => expect((await stage.containers())['web'], log).toMatchObject({ generation: '7' }))
    await soon(async () => expect(log).toMatch(/"event":"notes-fault"/))
    await expect(told(id)).rejects.toThrow()
    await end()
    readOnly = false
    start()
    await soon(async () => expect(await told(id), log).toMatchObject({ result: 'deployed', host: 'server-1' }))
  })
})
