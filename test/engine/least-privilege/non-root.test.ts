// graft as an account of its own, without any capability: with the engine's socket by a group, and with nothing but the
// socket of a proxy. It does all that it does for root, and writes nothing outside of its state folder.

import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, lstat, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'

import { engineClient } from '../../../src/demo/engine-address.ts'
import { freePort } from '../../../src/demo/free-port.ts'
import { startGitServer, type GitServer } from '../../../src/demo/git-server.ts'
import { haproxyImage } from '../../../src/demo/haproxy-image.ts'
import { defaultCacheFolder } from '../../../src/demo/host-system.ts'
import { graft } from '../commands/graft.ts'
import { INGRESS_IMAGE } from '../load/load-stage.ts'
import { CHECKED, FOREVER, leaf, setStage, type Seen, type Stage } from '../stage/stage.ts'
import { startEngineHaproxy, type EngineHaproxy } from './engine-haproxy.ts'

const run = promisify(execFile)
const dist = fileURLToPath(new URL('../../../dist/', import.meta.url))
const engineUrl = inject('directEngineUrl')
const docker = engineClient(engineUrl)
const HEALTHY = `touch /tmp/ok; ${FOREVER}`
/** Nobody else on a usual machine has these numbers. */
const ACCOUNT = 64_998
const ENGINE_GROUP = 64_999

/** setpriv(1): the account, no capability now or later, and these further groups. */
function asAccount(groups: readonly number[], command: readonly string[]): string[] {
  const further = groups.length === 0 ? ['--clear-groups'] : [`--groups=${groups.join()}`]
  const ids = [`--reuid=${ACCOUNT}`, `--regid=${ACCOUNT}`]
  return [...ids, ...further, '--inh-caps=-all', '--bounding-set=-all', '--no-new-privs', '--', ...command]
}

const ways = ['through a proxy', 'by the group of the socket'] as const

// Both by `npm run test:privilege`; the usual tests take the one with less.
describe.each(process.env['GRAFT_PRIVILEGE'] === 'every' ? ways : ways.slice(0, 1))('%s', (way) => {
  const groups = way === 'through a proxy' ? [] : [ENGINE_GROUP]
  let folder: string
  let stage: Stage
  let server: GitServer
  let haproxy: EngineHaproxy | null = null
  let daemon: ChildProcess | null = null
  let log = ''
  let url = engineUrl
  let port: number
  let group: number

  const place = () => ['--repo', `${server.url}/site.git`, '--state', join(folder, 'state'), '--engine', url]
  const env = () => ({ PATH: process.env['PATH'], HOME: join(folder, 'state'), NO_COLOR: '1' })

  function startDaemon(): void {
    const args = [join(dist, 'main.js'), 'run', '--poll', '1', '--notes', 'off', '--allow-privileged', ...place()]
    daemon = spawn('setpriv', asAccount(groups, [process.execPath, ...args]), {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: env(),
      cwd: '/',
    })
    daemon.stdout?.on('data', (chunk) => (log += String(chunk)))
    daemon.stderr?.on('data', (chunk) => (log += String(chunk)))
  }
  async function endDaemon(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (daemon === null || daemon.exitCode !== null || daemon.signalCode !== null) return
    const exit = once(daemon, 'exit')
    daemon.kill(signal)
    await exit
  }
  async function push(files: Readonly<Record<string, string | null>>): Promise<void> {
    await stage.commit(files)
    await stage.git('push', '-q', join(folder, 'served', 'site.git'), 'HEAD:main')
  }
  async function settled(generation: number): Promise<void> {
    const until = performance.now() + 60_000
    const good = (seen: Record<string, Seen>) =>
      ['web', 'store'].every((name) => seen[name]?.generation === String(generation) && seen[name].state === 'running')
    for (;;) {
      const seen = await stage.containers()
      if (!Object.keys(seen).some((name) => /\.(next|prev)/.test(name)) && good(seen)) break
      if (performance.now() > until) throw new Error(`${JSON.stringify(seen, null, 1)}\n${log.slice(-4000)}`)
      await sleep(100)
    }
    const answer = async () => {
      const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } }).catch(() => null)
      return (await response?.text())?.trim()
    }
    await expect.poll(answer, { timeout: 20_000 }).toBe(String(generation))
  }
  const files = (n: number) => ({
    'web.yaml': leaf(
      n,
      `mkdir -p /www; echo ${n} > /www/index.html; exec httpd -f -p 8080 -h /www`,
      `ports: [{target: 8080, published: ${port}, host_ip: 127.0.0.1, http: true}]\nhealthcheck: {http: {port: 8080}, interval: 1s}\nupdate: {drain: 1s}\n`,
    ),
    'store.yaml': leaf(
      n,
      HEALTHY,
      `${CHECKED}environment: {N: "${n}"}\nvolumes: ["data:/data"]\nstop_grace_period: 2s\nfiles:\n  /etc/store.conf: {source: ./store.conf, uid: 4242, gid: 4243, mode: "0440"}\n`,
    ),
    'store.conf': 'a: 1\n',
    'migrate.yaml': leaf(n, 'echo done', 'kind: job\n'),
  })

  beforeAll(async () => {
    await haproxyImage(docker, { reference: INGRESS_IMAGE, folder: defaultCacheFolder(process.env) })
    folder = await mkdtemp(join(tmpdir(), 'graft-account-'))
    await chmod(folder, 0o755)
    const socket = engineUrl.slice('unix://'.length)
    ;({ gid: group } = await stat(socket))
    if (way === 'through a proxy') {
      haproxy = await startEngineHaproxy({ engineUrl, folder: join(folder, 'proxy'), user: ACCOUNT })
      url = haproxy.url
    } else await chown(socket, 0, ENGINE_GROUP)
    await mkdir(join(folder, 'state'), { mode: 0o700 })
    await chown(join(folder, 'state'), ACCOUNT, ACCOUNT)
    port = await freePort()
    const checkPort = await freePort()
    stage = await setStage({
      engineUrl,
      deployment: `ingress: {image: "${INGRESS_IMAGE}", generation: 1, ipv6: false, check_port: ${checkPort}}\nvolumes: {data: {}}\n`,
    })
    await mkdir(join(folder, 'served'))
    await stage.git('init', '-q', '--bare', '-b', 'main', join(folder, 'served', 'site.git'))
    server = await startGitServer({ folder: join(folder, 'served') })
  })
  afterAll(async () => {
    await endDaemon('SIGTERM')
    await haproxy?.stop()
    await chown(engineUrl.slice('unix://'.length), 0, group)
    await server.stop()
    await stage.end()
    await rm(folder, { recursive: true, force: true })
  })

  it('launches, swaps, is killed and goes on', { timeout: 180_000 }, async () => {
    await push(files(1))
    startDaemon()
    await settled(1)
    const { Uid: uid } = await processStatus(daemon)
    expect(uid?.split(/\s+/)).toEqual(Array.from({ length: 4 }, () => String(ACCOUNT)))
    expect((await processStatus(daemon))['CapEff']).toBe('0000000000000000')
    await push(files(2))
    await settled(2)
    await endDaemon('SIGKILL')
    await push(files(3))
    startDaemon()
    await settled(3)
    const listing = await stage.container('store').exec({ Cmd: ['ls', '-n', '/etc/store.conf'], AttachStdout: true })
    const stream = await listing.start({})
    let text = ''
    for await (const chunk of stream) text += String(chunk)
    expect(text).toMatch(/-r--r----- +1 4242 +4243 /)
  })

  it('says what to do where the socket is not for it', async () => {
    const args = [join(dist, 'main.js'), 'apply', '--repo', `${server.url}/site.git`, '--state', join(folder, 'state')]
    const command = asAccount([], [process.execPath, ...args, '--engine', engineUrl])
    const failed = await run('setpriv', command, { env: env(), cwd: '/' }).then(
      ({ stdout }) => stdout,
      (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
    )
    expect(failed).toContain('no permission for the socket of the engine')
    expect(failed).toContain('or add its user to the group docker')
  })

  it('answers commands of its own account, and tells root to be that account', async () => {
    const own = await run(
      'setpriv',
      asAccount(groups, [process.execPath, join(dist, 'main.js'), 'status', ...place()]),
      {
        env: env(),
        cwd: '/',
      },
    )
    expect(own.stdout).toContain('store')
    const root = await graft('/', ['status', ...place()])
    expect(root.exitCode).toBe(1)
    expect(root.output).toContain(`belongs to the account ${ACCOUNT}`)
    expect(root.output).toContain(`sudo -u '#${ACCOUNT}' graft`)
  })

  it('sees the open connections of a container that runs as root', async () => {
    const { Id: id, NetworkSettings: settings } = await stage.container('web').inspect()
    const address = Object.values(settings.Networks)[0]?.IPAddress ?? ''
    const client = connect({ host: address, port: 8080 })
    await once(client, 'connect')
    const script = `
      const { connectEngine } = await import(${JSON.stringify(join(dist, 'engine/connect.js'))})
      const { openConnections } = await import(${JSON.stringify(join(dist, 'engine/open-connections.js'))})
      const connection = await connectEngine(${JSON.stringify(url)})
      console.log(await openConnections(connection, ${JSON.stringify(id)}))
      connection.close()`
    const node = [process.execPath, '--input-type=module', '-e', script]
    const { stdout } = await run('setpriv', asAccount(groups, node), { env: env(), cwd: '/' })
    client.destroy()
    expect(stdout.trim()).toBe('1')
  })

  it('writes nothing outside of its state folder, and there for nobody else', async () => {
    const entries = await readdir(join(folder, 'state'), { recursive: true })
    expect(entries.length).toBeGreaterThan(5)
    expect((await lstat(join(folder, 'state'))).mode & 0o077).toBe(0)
    for (const entry of entries) expect((await lstat(join(folder, 'state', entry))).uid).toBe(ACCOUNT)
    for (const name of ['host.key']) expect((await lstat(join(folder, 'state', name))).mode & 0o077).toBe(0)
    const outside = ['/tmp', '/var/tmp', '/run', '/dev/shm', '/home', '/opt', '/etc']
    // What an earlier run that was killed left behind is older.
    const own = [
      '-xdev',
      '-user',
      String(ACCOUNT),
      '-newer',
      join(folder, 'served', 'site.git', 'description'),
      '-print',
    ]
    const { stdout } = await run('find', [...outside, ...own]).catch(
      // find(1) says so with its exit code where a folder went away meanwhile.
      (error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }),
    )
    const allowed = [join(folder, 'state'), join(folder, 'proxy')]
    const found = stdout.split('\n').filter((path) => path !== '' && !allowed.some((one) => path.startsWith(one)))
    expect(found).toEqual([])
  })
})

async function processStatus(child: ChildProcess | null): Promise<Record<string, string>> {
  const { stdout } = await run('cat', [`/proc/${child?.pid ?? 0}/status`])
  return Object.fromEntries(
    stdout.split('\n').flatMap((line) => {
      const [name = '', value = ''] = line.split(/:\s*/, 2)
      return name === '' ? [] : [[name, value.trim()]]
    }),
  )
}
