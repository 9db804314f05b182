// A deployment behind its ingress, as the real program keeps it: addresses of both families, low ports, HTTP and the
// PROXY protocol, a container that is restarted, the ingress's own upgrade, and two deployments that want one port.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { Container } from 'dockerode'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'

import { defaultCacheFolder } from '../../../src/demo/host-system.ts'
import { engineClient } from '../../../src/demo/engine-address.ts'
import { haproxyImage } from '../../../src/demo/haproxy-image.ts'
import { serviceImage, SERVICE_IMAGE } from '../load/service-image.ts'
import { setStage, type Stage } from '../stage/stage.ts'

const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))
const HAPROXY = 'graft-test/haproxy:1'
const ingress = (generation: number, more = '') => `ingress: {image: "${HAPROXY}", generation: ${generation}${more}}\n`
const PORTS = [
  '{target: 8080, published: 28480, http: true}',
  '{target: 9000, published: 88}',
  '{target: 9000, published: 28481, host_ip: 127.0.0.1, proxy_protocol: true}',
]
const web = (generation: number, ports = PORTS) => `generation: ${generation}
image: ${SERVICE_IMAGE}
environment: {GENERATION: "${generation}"}
ports: [${ports.join(', ')}]
healthcheck: {http: {port: 8080, path: /health}}
update: {drain: 1s}
`

let stage: Stage
let daemon: ChildProcess | null = null
let log = ''

beforeAll(async () => {
  const docker = engineClient(inject('engineUrl'))
  await haproxyImage(docker, { reference: HAPROXY, folder: defaultCacheFolder(process.env) })
  await serviceImage(docker)
  stage = await setStage({ engineUrl: inject('engineUrl'), deployment: ingress(1) })
  await stage.commit({ 'web.yaml': web(1) })
  const options = ['--repo', stage.repo, '--state', join(stage.folder, 'daemon'), '--engine', inject('engineUrl')]
  daemon = spawn(process.execPath, [main, 'run', '--poll', '1', '--allow-privileged', ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  daemon.stdout?.on('data', (chunk) => (log += String(chunk)))
  daemon.stderr?.on('data', (chunk) => (log += String(chunk)))
  await soon(async () => expect(await ask('127.0.0.1').catch(() => null), log).not.toBeNull())
})
afterAll(async () => {
  if (daemon?.exitCode === null) {
    daemon.kill('SIGTERM')
    await once(daemon, 'exit')
  }
  await stage.end()
})

const soon = <T>(check: () => Promise<T>) => vi.waitFor(check, { timeout: 30_000, interval: 100 })

/** What the service answers over HTTP. `timeout`: milliseconds. */
function ask(host: string, timeout = 2_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ host, port: 28480, path: '/', agent: false, timeout }, (response) => {
      let text = ''
      response.on('data', (part) => (text += String(part)))
      response.on('end', () => (response.statusCode === 200 ? resolve(text.trim()) : reject(new Error(text))))
    })
    asked.on('timeout', () => asked.destroy(new Error('no answer')))
    asked.on('error', reject)
    asked.end()
  })
}

/** What comes back for a line over TCP. */
function echo(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect({ host, port }, () => socket.write('hello\n'))
    socket.on('data', (chunk) => {
      text += String(chunk)
      if (text.endsWith('hello\n')) socket.end()
    })
    socket.on('close', () => resolve(text))
    socket.on('error', reject)
  })
}

const generationOf = async (name: string) => (await stage.containers())[name]?.generation

describe('what is published', () => {
  it.each(['127.0.0.1', '::1'])('answers on %s', async (host) => {
    expect(await ask(host)).toBe('1')
    expect(await echo(host, 88)).toBe('1 hello\n')
  })

  it('tells the container who the client is, where it was asked to', async () => {
    // The header of version 2 begins with these bytes; the service echoes it like a line.
    expect(await echo('127.0.0.1', 28481)).toContain('QUIT\n')
    expect(await echo('127.0.0.1', 88)).not.toContain('QUIT')
    await expect(echo('::1', 28481)).rejects.toThrow()
  })

  it('is opened by workers that are not root', async () => {
    const { Processes } = await stage.container('ingress').top({ ps_args: '-o pid,uid,args' })
    const users = (Processes as string[][]).map(([, uid]) => uid)
    expect(users).toContain('99')
    const { HostConfig } = await stage.container('ingress').inspect()
    expect([HostConfig.CapDrop, HostConfig.Privileged]).toEqual([['ALL'], false])
  })
})

describe('a container that is restarted', () => {
  /** Milliseconds from its start until the ingress leads to its new address. `squatters` stay where they are. */
  async function restarted(squatters: Container[]): Promise<number> {
    const before = await stage.container('web').inspect()
    const address = (facts: typeof before) => Object.values(facts.NetworkSettings.Networks)[0]?.IPAddress
    // Whoever comes first takes the address that becomes free; the daemon sleeps until somebody has.
    const squatter = await stage.docker.createContainer({
      Image: 'graft-test/base:1',
      Cmd: ['sleep', '60'],
      HostConfig: { NetworkMode: Object.keys(before.NetworkSettings.Networks)[0] ?? '', AutoRemove: true },
    })
    squatters.push(squatter)
    try {
      daemon?.kill('SIGSTOP')
      await stage.container('web').stop()
      await squatter.start()
    } finally {
      daemon?.kill('SIGCONT')
    }
    await soon(async () => expect((await stage.container('web').inspect()).State.Running, log).toBe(true))
    const after = await stage.container('web').inspect()
    // A request from before the ingress has followed waits for the address of before; the next one is not to wait for it.
    await soon(() => ask('127.0.0.1', 100))
    const took = Date.now() - Date.parse(after.State.StartedAt)
    expect(address(after)).not.toBe(address(before))
    return took
  }

  it('is found at its new address within a second', async () => {
    const squatters: Container[] = []
    try {
      const took = [await restarted(squatters), await restarted(squatters)]
      console.log(`a restarted container answered by the ingress ${took.join(' ms and ')} ms after its start`)
      // The machine may be busy with something else once.
      expect(Math.min(...took)).toBeLessThan(1_000)
    } finally {
      for (const squatter of squatters) await squatter.remove({ force: true })
    }
  })
})

describe('the ingress itself', () => {
  it('is upgraded while clients go on', async () => {
    let asked = 0
    let ended = false
    const failures: string[] = []
    const client = async () => {
      while (!ended) {
        await ask('127.0.0.1').then(
          () => asked++,
          (error: unknown) => failures.push(String(error)),
        )
      }
    }
    const clients = Array.from({ length: 8 }, client)
    const old = (await stage.containers())['ingress']
    await stage.commit({ 'deployment.yaml': stage.deploymentYaml(ingress(2)) }, 'ingress 2')
    await soon(async () => {
      const names = Object.keys(await stage.containers())
      expect([await generationOf('ingress'), names.filter((name) => name.startsWith('ingress.'))], log).toEqual([
        '2',
        [],
      ])
    })
    ended = true
    await Promise.all(clients)
    expect((await stage.containers())['ingress']?.id).not.toBe(old?.id)
    console.log(`the ingress was replaced under ${asked} requests, ${failures.length} lost`)
    expect([asked > 500, failures]).toEqual([true, []])
  })

  it('whose image does not start leaves the old one', async () => {
    const old = (await stage.containers())['ingress']
    const broken = ingress(3).replace(HAPROXY, 'graft-test/base:1')
    await stage.commit({ 'deployment.yaml': stage.deploymentYaml(broken) }, 'ingress 3')
    await soon(async () => expect((await stage.containers())['ingress.failed']?.generation, log).toBe('3'))
    expect((await stage.containers())['ingress']).toEqual(old)
    expect(await ask('127.0.0.1')).toBe('1')
    await stage.git('revert', '--no-edit', 'HEAD')
    await stage.commit({ 'web.yaml': web(2) }, 'web 2')
    await soon(async () => expect(await ask('127.0.0.1')).toBe('2'))
  })

  it('moves its check to another port without a new container', async () => {
    const old = (await stage.containers())['ingress']
    const moved = ingress(2, ', check_port: 1946')
    await stage.commit({ 'deployment.yaml': stage.deploymentYaml(moved) }, 'another check port')
    await soon(async () => {
      expect(await stage.engine.ingressDigest(old?.id ?? '', 1946), log).not.toBeNull()
      const archive = await stage.docker.getContainer(old?.id ?? '').getArchive({ path: '/graft-ingress/haproxy.cfg' })
      let text = ''
      for await (const part of archive) text += String(part)
      expect(text).toContain(':1946\n')
    })
    expect((await stage.containers())['ingress']).toEqual(old)
  })

  it('serves again after somebody restarted it', async () => {
    await stage.container('ingress').restart()
    await soon(async () => expect(await ask('127.0.0.1')).toBe('2'))
  })
})

describe('two deployments that want one port', () => {
  it('are told so, and nothing is touched', async () => {
    const other = await setStage({ engineUrl: inject('engineUrl'), deployment: ingress(1, ', check_port: 1937') })
    try {
      await other.commit({ 'shop.yaml': web(1, PORTS.slice(0, 1)) })
      const { plan } = await other.plan()
      const verdict = plan.verdicts.find(({ leaf }) => leaf === 'shop')
      expect([verdict?.kind, verdict?.because]).toEqual([
        'hold',
        expect.stringMatching(new RegExp(`^the port 28480/tcp is taken by .*${stage.name}`)),
      ])
    } finally {
      await other.end()
    }
  })
})

describe('a leaf that goes', () => {
  it('closes its ports', async () => {
    // An empty tree would wait for a person.
    await stage.commit({ 'web.yaml': null, 'still.yaml': web(1, []) }, 'no web')
    await soon(async () => {
      await expect(ask('127.0.0.1')).rejects.toThrow(/ECONNREFUSED/)
      expect(Object.keys(await stage.containers()), log).not.toContain('web')
    })
  })
})
