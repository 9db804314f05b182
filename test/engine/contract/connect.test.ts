// Connections to a real engine by each kind of address, and to what is none.

import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { connect as connectSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHash } from 'node:crypto'

import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'

import { EngineFault } from '../../../src/apply/engine.ts'
import { callEngine } from '../../../src/engine/call.ts'
import { connectEngine } from '../../../src/engine/connect.ts'
import { resolveEngineUrl } from '../../../src/engine/engine-address.ts'

describe('a connection', () => {
  const servers: Server[] = []
  let folder = ''
  const path = process.env['PATH']

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'graft-connect-'))
  })

  afterAll(async () => {
    await rm(folder, { recursive: true })
  })

  afterEach(async () => {
    process.env['PATH'] = path
    delete process.env['DOCKER_HOST']
    for (const server of servers.splice(0)) server.close()
  })

  async function faultOf(url: string): Promise<EngineFault> {
    const error: unknown = await connectEngine(url).then(
      () => null,
      (reason: unknown) => reason,
    )
    if (!(error instanceof EngineFault)) throw new Error(`no EngineFault but ${String(error)}`)
    expect(error.kind).toBe('unreachable')
    expect(error.remedy).not.toBe('')
    expect(error.message).not.toContain('\n')
    return error
  }

  /** Listens on a free port; `meet` has each connection. */
  async function listen(meet: (socket: import('node:net').Socket) => void): Promise<number> {
    const server = createServer(meet)
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  function socketPath(): string {
    return inject('engineUrl').slice('unix://'.length)
  }

  it('over the socket agrees on a version and knows the engine', async () => {
    const connection = await connectEngine(inject('engineUrl'))
    expect(connection.facts).toMatchObject({
      url: inject('engineUrl'),
      os: 'linux',
      product: 'docker',
      addressesReachable: true,
    })
    expect(connection.facts.id).not.toBe('')
    expect(connection.facts.apiVersion).toMatch(/^1\.(4[1-9]|5[01])$/)
    connection.close()
  })

  it('over TCP is to an engine elsewhere, whatever DOCKER_HOST says', async () => {
    process.env['DOCKER_HOST'] = 'unix:///nowhere.sock'
    const port = await listen((socket) => {
      const engine = connectSocket(socketPath())
      socket.pipe(engine).pipe(socket)
      socket.on('error', () => engine.destroy())
      engine.on('error', () => socket.destroy())
    })
    const connection = await connectEngine(`tcp://127.0.0.1:${port}`)
    expect(connection.facts.addressesReachable).toBe(false)
    connection.close()
  })

  it('over SSH uses the person’s ssh, once for many calls', async () => {
    // Stands for ssh and for `docker system dial-stdio` behind it: what they do is pass bytes to the socket.
    const log = join(folder, 'ssh.log')
    await writeFile(
      join(folder, 'ssh'),
      `#!${process.execPath}
      require('node:fs').appendFileSync(${JSON.stringify(log)}, process.argv.slice(2).join(' ') + '\\n')
      const socket = require('node:net').connect(${JSON.stringify(socketPath())})
      process.stdin.pipe(socket).pipe(process.stdout)`,
    )
    await chmod(join(folder, 'ssh'), 0o755)
    process.env['PATH'] = `${folder}:${path}`
    const connection = await connectEngine('ssh://me@engine.example:2222')
    for (let i = 0; i < 3; i++) await callEngine(connection, 'list', { path: '/containers/json' })
    connection.close()
    const { readFile } = await import('node:fs/promises')
    expect(await readFile(log, 'utf8')).toBe(
      '-o BatchMode=yes -T -p 2222 -- me@engine.example docker system dial-stdio\n',
    )
  })

  it('over SSH fails with what ssh says', async () => {
    const bin = join(folder, 'bin')
    await mkdir(bin)
    process.env['PATH'] = bin
    expect((await faultOf('ssh://engine.example')).message).toMatch(/no program ssh/)
    await writeFile(
      join(bin, 'ssh'),
      '#!/bin/sh\necho "me@engine.example: Permission denied (publickey)." >&2\nexit 255\n',
    )
    await chmod(join(bin, 'ssh'), 0o755)
    expect((await faultOf('ssh://engine.example')).message).toMatch(/Permission denied \(publickey\)/)
  })

  it('fails in one sentence where there is no engine', async () => {
    expect((await faultOf('unix:///nowhere/docker.sock')).message).toMatch(/no such socket/)
    expect((await faultOf('tcp://127.0.0.1:1')).message).toMatch(/refuses connections/)
    expect((await faultOf('tcp://engine.invalid:2375')).message).toMatch(/name|reached/)
    expect((await faultOf('gopher://x')).message).toMatch(/does not name an engine/)
    expect((await faultOf('nonsense')).message).toMatch(/does not name an engine/)
    expect((await faultOf('unix://relative.sock')).message).toMatch(/not absolute/)
  })

  it('fails where something else answers', async () => {
    const port = await listen((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}'))
    })
    expect((await faultOf(`tcp://127.0.0.1:${port}`)).message).toMatch(/not a Docker Engine/)
  })

  it('fails where the engine is too old', async () => {
    const body = JSON.stringify({ Version: '19.03.15', ApiVersion: '1.40', MinAPIVersion: '1.12' })
    const port = await listen((socket) => {
      socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`))
    })
    expect((await faultOf(`tcp://127.0.0.1:${port}`)).message).toMatch(/too old/)
  })

  it('does not wait for ever for an engine that hangs, before or in its answer', async () => {
    const connection = await connectEngine(inject('engineUrl'))
    for (const greeting of ['', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{']) {
      const port = await listen((socket) => void socket.on('error', () => {}).write(greeting))
      const { default: Docker } = await import('dockerode')
      const docker = new Docker({ host: '127.0.0.1', port, protocol: 'http' })
      const asked = callEngine({ docker, url: 'tcp://slow' }, 'list', { path: '/containers/json', timeout: 200 })
      const fault = await asked.then(
        () => null,
        (error: unknown) => error,
      )
      expect(fault).toBeInstanceOf(EngineFault)
      expect((fault as EngineFault).message).toBe('the engine at tcp://slow does not answer (list)')
    }
    connection.close()
  })

  it('goes where flag, DOCKER_HOST and context say, in this order', async () => {
    const config = join(folder, 'config')
    const id = createHash('sha256').update('remote').digest('hex')
    await mkdir(join(config, 'contexts', 'meta', id), { recursive: true })
    await mkdir(join(config, 'contexts', 'tls', id, 'docker'), { recursive: true })
    await writeFile(join(config, 'config.json'), JSON.stringify({ currentContext: 'remote' }))
    const meta = { Name: 'remote', Endpoints: { docker: { Host: 'tcp://10.0.0.9:2376', SkipTLSVerify: false } } }
    await writeFile(join(config, 'contexts', 'meta', id, 'meta.json'), JSON.stringify(meta))
    await writeFile(join(config, 'contexts', 'tls', id, 'docker', 'ca.pem'), '')
    const env = { DOCKER_CONFIG: config }
    expect(await resolveEngineUrl(env)).toEqual({
      url: 'tcp://10.0.0.9:2376',
      certificates: join(config, 'contexts', 'tls', id, 'docker'),
      verify: true,
    })
    expect((await resolveEngineUrl({ ...env, DOCKER_HOST: 'tcp://b:1' })).url).toBe('tcp://b:1')
    expect((await resolveEngineUrl({ ...env, DOCKER_HOST: 'tcp://b:1' }, 'tcp://c:2')).url).toBe('tcp://c:2')
    expect(
      await resolveEngineUrl({ DOCKER_HOST: 'tcp://b:1', DOCKER_CERT_PATH: '/certs', DOCKER_TLS_VERIFY: '1' }),
    ).toEqual({
      url: 'tcp://b:1',
      certificates: '/certs',
      verify: true,
    })
    await expect(resolveEngineUrl({ ...env, DOCKER_CONTEXT: 'gone' })).rejects.toThrow(/context gone is not known/)
    expect((await resolveEngineUrl({ DOCKER_CONFIG: join(folder, 'none') })).url).toMatch(/^unix:\/\/\//)
  })
})
