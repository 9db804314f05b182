// Asks an address whether a Docker Engine answers there, and says what to do where none does.

import { access, constants } from 'node:fs/promises'
import Docker from 'dockerode'
import { hostSystem } from './host-system.ts'

export interface EngineAnswer {
  /** `26.1.5+dfsg1` */
  readonly version: string
  /** `1.45` */
  readonly apiVersion: string
}

export interface FoundEngine extends EngineAnswer {
  /** `unix:///var/run/docker.sock`, `tcp://host:2375` */
  readonly url: string
}

/** A dockerode client for the address. `timeout` in milliseconds; absent: none. */
export function engineClient(url: string, timeout?: number): Docker {
  const address = new URL(url)
  const limit = timeout === undefined ? {} : { timeout }
  if (address.protocol === 'unix:') return new Docker({ socketPath: decodeURIComponent(address.pathname), ...limit })
  return new Docker({
    protocol: address.protocol === 'https:' ? 'https' : 'http',
    host: address.hostname,
    port: address.port === '' ? 2375 : Number(address.port),
    ...limit,
  })
}

/** null where no engine answers within `timeout` milliseconds. */
export async function pingEngine(url: string, timeout: number): Promise<EngineAnswer | null> {
  try {
    const version = await engineClient(url, timeout).version()
    return { version: version.Version, apiVersion: version.ApiVersion }
  } catch {
    return null
  }
}

/** The engine at DOCKER_HOST or else at the usual socket; null where none answers. */
export async function findEngine(env: NodeJS.ProcessEnv): Promise<FoundEngine | null> {
  const chosen = env['DOCKER_HOST']
  const url = chosen === undefined || chosen === '' ? 'unix:///var/run/docker.sock' : chosen
  if (!URL.canParse(url)) return null
  const answer = await pingEngine(url, 3_000)
  return answer === null ? null : { url, ...answer }
}

/**
 * What to do when no engine answers and none can be brought up, one sentence a line; empty where one can be brought
 * up here (root on Debian or Ubuntu).
 */
export async function explainNoEngine(env: NodeJS.ProcessEnv = process.env): Promise<readonly string[]> {
  const host = await hostSystem()
  const canFetch = host.distribution === 'debian' || host.distribution === 'ubuntu'
  if (host.isRoot && canFetch) return []
  const chosen = env['DOCKER_HOST']
  const lines: string[] = []
  if (chosen !== undefined && chosen !== '') lines.push(`No Docker Engine answers at DOCKER_HOST (${chosen}).`)
  else if (await denied('/var/run/docker.sock')) {
    lines.push(
      'There is a Docker Engine at /var/run/docker.sock, but this user may not talk to it.',
      'Run `sudo usermod -aG docker $USER` and log in again, or run this command with sudo.',
    )
    return lines
  } else lines.push('No Docker Engine answers at /var/run/docker.sock.')
  if (canFetch)
    lines.push(
      'Run this command as root: it then brings up an engine of its own from Debian packages and removes it at the end.',
      'Or install one (`sudo apt-get install docker.io`) and allow this user to use it (`sudo usermod -aG docker $USER`, then log in again).',
    )
  else
    lines.push(
      `An engine can only be brought up by this command on Debian or Ubuntu; this is ${host.prettyName}.`,
      'Start Docker Engine or Docker Desktop (https://docs.docker.com/engine/install/), or set DOCKER_HOST to one that runs.',
    )
  return lines
}

async function denied(path: string): Promise<boolean> {
  return access(path, constants.R_OK | constants.W_OK).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'EACCES',
  )
}
