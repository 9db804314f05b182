// Where the engine is: a flag, DOCKER_HOST, Docker's current context, or the usual socket, in this order.

import { createHash } from 'node:crypto'
import { access, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'

import { EngineFault } from '../apply/engine.ts'

export interface EngineAddress {
  /** `unix://`, `tcp://`, `http://`, `https://` or `ssh://`. */
  readonly url: string
  /** Folder with `ca.pem`, `cert.pem` and `key.pem`; null: no TLS of Docker's own. */
  readonly certificates: string | null
  /** false: the engine's certificate is not checked against `ca.pem`. */
  readonly verify: boolean
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The engine's address as Docker's own client would find it (`docker context`, DOCKER_HOST, DOCKER_CONTEXT,
 * DOCKER_CERT_PATH, DOCKER_TLS_VERIFY), and Podman's sockets behind Docker's. Rejects with an EngineFault `unreachable`
 * where a named context does not exist.
 */
export async function resolveEngineUrl(env: Environment, flag?: string): Promise<EngineAddress> {
  const verify = (env['DOCKER_TLS_VERIFY'] ?? '') !== ''
  const certificates = env['DOCKER_CERT_PATH'] || (verify ? join(homedir(), '.docker') : null)
  const named = flag || env['DOCKER_HOST']
  if (named) return { url: named, certificates: named.startsWith('unix:') ? null : certificates, verify }

  const folder = env['DOCKER_CONFIG'] || join(homedir(), '.docker')
  const context = env['DOCKER_CONTEXT'] || (await currentContext(folder))
  if (context !== null && context !== 'default') return contextAddress(folder, context)
  return { url: await usualSocket(env), certificates: null, verify: false }
}

async function currentContext(folder: string): Promise<string | null> {
  const name = stringAt(await readJson(join(folder, 'config.json')), 'currentContext')
  return name === null || name === '' ? null : name
}

/** Contexts lie in folders named by the SHA-256 of their name. */
async function contextAddress(folder: string, context: string): Promise<EngineAddress> {
  const id = createHash('sha256').update(context).digest('hex')
  const meta = await readJson(join(folder, 'contexts', 'meta', id, 'meta.json'))
  const endpoint = at(at(meta, 'Endpoints'), 'docker')
  const url = stringAt(endpoint, 'Host')
  if (url === null) {
    throw new EngineFault(
      'unreachable',
      `Docker's context ${context} is not known in ${folder}`,
      'Choose another one with docker context use, or name the engine with --engine',
    )
  }
  const certificates = join(folder, 'contexts', 'tls', id, 'docker')
  const secured = await exists(join(certificates, 'ca.pem'))
  return { url, certificates: secured ? certificates : null, verify: at(endpoint, 'SkipTLSVerify') !== true }
}

async function usualSocket(env: Environment): Promise<string> {
  const runtime = env['XDG_RUNTIME_DIR']
  const candidates = [
    '/var/run/docker.sock',
    ...(runtime ? [join(runtime, 'docker.sock')] : []),
    join(homedir(), '.docker', 'run', 'docker.sock'),
    ...(runtime ? [join(runtime, 'podman', 'podman.sock')] : []),
    '/run/podman/podman.sock',
  ]
  for (const path of candidates) if (await exists(path)) return `unix://${path}`
  return 'unix:///var/run/docker.sock'
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    (error: unknown) => at(error, 'code') === 'EACCES',
  )
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch {
    return null
  }
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && key in value
    ? (value as Record<string, unknown>)[key]
    : undefined
}

function stringAt(value: unknown, key: string): string | null {
  const found = at(value, key)
  return typeof found === 'string' ? found : null
}
