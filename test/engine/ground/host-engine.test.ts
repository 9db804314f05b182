// The engine that the other tests stand on starts what the example repository asks for, and engines brought up side
// by side stay apart, survive a kill, and leave nothing behind.

import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, readFile, readlink, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { engineClient, findEngine } from '../../../src/demo/engine-address.ts'
import { mark } from '../../../src/demo/engine-process.ts'
import { bringUpEngine } from '../../../src/demo/host-engine.ts'
import type { HostEngine } from '../../../src/demo/host-engine.ts'
import { processFacts, processesMarked } from '../../../src/demo/process-tree.ts'
import { standInImage } from '../../../src/demo/stand-in-images.ts'

const image = 'graft-test/base:1'

// dockerode's types lack this one field (Engine API, ContainerCreate).
type HostConfig = Docker.HostConfig & { readonly CgroupnsMode?: 'host' | 'private' }

/** Runs a container to its end; resolves to what it said. Throws where it does not exit with 0. */
async function run(docker: Docker, command: readonly string[], HostConfig: HostConfig): Promise<string> {
  const container = await docker.createContainer({ Image: image, Cmd: [...command], HostConfig, Tty: true })
  try {
    await container.start()
    const { StatusCode } = (await container.wait()) as { StatusCode: number }
    const said = (await container.logs({ stdout: true, stderr: true })).toString().replaceAll('\r', '').trim()
    if (StatusCode !== 0) throw new Error(`exit ${StatusCode}: ${said}`)
    return said
  } finally {
    await container.remove({ force: true, v: true })
  }
}

function dockerdOf(engine: HostEngine): number {
  if (engine.pid === null) throw new Error('The engine does not run.')
  return engine.pid
}

describe('the shared engine', () => {
  const docker = engineClient(inject('engineUrl'))

  test('is found at its address, and nothing is found where no engine is', async () => {
    const found = await findEngine({ DOCKER_HOST: inject('engineUrl') })
    expect(found?.url).toBe(inject('engineUrl'))
    expect(Number(found?.apiVersion)).toBeGreaterThanOrEqual(1.41)
    expect(await findEngine({ DOCKER_HOST: 'unix:///nowhere/docker.sock' })).toBeNull()
  })

  test('runs a process under an init that reaps', async () => {
    expect(await run(docker, ['cat', '/proc/1/cmdline'], { Init: true })).toContain('docker-init')
  })

  test('runs privileged in all of the host’s namespaces', async () => {
    const links = ['pid', 'ipc', 'net', 'cgroup'].map((name) => `readlink /proc/self/ns/${name}`).join('; ')
    const seen = await run(docker, ['sh', '-c', `${links}; grep CapEff /proc/self/status`], {
      Privileged: true,
      PidMode: 'host',
      IpcMode: 'host',
      NetworkMode: 'host',
      CgroupnsMode: 'host',
    })
    const own = await Promise.all(['pid', 'ipc', 'net', 'cgroup'].map((name) => readlink(`/proc/self/ns/${name}`)))
    expect(seen.split('\n').slice(0, 4)).toEqual(own)
    const capabilities = /CapEff:\s*(\w+)/.exec(await readFile('/proc/self/status', 'utf8'))?.[1]
    expect(seen).toContain(capabilities)
  })

  test('gives all capabilities', async () => {
    const seen = await run(docker, ['grep', 'CapEff', '/proc/self/status'], { CapAdd: ['ALL'] })
    expect(seen).toContain(/CapEff:\s*(\w+)/.exec(await readFile('/proc/self/status', 'utf8'))?.[1])
  })

  test('binds the host paths of a compute node, shared ones included', async () => {
    const mounts = await run(docker, ['sh', '-c', 'test -c /dev/null && cat /proc/self/mountinfo'], {
      Privileged: true,
      PidMode: 'host',
      NetworkMode: 'host',
      CgroupnsMode: 'host',
      Binds: [
        '/lib/modules:/lib/modules:ro',
        '/run:/run:shared',
        '/run/netns:/run/netns:shared',
        '/run/openvswitch:/run/openvswitch:shared',
        '/dev:/dev',
        '/sys/fs/cgroup:/sys/fs/cgroup',
      ],
    })
    const at = (path: string): string => mounts.split('\n').find((line) => line.split(' ')[4] === path) ?? ''
    for (const path of ['/run', '/run/netns', '/run/openvswitch']) expect(at(path)).toMatch(/ shared:\d+ /)
    expect(at('/lib/modules').split(' ')[5]).toMatch(/^ro,/)
    expect(at('/dev')).toContain('devtmpfs')
  })

  test('resolves names on a network and publishes ports', async () => {
    const network = await docker.createNetwork({ Name: 'graft-ground-test' })
    const server = await docker.createContainer({
      Image: image,
      name: 'graft-ground-web',
      Cmd: ['sh', '-c', 'echo found > /tmp/index.html && exec httpd -f -p 8080 -h /tmp'],
      ExposedPorts: { '8080/tcp': {} },
      HostConfig: {
        NetworkMode: 'graft-ground-test',
        PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] },
      },
    })
    try {
      await server.start()
      const said = await run(docker, ['nslookup', 'graft-ground-web'], { NetworkMode: 'graft-ground-test' })
      const facts = await server.inspect()
      expect(said).toContain(facts.NetworkSettings.Networks['graft-ground-test']?.IPAddress)
      const port = facts.NetworkSettings.Ports['8080/tcp']?.[0]?.HostPort
      expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('found\n')
    } finally {
      await server.remove({ force: true })
      await network.remove()
    }
  })
})

describe('a second engine beside it, the oldest that is served', () => {
  let folder: string
  let engine: HostEngine
  let docker: Docker

  beforeAll(async () => {
    folder = await mkdtemp('/var/tmp/graft-ground-old-')
    engine = await bringUpEngine({ suite: 'bookworm', folder })
    docker = engineClient(engine.url)
    await standInImage(docker, { reference: image })
  })
  afterAll(async () => {
    await engine?.remove()
    await rm(folder, { recursive: true, force: true })
  })

  test('is 20.10 with API 1.41 and another engine than the shared one', async () => {
    expect(engine.version).toMatch(/^20\.10\./)
    expect(engine.apiVersion).toBe('1.41')
    const shared = engineClient(inject('engineUrl'))
    expect((await docker.info()).ID).not.toBe((await shared.info()).ID)
  })

  test('gives its networks other addresses than the shared engine does', async () => {
    const shared = engineClient(inject('engineUrl'))
    const networks = await Promise.all([docker, shared].map((one) => one.createNetwork({ Name: 'graft-ground-both' })))
    const details = await Promise.all(networks.map((network) => network.inspect()))
    const subnets = details.map((detail) => (detail as Docker.NetworkInspectInfo).IPAM?.Config?.[0]?.Subnet)
    await Promise.all(networks.map((network) => network.remove()))
    expect(subnets[0]).toMatch(/^10\./)
    expect(subnets[0]).not.toBe(subnets[1])
  })

  test('comes back after a kill with its data and its `always` containers', async () => {
    const container = await docker.createContainer({
      Image: image,
      name: 'graft-ground-always',
      Cmd: ['sleep', '1000'],
      HostConfig: { Init: true, RestartPolicy: { Name: 'always' } },
    })
    await container.start()
    const before = (await container.inspect()).State.Pid
    await engine.kill()
    expect(engine.pid).toBeNull()
    expect((await processFacts(before))?.state).not.toBe('Z')
    expect(await findEngine({ DOCKER_HOST: engine.url })).toBeNull()
    await engine.start()
    await expect.poll(async () => (await container.inspect()).State.Running, { timeout: 10_000 }).toBe(true)
    expect((await container.inspect()).State.Pid).not.toBe(before)
  })

  test('is used again by the next bring-up', async () => {
    const again = await bringUpEngine({ suite: 'bookworm', folder: engine.folder })
    expect(again.reused).toBe(true)
    expect(again.pid).toBe(engine.pid)
  })

  test('is cleared up by the next bring-up when it died with its containers running', async () => {
    const container = docker.getContainer('graft-ground-always')
    const orphan = (await container.inspect()).State.Pid
    const orphanStart = (await processFacts(orphan))?.startTime
    process.kill(dockerdOf(engine), 'SIGKILL')
    engine = await bringUpEngine({ suite: 'bookworm', folder: engine.folder })
    expect(engine.reused).toBe(false)
    const now = await processFacts(orphan)
    expect(now === null || now.state === 'Z' || now.startTime !== orphanStart).toBe(true)
    await expect.poll(async () => (await container.inspect()).State.Running, { timeout: 10_000 }).toBe(true)
  })

  test('leaves no process, interface or control group when it stops', async () => {
    const network = await docker.createNetwork({ Name: 'graft-ground-left' })
    const bridge = `br-${network.id.slice(0, 12)}`
    expect(readdirSync('/sys/class/net')).toContain(bridge)
    const state = JSON.parse(await readFile(join(engine.folder, 'engine.json'), 'utf8')) as {
      network: { bridge: string }
    }
    expect((await processesMarked(mark, engine.folder)).map(({ pid }) => pid)).toContain(dockerdOf(engine))
    await engine.stop()
    expect(engine.pid).toBeNull()
    expect(await processesMarked(mark, engine.folder)).toEqual([])
    const interfaces = readdirSync('/sys/class/net')
    expect(interfaces).not.toContain(bridge)
    expect(interfaces).not.toContain(state.network.bridge)
    expect(existsSync(`/sys/fs/cgroup/pids/${state.network.bridge}`)).toBe(false)
    expect(existsSync(`/sys/fs/cgroup/${state.network.bridge}`)).toBe(false)

    await engine.start()
    expect((await docker.listNetworks()).map(({ Name }) => Name)).toContain('graft-ground-left')
  })
})
