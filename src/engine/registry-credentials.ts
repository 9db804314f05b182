// What Docker's own configuration says about logging in to a registry: `auths`, `credHelpers` and `credsStore`.
// Read afresh for each pull, so that a `docker login` counts at once.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EngineFault } from '../apply/engine.ts'
import { askCredentialHelper } from './credential-helper.ts'

/** In the shape that dockerode sends as X-Registry-Auth (Engine API, "Authentication"). */
export interface RegistryAuth {
  readonly serveraddress: string
  readonly username?: string
  readonly password?: string
  readonly identitytoken?: string
  readonly registrytoken?: string
}

export interface RegistryCredentials {
  readonly auth: RegistryAuth
  /** Whose they are, without the secret: `user alice from /root/.docker/config.json`. */
  readonly owner: string
}

/** Docker Hub's key in the configuration file is an address of its first version. */
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/'

/**
 * Credentials for a registry (`quay.io`, `docker.io`, `127.0.0.1:5000`); null where Docker knows none.
 * `configFolder` is $DOCKER_CONFIG or ~/.docker. A helper for this registry comes before the common store, and both
 * before what stands in the file itself. Throws an EngineFault of kind `registry` where the file or a helper is broken.
 */
export async function registryCredentials(configFolder: string, registry: string): Promise<RegistryCredentials | null> {
  const file = join(configFolder, 'config.json')
  const config = await readConfig(file)
  const key = registry === 'docker.io' ? DOCKER_HUB_KEY : registry
  const helpers = objectAt(config, 'credHelpers')
  const helper = textAt(helpers, key) ?? textAt(helpers, registry) ?? textAt(config, 'credsStore')
  if (helper !== undefined && helper !== '') {
    const found = await askCredentialHelper(helper, key)
    if (found !== null) return { auth: found.auth, owner: `${found.owner} from docker-credential-${helper}` }
  }
  const entry = entryFor(objectAt(config, 'auths'), registry)
  return entry === null ? null : credentialsInFile(entry, key, file)
}

/** An engine repeats what a registry says, and a registry may repeat what it was sent. */
export function withoutSecrets(words: string, credentials: RegistryCredentials | null): string {
  const { password, identitytoken, registrytoken } = credentials?.auth ?? {}
  let clean = words
  for (const secret of [password, identitytoken, registrytoken]) {
    if (secret !== undefined && secret.length > 3) clean = clean.replaceAll(secret, '•••')
  }
  return clean
}

async function readConfig(file: string): Promise<unknown> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return {}
    throw brokenFile(file, 'cannot be read', error)
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw brokenFile(file, 'is not valid JSON', error)
  }
}

/** `https://quay.io/v1/`, `quay.io/` and `quay.io` all mean quay.io. */
function entryFor(auths: object, registry: string): object | null {
  for (const [address, value] of Object.entries(auths)) {
    const host = address.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
    const name = host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host
    if (name === registry && isObject(value) && Object.keys(value).length > 0) return value
  }
  return null
}

function credentialsInFile(entry: object, key: string, file: string): RegistryCredentials | null {
  const decoded = decodeAuth(textAt(entry, 'auth') ?? '', key, file)
  const username = textAt(entry, 'username') ?? decoded?.username
  const password = textAt(entry, 'password') ?? decoded?.password
  const identitytoken = textAt(entry, 'identitytoken')
  const registrytoken = textAt(entry, 'registrytoken')
  if (identitytoken !== undefined) {
    const user = username === undefined ? 'a token' : `user ${username}`
    return { auth: { serveraddress: key, identitytoken }, owner: `${user} from ${file}` }
  }
  if (registrytoken !== undefined) {
    return { auth: { serveraddress: key, registrytoken }, owner: `a token from ${file}` }
  }
  if (username === undefined || password === undefined) return null
  return { auth: { serveraddress: key, username, password }, owner: `user ${username} from ${file}` }
}

/** `auth` is base64 of `user:password`; old writers padded it with NUL bytes. */
function decodeAuth(auth: string, key: string, file: string): { username: string; password: string } | null {
  if (auth === '') return null
  const text = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '')
  const colon = text.indexOf(':')
  if (colon <= 0) throw brokenFile(file, `has an "auth" for ${key} that is not base64 of user:password`)
  return { username: text.slice(0, colon), password: text.slice(colon + 1) }
}

function brokenFile(file: string, what: string, cause?: unknown): EngineFault {
  const remedy = 'Repair the file, or log in again with `docker login`.'
  return new EngineFault('registry', `Docker's configuration file ${file} ${what}`, remedy, { cause })
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function objectAt(value: unknown, key: string): object {
  const found: unknown = isObject(value) ? Reflect.get(value, key) : undefined
  return isObject(found) ? found : {}
}

/** Empty texts count as absent, as in Docker's own reader. */
function textAt(value: unknown, key: string): string | undefined {
  const found: unknown = isObject(value) && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined
  return typeof found === 'string' && found !== '' ? found : undefined
}
