// Secrets on a real engine: from a file that SOPS encrypted, or from the host, into containers; where their plain text
// lies then, and where it never does.

import { execFile } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { generateIdentity, identityToRecipient } from 'age-encryption'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'

import { redactorOf } from '../../../src/daemon/secrets/open-secrets.ts'
import { callEngine } from '../../../src/engine/call.ts'
import { redactingEngine } from '../../../src/engine/redacting.ts'
import { writeSops } from '../../unit/secrets/write-sops.ts'
import { CHECKED, FOREVER, leaf, setStage, type Stage } from '../stage/stage.ts'

const run = promisify(execFile)
const DECLARED = `secrets:
  db-password: {file: ./secrets.sops.yaml, key: db.password}
  token: {host: token}
`

let stage: Stage
let recipient = ''
/** In no other test of any run. */
let canary = ''
beforeEach(async () => {
  canary = `canary-${process.pid}-${Math.random().toString(36).slice(2)}`
  stage = await setStage({ engineUrl: inject('engineUrl'), deployment: DECLARED })
  const key = await generateIdentity()
  recipient = await identityToRecipient(key)
  await writeFile(join(stage.state, 'age.key'), `${key}\n`, { mode: 0o600 })
  await hostSecret('token', `${canary}-of-the-host`)
})
afterEach(() => stage.end())

async function hostSecret(name: string, text: string): Promise<void> {
  await mkdir(join(stage.state, 'secrets'), { recursive: true, mode: 0o700 })
  await writeFile(join(stage.state, 'secrets', name), text, { mode: 0o600 })
}

async function encrypted(password = `${canary}-of-the-file`): Promise<string> {
  return writeSops('secrets.sops.yaml', { db: { password, port: 5432 } }, { recipients: [recipient] })
}

const BOTH = `secrets: [db-password]\nenvironment: {TOKEN: {secret: token}}\n`
const web = (generation = 1, more = BOTH) => leaf(generation, `touch /tmp/ok; ${FOREVER}`, CHECKED + more)

async function inside(name: string, ...command: string[]): Promise<string> {
  const { output, healthy } = await stage.engine.exec(await idOf(name), command, 10_000)
  if (!healthy) throw new Error(output)
  return output
}

async function idOf(name: string): Promise<string> {
  return (await stage.container(name).inspect()).Id
}

describe('a secret', () => {
  it('is a file below /run/secrets, or a variable', async () => {
    await stage.commit({ 'secrets.sops.yaml': await encrypted(), 'web.yaml': web() })
    const { results } = await stage.apply()
    expect(new Set(results.map(({ outcome }) => outcome.kind))).toEqual(new Set(['done']))
    expect(await inside('web', '/bin/cat', '/run/secrets/db-password')).toContain(`${canary}-of-the-file`)
    expect(await inside('web', '/bin/stat', '-c', '%a %u:%g', '/run/secrets/db-password')).toContain('444 0:0')
    const { Config } = await stage.container('web').inspect()
    expect(Config.Env).toContain(`TOKEN=${canary}-of-the-host`)
    const again = await stage.apply()
    expect(again.verdicts, 'nothing is left to do').toEqual({ web: 'keep' })
  })

  it('belongs to the user of the container where that is a number, and to nobody else', async () => {
    await stage.commit({
      'secrets.sops.yaml': await encrypted(),
      'web.yaml': web(1, 'user: "1234:77"\nsecrets: [db-password]\n'),
      'own.yaml': web(1, 'secrets: [{source: db-password, target: /etc/app/pw, mode: "0440", uid: 5, gid: 6}]\n'),
    })
    await stage.apply()
    expect(await inside('web', '/bin/stat', '-c', '%a %u:%g', '/run/secrets/db-password')).toContain('400 1234:77')
    expect(await inside('web', '/bin/cat', '/run/secrets/db-password')).toContain(canary)
    expect(await inside('own', '/bin/stat', '-c', '%a %u:%g', '/etc/app/pw')).toContain('440 5:6')
  })

  it.each([
    ['a read-only root', 'read_only: true\ntmpfs: [/tmp]\n'],
    ['a tmpfs over /run', 'tmpfs: [/run]\n'],
    ['a read-only root and files', 'read_only: true\ntmpfs: [/tmp]\nfiles: {/etc/app.conf: ./app.conf}\n'],
  ])('is there in a container with %s, also after a restart', async (_what, more) => {
    await stage.commit({
      'secrets.sops.yaml': await encrypted(),
      'app.conf': 'x=1\n',
      'web.yaml': web(1, `${BOTH}${more}`),
    })
    const { results } = await stage.apply()
    expect(new Set(results.map(({ outcome }) => outcome.kind))).toEqual(new Set(['done']))
    expect(await inside('web', '/bin/cat', '/run/secrets/db-password')).toContain(`${canary}-of-the-file`)
    await stage.container('web').restart({ t: 0 })
    expect(await inside('web', '/bin/cat', '/run/secrets/db-password')).toContain(`${canary}-of-the-file`)
    expect((await stage.apply()).verdicts).toEqual({ web: 'keep' })
    const volumes = async (): Promise<string[]> =>
      ((await stage.docker.listVolumes()).Volumes ?? []).map(({ Name }) => Name)
    const { Mounts } = await stage.container('web').inspect()
    const own = Mounts.find(({ Destination }) => Destination === '/run/secrets')?.Name ?? ''
    expect(await volumes()).toContain(own)
    await stage.commit({ 'web.yaml': null, 'other.yaml': web(1, '') })
    await stage.apply()
    expect(Object.keys(await stage.containers())).toEqual(['other'])
    expect(await volumes(), 'the folder of its secrets went with the container').not.toContain(own)
  })

  it('of the host that changed swaps under the old generation, and says so', async () => {
    await stage.commit({ 'secrets.sops.yaml': await encrypted(), 'web.yaml': web(), 'plain.yaml': web(1, '') })
    await stage.apply()
    await hostSecret('token', `${canary}-rotated`)
    const { verdicts, turn } = await stage.apply()
    expect(verdicts).toEqual({ web: 'replace', plain: 'keep' })
    expect(JSON.stringify(turn.plan)).not.toContain(canary)
    const { Config } = await stage.container('web').inspect()
    expect(Config.Env).toContain(`TOKEN=${canary}-rotated`)
    expect(Config.Labels['dev.graft.generation']).toBe('1')
  })

  it('that changed in the repository takes a new generation; other recipients do not', async () => {
    const text = await encrypted()
    await stage.commit({ 'secrets.sops.yaml': text, 'web.yaml': web() })
    await stage.apply()
    await stage.commit({ 'secrets.sops.yaml': text.replace('version: 3.11.0', 'version: 3.12.0') })
    expect((await stage.apply()).verdicts, 'metadata is no part of it').toEqual({ web: 'keep' })
    await stage.commit({ 'secrets.sops.yaml': await encrypted(`${canary}-new`) })
    const refused = await stage.judge()
    expect([...refused.refused.keys()]).toEqual(['web'])
    await stage.commit({ 'web.yaml': web(2) })
    await stage.apply()
    expect(await inside('web', '/bin/cat', '/run/secrets/db-password')).toContain(`${canary}-new`)
  })

  it('comes back with a container that somebody pruned while it was stopped', async () => {
    const more = `${BOTH}read_only: true\ntmpfs: [/tmp]\nvolumes: ["data:/data"]\n`
    const declared = `${DECLARED}volumes: {data: {}}\n`
    await stage.commit({
      'deployment.yaml': stage.deploymentYaml(declared),
      'secrets.sops.yaml': await encrypted(),
      'web.yaml': web(1, more),
    })
    await stage.apply()
    const captured = await stage.engine.capture(await idOf('web'), [])
    await stage.container('web').remove({ force: true, v: true })
    if (captured === null) throw new Error('it was not there')
    const id = await stage.engine.recreate(captured)
    await stage.engine.start(id)
    const { output } = await stage.engine.exec(id, ['/bin/cat', '/run/secrets/db-password'], 10_000)
    expect(output).toContain(`${canary}-of-the-file`)
  })
})

describe('a secret that cannot be read', () => {
  it.each([
    ['no age key', async () => rm(join(stage.state, 'age.key')), 'this host has no age key'],
    ['an age key for all to read', async () => chmod(join(stage.state, 'age.key'), 0o644), 'may be read by others'],
    [
      'somebody else’s age key',
      async () => writeFile(join(stage.state, 'age.key'), `${await generateIdentity()}\n`),
      'no age key of this host opens it',
    ],
    ['no file on the host', async () => rm(join(stage.state, 'secrets', 'token')), 'this host has no'],
  ])('%s: holds its leaf, and nothing else; what runs goes on', async (_what, lose, words) => {
    await stage.commit({ 'secrets.sops.yaml': await encrypted(), 'web.yaml': web(), 'plain.yaml': web(1, '') })
    await stage.apply()
    const before = await stage.containers()
    await lose()
    await stage.commit({ 'web.yaml': web(2), 'plain.yaml': web(2, '') })
    const { verdicts, turn } = await stage.apply()
    expect(verdicts).toEqual({ web: 'refuse', plain: 'replace' })
    expect(turn.plan.verdicts.find((verdict) => verdict.leaf === 'web')?.because).toContain(words)
    expect((await stage.containers())['web']).toEqual(before['web'])
  })

  it('a MAC that does not fit is told, and holds the leaf', async () => {
    const text = await encrypted()
    await stage.commit({ 'secrets.sops.yaml': text.replace(/^ {2}port: .*\n/m, ''), 'web.yaml': web() })
    const { verdicts, turn } = await stage.apply()
    expect(verdicts).toEqual({ web: 'refuse' })
    expect(turn.plan.verdicts[0]?.because).toMatch(/secrets\.sops\.yaml: its MAC/)
  })
})

describe('the plain text', () => {
  it('of a file lies in the container alone, and goes with it', async () => {
    await stage.commit({
      'secrets.sops.yaml': await encrypted(),
      'web.yaml': web(1, 'secrets: [db-password]\n'),
      'sealed.yaml': web(1, 'secrets: [db-password]\nread_only: true\ntmpfs: [/tmp]\n'),
    })
    await stage.apply()
    const root = await dataRoot()
    const found = await filesWith(root, canary)
    const { Mounts } = await stage.container('sealed').inspect()
    const volume = Mounts.find(({ Destination }) => Destination === '/run/secrets')?.Source ?? 'none'
    expect(found.toSorted()).toEqual(
      [join(await layerOf(await idOf('web')), 'run/secrets/db-password'), join(volume, 'db-password')].toSorted(),
    )
    await stage.commit({ 'web.yaml': null, 'sealed.yaml': null, 'plain.yaml': web(1, '') })
    await stage.apply({ confirmed: true })
    expect(await filesWith(root, canary), 'nothing is left of it').toEqual([])
  })

  it('of a variable lies in what the engine and containerd write of the container, and in no image', async () => {
    await stage.commit({
      'secrets.sops.yaml': await encrypted(),
      'web.yaml': web(1, 'environment: {TOKEN: {secret: token}}\n'),
    })
    await stage.apply()
    const root = await dataRoot()
    const own = join(root, 'containers', await idOf('web'))
    const found = await filesWith(root, canary)
    expect(found).toContain(join(own, 'config.v2.json'))
    expect(found.filter((file) => !file.startsWith(own) && !file.endsWith('/meta.db'))).toEqual([])
    for (const { Id } of await stage.docker.listImages()) {
      expect(JSON.stringify(await stage.docker.getImage(Id).inspect())).not.toContain(canary)
    }
  })

  it('is in no file of graft’s, no label, no plan, no record, and no command line', async () => {
    await stage.commit({ 'secrets.sops.yaml': await encrypted(), 'web.yaml': web() })
    const { turn, results, progress } = await stage.apply()
    const told = JSON.stringify([turn.plan, turn.observed, results, progress], withMaps)
    expect(told).toContain('web')
    expect(told).not.toContain(canary)
    const own = (await filesWith(stage.state, canary)).filter((file) => !file.endsWith('/secrets/token'))
    expect(own).toEqual([])
    const { Config } = await stage.container('web').inspect()
    expect(JSON.stringify([Config.Labels, Config.Cmd, Config.Healthcheck])).not.toContain(canary)
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const line = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')
      if (line.includes('grep')) continue
      expect(line.includes(canary), `the command line of ${pid}`).toBe(false)
    }
  })

  it('is taken out of logs, of outputs of checks and of why a candidate failed', async () => {
    const line = 'cat /run/secrets/db-password; echo; echo "token=$$TOKEN"; echo -n "$$TOKEN" | base64; exit 3'
    await stage.commit({ 'secrets.sops.yaml': await encrypted(), 'web.yaml': leaf(1, line, BOTH) })
    const engine = redactingEngine(stage.engine, redactorOf(stage.settings).clean)
    const wish = await stage.wish()
    const { reconciler } = stage.reconciler(engine)
    const { results, turn } = await reconciler.settle(wish, new AbortController().signal)
    const told = JSON.stringify([results, turn.plan], withMaps)
    expect(told).toContain('(secret)')
    expect(told).toContain('token=(secret)')
    expect(told).not.toContain(canary)
    expect(told).not.toContain(Buffer.from(`${canary}-of-the-host`).toString('base64').slice(0, 24))
    const lines: string[] = []
    for await (const { text } of engine.logs(await idOf('web.failed'), {})) lines.push(text)
    expect(lines).toContain('token=(secret)')
  })

  async function dataRoot(): Promise<string> {
    return (await callEngine<{ DockerRootDir: string }>(stage.connection, 'ask', { path: '/info' })).DockerRootDir
  }

  async function layerOf(id: string): Promise<string> {
    const { GraphDriver } = await stage.docker.getContainer(id).inspect()
    return (GraphDriver.Data as Record<string, string>)['UpperDir'] ?? 'none'
  }
})

function withMaps(_key: string, value: unknown): unknown {
  return value instanceof Map ? [...value] : value instanceof Error ? [value.message, { ...value }] : value
}

/** Files of one file system that hold a text; sockets and what is mounted below are left out. */
async function filesWith(folder: string, text: string): Promise<string[]> {
  const found = await run('grep', ['-rlaF', '--devices=skip', text, folder], { maxBuffer: 1e7 }).catch(
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }),
  )
  return found.stdout.split('\n').filter((line) => line !== '' && !/\/overlay2\/[^/]+\/merged\//.test(line))
}
