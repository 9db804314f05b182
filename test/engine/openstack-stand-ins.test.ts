// The stand-ins behave as the images of OpenStack do when seen from outside: they start from the configuration in
// example-repo, their checks pass and can fail, migrations end, a broken release breaks, and all stop at once.

import type Docker from 'dockerode'
import { pack } from 'tar-stream'
import { afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { engineClient } from '../../src/demo/engine-address.ts'
import { openstackStandIns } from '../../src/demo/openstack-stand-ins.ts'
import { standInImages } from '../../src/demo/stand-in-images.ts'
import type { Leaf } from '../../src/desired/tree.ts'
import { readExampleRepo } from '../unit/example-repo.ts'

const tree = readExampleRepo()
const place = (reference: string): string => `graft-test/${reference.replace(/^[^/]*\//, '')}`
const broken = 'quay.io/openstack.kolla/nova-conductor:2025.2-broken'

let engine: Docker
const made: Docker.Container[] = []

beforeAll(async () => {
  engine = engineClient(inject('engineUrl'))
  const references = [...tree.leaves.values()].map(({ spec }) => spec.image)
  await standInImages(engine, openstackStandIns([...references, broken], place))
})

afterEach(async () => {
  await Promise.all(made.splice(0).map((container) => container.remove({ force: true, v: true })))
})

/** What a job would have put into a volume before the service starts. */
const data: Record<string, string[]> = {
  galera: ['/var/lib/mysql/ibdata1'],
  mariadb: ['/var/lib/mysql/ibdata1'],
  keystone: ['/etc/keystone/fernet-keys/0'],
  ...Object.fromEntries(
    ['account', 'container', 'object'].map((kind) => [`swift-${kind}`, [`/etc/swift/rings/${kind}.ring.gz`]]),
  ),
  'swift-proxy-server': ['account', 'container', 'object'].map((kind) => `/etc/swift/rings/${kind}.ring.gz`),
}

const checked = [...tree.leaves.values()].filter(({ kind, probe }) => kind === 'container' && probe === null)

describe('a service', () => {
  test.each(checked.map(({ name }) => name))(
    '%s is healthy, stops at once, and its check fails elsewhere',
    async (name) => {
      const service = await start(leaf(name))
      await expect.poll(() => check(service, leaf(name)), { timeout: 5000 }).toBe(0)
      const before = Date.now()
      await service.stop({ t: 10 })
      expect(Date.now() - before).toBeLessThan(3000)
      expect((await service.inspect()).State.ExitCode).toBe(0)

      const idle = await start(leaf(name), { command: ['sleep', '60'] })
      expect(await check(idle, leaf(name))).not.toBe(0)
    },
  )

  test('answers with its release at the port that its configuration names', async () => {
    const service = await start(leaf('heat-api'))
    const ask = `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc 127.0.0.1 8004 | tail -n 1`
    await expect
      .poll(async () => (await run(service, ['sh', '-c', ask])).output, { timeout: 5000 })
      .toContain('{"service": "heat-api", "version": "2025.1-ubuntu-noble"')
  })

  test('ends when its main process ends, so that the engine sees it', async () => {
    const service = await start(leaf('nova-scheduler'))
    await expect.poll(() => check(service, leaf('nova-scheduler')), { timeout: 5000 }).toBe(0)
    await run(service, ['sh', '-c', 'kill -9 "$(cat /var/lib/stand-in/pid)"'])
    expect((await ended(service)).code).not.toBe(0)
  })

  test('does not start without its configuration', async () => {
    const { code, log } = await ended(await start(leaf('nova-conductor'), { files: new Map() }))
    expect([code, log]).toEqual([1, expect.stringContaining('MissingRequiredSource')])
  })

  test('does not start without a file that its configuration lists', async () => {
    const files = new Map([...leaf('nova-conductor').fileContents].filter(([path]) => !path.endsWith('nova.conf')))
    const { code, log } = await ended(await start(leaf('nova-conductor'), { files }))
    expect([code, log]).toEqual([1, expect.stringContaining('nova.conf file is not found')])
  })

  test('does not start on an empty data directory', async () => {
    const { code, log } = await ended(await start(leaf('galera'), { data: [] }))
    expect([code, log]).toEqual([1, expect.stringContaining('data directory is empty')])
  })

  test('of a broken release is never healthy and ends after its start', async () => {
    const service = await start(leaf('nova-conductor'), { image: broken })
    await expect.poll(async () => (await run(service, ['cat', '/var/lib/stand-in/process'])).code).toBe(0)
    expect(await check(service, leaf('nova-conductor'))).not.toBe(0)
    const { code, log } = await ended(service)
    expect([code, log]).toEqual([1, expect.stringContaining('CRITICAL nova-conductor')])
  })
})

describe('a job', () => {
  const jobs = [...tree.leaves.values()].filter(({ kind }) => kind === 'job').map(({ name }) => name)

  test.each(jobs)('%s succeeds', async (name) => {
    const folders = ['/var/lib/mysql/', '/etc/keystone/fernet-keys/', '/etc/swift/rings/']
    const { code, log } = await ended(await start(leaf(name), { data: folders }))
    expect(code, log).toBe(0)
    expect(log).toContain('(a stand-in)')
  })

  test('fails where what it works on is missing', async () => {
    const files = new Map([['/databases.sql', Buffer.from('-- nothing\n')]])
    const { code } = await ended(await start(leaf('openstack-databases'), { files }))
    expect(code).toBe(1)
  })
})

function leaf(name: string): Leaf {
  const found = tree.leaves.get(name)
  if (found === undefined) throw new Error(`no leaf ${name}`)
  return found
}

interface Changes {
  readonly image?: string
  readonly command?: readonly string[]
  readonly files?: ReadonlyMap<string, Uint8Array>
  readonly data?: readonly string[]
}

/** The leaf's image, environment and files, without its privileges, networks and volumes. */
async function start({ name, spec, fileContents }: Leaf, changes: Changes = {}): Promise<Docker.Container> {
  const command = changes.command ?? spec.command
  const container = await engine.createContainer({
    Image: place(changes.image ?? spec.image),
    Env: Object.entries(spec.environment).map(([key, value]) => `${key}=${value}`),
    ...(command === undefined ? {} : { Cmd: [...command] }),
    HostConfig: { Init: true, NetworkMode: 'none' },
  })
  made.push(container)
  const archive = pack()
  for (const path of changes.data ?? data[name] ?? [])
    archive.entry({ name: path.slice(1), type: path.endsWith('/') ? 'directory' : 'file', mode: 0o755 }, '')
  for (const [path, content] of changes.files ?? fileContents)
    archive.entry({ name: path.slice(1) }, Buffer.from(content))
  archive.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of archive) chunks.push(chunk as Buffer)
  await container.putArchive(Buffer.concat(chunks), { path: '/' })
  await container.start()
  return container
}

/** The exit code of the leaf's own check. */
async function check(container: Docker.Container, { spec }: Leaf): Promise<number> {
  const [form, ...words] = (spec.healthcheck !== undefined && 'test' in spec.healthcheck && spec.healthcheck.test) || []
  return (await run(container, form === 'CMD-SHELL' ? ['/bin/sh', '-c', ...words] : words)).code
}

async function run(container: Docker.Container, command: string[]): Promise<{ code: number; output: string }> {
  const exec = await container.exec({ Cmd: command, AttachStdout: true, AttachStderr: true })
  let output = ''
  for await (const chunk of await exec.start({})) output += String(chunk)
  return { code: (await exec.inspect()).ExitCode ?? -1, output }
}

async function ended(container: Docker.Container): Promise<{ code: number; log: string }> {
  const { StatusCode } = (await container.wait()) as { StatusCode: number }
  return { code: StatusCode, log: String(await container.logs({ stdout: true, stderr: true })) }
}
