// Everything that the program says of a deployment with secrets, by every command that looks: none of it is a secret.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { generateIdentity, identityToRecipient } from 'age-encryption'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'

import { writeSops } from '../../unit/secrets/write-sops.ts'
import { graft } from '../commands/graft.ts'
import { FOREVER, leaf, setStage, type Stage } from '../stage/stage.ts'

const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))
const soon = <T>(check: () => Promise<T>) => vi.waitFor(check, { timeout: 60_000, interval: 300 })
const BOTH = 'secrets: [db-password]\nenvironment: {TOKEN: {secret: token}}\n'
/** Says its secrets in its log and in its health check. */
const talks = (end: string): string => `cat /run/secrets/db-password; echo; echo "token $$TOKEN"; ${end}`
const CHECK = `healthcheck: {test: ["CMD-SHELL", "echo check $$TOKEN; test -e /tmp/ok"], interval: 1s, retries: 1}\n`

let stage: Stage
let canary = ''
let daemon: ChildProcess
let log = ''
let flags: string[] = []

beforeAll(async () => {
  canary = `canary-${process.pid}-${Math.random().toString(36).slice(2)}`
  stage = await setStage({
    engineUrl: inject('engineUrl'),
    deployment: 'secrets:\n  db-password: {file: ./s.sops.yaml, key: password}\n  token: {host: token}\n',
  })
  const key = await generateIdentity()
  const recipients = [await identityToRecipient(key)]
  await writeFile(join(stage.state, 'age.key'), `${key}\n`, { mode: 0o600 })
  await mkdir(join(stage.state, 'secrets'), { mode: 0o700 })
  await writeFile(join(stage.state, 'secrets', 'token'), `${canary}-host`, { mode: 0o600 })
  await stage.commit({
    's.sops.yaml': await writeSops('s.sops.yaml', { password: `${canary}-file` }, { recipients }),
    'good.yaml': leaf(1, talks(`touch /tmp/ok; ${FOREVER}`), CHECK + BOTH),
    'bad.yaml': leaf(1, talks('exit 3'), BOTH),
  })
  flags = ['--engine', inject('engineUrl'), '--state', stage.state, '--allow-privileged']
  daemon = spawn(process.execPath, [main, 'run', ...flags, '--log-level', 'debug', '--poll', '1'], {
    cwd: stage.repo,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [daemon.stdout, daemon.stderr])
    stream?.on('data', (chunk: Buffer) => void (log += String(chunk)))
  await soon(async () =>
    expect(Object.keys(await stage.containers())).toEqual(expect.arrayContaining(['good', 'bad.failed'])),
  )
}, 120_000)

afterAll(async () => {
  if (daemon.exitCode === null) {
    daemon.kill('SIGTERM')
    await once(daemon, 'exit')
  }
  await stage.end()
})

describe('nobody is told a secret', () => {
  it.each([
    [['status'], 'bad'],
    [['status', '--json'], 'bad'],
    [['plan'], 'bad'],
    [['plan', '--json'], 'bad'],
    [['validate'], ''],
    [['logs', 'good'], 'token (secret)'],
    [['logs', 'bad', '--failed'], 'token (secret)'],
    [['history', '--json'], 'bad'],
    [['trace', 'good'], 'good'],
  ] as const)('%j', async (args, said) => {
    const { output } = await graft(stage.repo, [...args, ...flags])
    expect(output).toContain(said)
    expect(output).not.toContain(canary)
  })

  it('by the daemon’s log, which tells why the candidate failed', async () => {
    await soon(async () => expect(log).toContain('token (secret)'))
    expect(log).not.toContain(canary)
  })

  it('by the note on the commit', async () => {
    const note = await soon(() => stage.git('notes', '--ref=graft', 'show', 'HEAD'))
    expect(note).toContain('bad')
    expect(note).not.toContain(canary)
  })

  it('by what the daemon says when a secret of the host changes, is lost and comes back', async () => {
    const file = join(stage.state, 'secrets', 'token')
    await writeFile(file, `${canary}-rotated`, { mode: 0o600 })
    await soon(async () => {
      const { Config } = await stage.container('good').inspect()
      expect(Config.Env).toContain(`TOKEN=${canary}-rotated`)
    })
    const { output } = await graft(stage.repo, ['logs', 'good', ...flags])
    expect(output).toContain('token (secret)')
    expect(output + log).not.toContain(canary)
  })
})
