// A real image registry (Debian's docker-registry) on the loopback address, with its data in a folder. An engine on
// the same machine pushes and pulls over plain HTTP there, as it does for all of 127.0.0.0/8.

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fetchPackages } from './debian-packages.ts'
import { programIn } from './engine-software.ts'
import { freePort } from './free-port.ts'
import { GroundFault } from './ground-fault.ts'
import { defaultCacheFolder } from './host-system.ts'

/** The one account of a registry with `withPassword`. No secret: it guards nothing but tests. */
export const registryAccount = { username: 'graft', password: 'graft-test' } as const

/** bcrypt of the password above, the one form that docker-registry takes. */
const htpasswd = `${registryAccount.username}:$2y$04$4raftTestRegistryPassutXFlhfBzlu5G5J9dw5.4HURIhP0N2wa\n`

export interface RegistryOptions {
  /** Holds images, configuration and log; made where it is missing. */
  readonly folder: string
  /** Absent: a free one. */
  readonly port?: number
  /** Asks for `registryAccount` on every call. */
  readonly withPassword?: boolean
  /** Asks for a token of this server on every call (Distribution, "Token Authentication"). */
  readonly tokens?: TokenServer
  readonly cacheFolder?: string
}

export interface TokenServer {
  /** Its address, which the registry gives to clients. */
  readonly realm: string
  readonly service: string
  readonly issuer: string
  /** File with the certificate (PEM) of the key that signs the tokens. */
  readonly rootcertbundle: string
}

export interface Registry {
  /** `127.0.0.1:PORT`, what stands before the first slash of an image reference. */
  readonly address: string
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly port: number
  /** Images stay in the folder. */
  stop(): Promise<void>
}

/** Resolves when the registry answers. It ends with this process at the latest. Throws GroundFault. */
export async function startRegistry(options: RegistryOptions): Promise<Registry> {
  const folder = resolve(options.folder)
  const cacheFolder = options.cacheFolder ?? defaultCacheFolder(process.env)
  const { root } = await fetchPackages({ suite: 'host', packages: [{ name: 'docker-registry' }] }, cacheFolder)
  const program = await programIn(root, 'docker-registry')
  await mkdir(join(folder, 'images'), { recursive: true })
  if (options.withPassword === true) await writeFile(join(folder, 'htpasswd'), htpasswd)

  // A port that was free a moment ago may be taken by now.
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort())
    const child = await launch(program, folder, port, options)
    if (await answers(child, port)) {
      const stop = async (): Promise<void> => {
        if (child.exitCode !== null || child.signalCode !== null) return
        const ended = new Promise((done) => child.once('exit', done))
        child.kill('SIGKILL')
        await ended
      }
      return { address: `127.0.0.1:${port}`, url: `http://127.0.0.1:${port}`, port, stop }
    }
    child.kill('SIGKILL')
    if (attempt === 3 || options.port !== undefined) {
      const log = (await readFile(join(folder, 'registry.log'), 'utf8')).trim().split('\n').slice(-3).join('\n')
      throw new GroundFault(`The registry did not come up on port ${port}:\n${log}`, 'Choose another port, or none.')
    }
  }
}

async function launch(
  program: string,
  folder: string,
  port: number,
  { withPassword = false, tokens }: RegistryOptions,
): Promise<ChildProcess> {
  const configuration = {
    version: '0.1',
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(folder, 'images') }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${port}`, secret: 'graft-test' },
    ...(tokens === undefined ? {} : { auth: { token: tokens } }),
    ...(withPassword ? { auth: { htpasswd: { realm: 'graft', path: join(folder, 'htpasswd') } } } : {}),
  }
  // JSON is YAML too.
  const file = join(folder, `config-${port}.yml`)
  await writeFile(file, JSON.stringify(configuration))
  const log = await open(join(folder, 'registry.log'), 'a')
  // setpriv has the kernel end it when this process dies, however that happens.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, 'serve', file], {
    stdio: ['ignore', log.fd, log.fd],
  })
  await log.close()
  // A program that cannot be started shows as an exit code below.
  child.once('error', () => undefined)
  return child
}

async function answers(child: ChildProcess, port: number): Promise<boolean> {
  const deadline = performance.now() + 10_000
  while (performance.now() < deadline && child.exitCode === null && child.pid !== undefined) {
    const status = await fetch(`http://127.0.0.1:${port}/v2/`).then(
      (response) => response.status,
      () => 0,
    )
    // Another program on this port would answer while ours has already failed to listen.
    if (status === 200 || status === 401) {
      await sleep(20)
      return child.exitCode === null
    }
    await sleep(20)
  }
  return false
}
