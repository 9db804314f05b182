// One question to a registry: with the login that it wants, and over the scheme that it speaks.

import type { ImageReference } from '../desired/image-reference.ts'
import type { RegistryCredentials } from '../engine/registry-credentials.ts'
import { mayBePlainHttp } from './connection-faults.ts'
import { refused } from './refusals.ts'
import { apiHost, schemesFor } from './registry-address.ts'
import { registryFault } from './registry-fault.ts'
import type { Answer, Sender, Wish } from './registry-http.ts'
import { logIn, type Authorization } from './registry-login.ts'

export interface Question {
  /** With its query. */
  readonly path: string
  readonly method: 'GET' | 'HEAD'
  readonly accept?: string
  readonly bytes: number
}

export interface AskerOptions {
  readonly credentials: (registry: string) => Promise<RegistryCredentials | null>
  readonly insecure: readonly string[]
}

/** Whatever the status is, but for a login that is refused. Throws an EngineFault of kind `registry`. */
export type Asker = (image: ImageReference, question: Question, signal?: AbortSignal) => Promise<Answer>

/** Remembers schemes, logins and tokens for as long as it lives. */
export function createAsker(options: AskerOptions, sender: Sender): Asker {
  const schemes = new Map<string, 'https' | 'http'>()
  const logins = new Map<string, Authorization>()
  const credentials = new Map<string, Promise<RegistryCredentials | null>>()

  const credentialsFor = (registry: string): Promise<RegistryCredentials | null> => {
    const before = credentials.get(registry)
    if (before !== undefined) return before
    const found = options.credentials(registry)
    credentials.set(registry, found)
    return found
  }

  const send = async (registry: string, path: string, wish: Omit<Wish, 'url'>, signal?: AbortSignal) => {
    const known = schemes.get(registry)
    const tried = known === undefined ? schemesFor(registry, options.insecure) : [known]
    for (const [index, scheme] of tried.entries()) {
      try {
        const answer = await sender.send({ ...wish, url: new URL(path, `${scheme}://${apiHost(registry)}`) }, signal)
        schemes.set(registry, scheme)
        return answer
      } catch (error) {
        const cause = error instanceof Error ? error.cause : null
        if (index === tried.length - 1 || !mayBePlainHttp(cause)) throw error
      }
    }
    throw registryFault(`${registry} cannot be asked`, 'Check its name')
  }

  return async (image, { path, method, accept, bytes }, signal) => {
    const { registry, repository } = image
    const key = `${registry}/${repository}`
    const headers = (authorization: string | null): Record<string, string> => ({
      ...(accept === undefined ? {} : { accept }),
      ...(authorization === null ? {} : { authorization }),
    })
    const before = logins.get(key)
    const held = before !== undefined && before.until > performance.now() ? before.value : null
    const first = await send(registry, path, { method, headers: headers(held), bytes }, signal)
    // Whoever a redirect leads to has no say in where credentials go.
    if (first.status !== 401 || first.url.host !== hostAt(first.url, registry)) return first
    const known = await credentialsFor(registry)
    const challenge = first.headers['www-authenticate'] ?? ''
    const login = await logIn({ registry, url: first.url, repository, challenge, credentials: known }, sender, signal)
    if (login === null) throw refused(image, first, known)
    logins.set(key, login)
    const second = await send(registry, path, { method, headers: headers(login.value), bytes }, signal)
    if (second.status === 401 || second.status === 403) throw refused(image, second, known)
    return second
  }
}

/** As `url` would write the registry's own host: without a port that is its scheme's. */
function hostAt({ protocol }: URL, registry: string): string {
  return new URL(`${protocol}//${apiHost(registry)}`).host
}
