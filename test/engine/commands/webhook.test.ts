// A push and its webhook, as the daemon sees them: the real program, a real Git server, a poll that would come too late.

import { spawn, type ChildProcess } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest'

import { freePort } from '../../../src/demo/free-port.ts'
import { startGitServer, type GitServer } from '../../../src/demo/git-server.ts'
import { CHECKED, FOREVER, leaf, setStage, type Stage } from '../stage/stage.ts'

const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))
const SECRET = 'a secret of this test'
const web = (generation: number) =>
  leaf(generation, `touch /tmp/ok; ${FOREVER}`, `${CHECKED}environment: {N: "${generation}"}\nupdate: {drain: 0s}\n`)

interface Line {
  readonly event?: string
  readonly time: string
}

let stage: Stage
let server: GitServer
let folder: string
let daemon: ChildProcess
let log = ''
let port: number

const lines = (): Line[] =>
  log
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line)
const soon = <T>(check: () => Promise<T>) => vi.waitFor(check, { timeout: 30_000, interval: 50 })

async function push(generation: number): Promise<void> {
  await stage.commit({ 'web.yaml': web(generation) }, `web ${generation}`)
  await stage.git('push', '-q', 'served', 'main')
}

/** As Gitea sends it. */
async function tell(branch = 'main'): Promise<number> {
  const body = JSON.stringify({ ref: `refs/heads/${branch}`, repository: { full_name: 'team/site' } })
  const signature = createHmac('sha256', SECRET).update(body).digest('hex')
  const headers = { 'x-gitea-event': 'push', 'x-gitea-signature': signature, 'content-type': 'application/json' }
  return (await fetch(`http://127.0.0.1:${port}/webhook/gitea`, { method: 'POST', headers, body })).status
}

beforeAll(async () => {
  stage = await setStage({ engineUrl: inject('engineUrl') })
  folder = await mkdtemp(join(tmpdir(), 'graft-webhook-'))
  const bare = join(folder, 'team', 'site.git')
  await stage.git('init', '-q', '--bare', '-b', 'main', bare)
  await stage.git('--git-dir', bare, 'config', 'http.receivepack', 'true')
  server = await startGitServer({ folder })
  await stage.git('remote', 'add', 'served', `${server.url}/team/site.git`)
  await push(1)
  await writeFile(join(folder, 'secret'), SECRET)
  port = await freePort()
  const repository = ['--repo', `${server.url}/team/site.git`, '--ref', 'main', '--state', join(folder, 'state')]
  const hears = ['--listen', `127.0.0.1:${port}`, '--webhook-secret-file', join(folder, 'secret')]
  const engine = ['--engine', inject('engineUrl'), '--log-level', 'debug']
  daemon = spawn(process.execPath, [main, 'run', '--poll', '3600', ...repository, ...hears, ...engine], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  daemon.stdout?.on('data', (chunk) => (log += String(chunk)))
  daemon.stderr?.on('data', (chunk) => (log += String(chunk)))
  await soon(async () => expect(await stage.containers(), log).toMatchObject({ web: { generation: '1' } }))
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

it('a push that is told is followed at once, though the next poll is an hour away', async () => {
  const took: number[] = []
  for (let generation = 2; generation <= 6; generation++) {
    await push(generation)
    const begun = lines().filter(({ event }) => event === 'begun').length
    const told = Date.now()
    expect(await tell()).toBe(202)
    await soon(async () => expect(lines().filter(({ event }) => event === 'begun').length, log).toBeGreaterThan(begun))
    const first = lines().filter(({ event }) => event === 'begun')[begun]
    took.push(Date.parse(first?.time ?? '') - told)
    const at = { web: { generation: String(generation), state: 'running' } }
    await soon(async () => expect(await stage.containers(), log).toMatchObject(at))
    await soon(async () => expect(Object.keys(await stage.containers())).not.toContain('web.next'))
  }
  const sorted = took.toSorted((a, b) => a - b)
  console.log(`from the webhook to the first table of the plan: ${took.join(', ')} ms, median ${sorted[2]} ms`)
  expect(sorted[2]).toBeLessThan(1_000)
})

it('nothing follows from what is told of another branch', async () => {
  const seen = lines().filter(({ event }) => event === 'commit').length
  await push(7)
  expect(await tell('next')).toBe(202)
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  expect(lines().filter(({ event }) => event === 'commit').length).toBe(seen)
  expect(await tell()).toBe(202)
  await soon(async () => expect(await stage.containers(), log).toMatchObject({ web: { generation: '7' } }))
})
