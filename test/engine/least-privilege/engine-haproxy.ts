// A real HAProxy in front of an engine's socket, with the configuration that graft itself writes.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chown, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { engineProxyLines } from '../../../src/report/engine-proxy.ts'
import { debianProgram } from '../../debian-program.ts'

export interface EngineHaproxy {
  /** `unix://…` */
  readonly url: string
  /** What it refused so far: `GET /v1.45/secrets`. */
  refused(): readonly string[]
  stop(): Promise<void>
}

export interface HaproxyOptions {
  /** `unix://…`, the engine itself. */
  readonly engineUrl: string
  readonly folder: string
  /** The number of the account that may use the new socket; root where it is left out. */
  readonly user?: number
  /** Rules before all others. */
  readonly first?: readonly string[]
}

/** HAProxy itself runs as `nobody`, in the group of the engine's socket. */
export async function startEngineHaproxy(options: HaproxyOptions): Promise<EngineHaproxy> {
  const { file, env } = await debianProgram('haproxy', 'haproxy')
  await mkdir(options.folder, { recursive: true })
  const socket = join(options.folder, 'graft.sock')
  const configuration = join(options.folder, 'engine.cfg')
  const place = {
    engine: options.engineUrl.replace(/^unix:\/\//, ''),
    socket,
    user: 'root',
    account: 'nobody',
    group: 'root',
  }
  const lines = engineProxyLines(place)
  const bind = lines.findIndex((line) => line.includes(' bind '))
  lines.splice(bind + 1, 0, ...(options.first ?? []))
  await writeFile(configuration, `${lines.join('\n')}\n`)
  await rm(socket, { force: true })
  const child = spawn(file, ['-db', '-f', configuration], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  let log = ''
  child.stdout.on('data', (chunk) => (log += String(chunk)))
  child.stderr.on('data', (chunk) => (log += String(chunk)))
  const until = performance.now() + 10_000
  while (!existsSync(socket)) {
    if (child.exitCode !== null || performance.now() > until) throw new Error(`HAProxy did not start: ${log}`)
    await sleep(20)
  }
  // HAProxy takes names only, and this account may have none.
  if (options.user !== undefined) await chown(socket, options.user, 0)
  return {
    url: `unix://${socket}`,
    // Termination state PR: refused by the proxy, in the phase of the request (HAProxy, 8.5).
    refused: () => log.split('\n').flatMap((line) => / PR-- .*"([A-Z]+ \S+)/.exec(line)?.[1] ?? []),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exit = once(child, 'exit')
      child.kill('SIGKILL')
      await exit
    },
  }
}
