// Logging in to a registry: its password at once, or a token from the server that it names.

import { withoutSecrets, type RegistryCredentials } from '../engine/registry-credentials.ts'
import { readChallenges } from './challenge.ts'
import { oneLine, registryFault, registryWords } from './registry-fault.ts'
import type { Sender } from './registry-http.ts'

export interface LoginWish {
  /** As in references: `quay.io`. */
  readonly registry: string
  /** Where the challenge came from. */
  readonly url: URL
  readonly repository: string
  /** The header WWW-Authenticate of a 401. */
  readonly challenge: string
  readonly credentials: RegistryCredentials | null
}

/** A value for the header Authorization, good until then by the clock that never jumps (`performance.now`). */
export interface Authorization {
  readonly value: string
  readonly until: number
}

const TOKEN_BYTES = 2 ** 20
/** Where a token server does not say how long a token holds (Distribution, token specification, expires_in). */
const SHORTEST_SECONDS = 60
/** Taken off, so that a token does not end between two requests. */
const MARGIN_SECONDS = 10

/**
 * Null where nothing that is known would help: the registry wants a password, and there is none. Throws an EngineFault
 * of kind `registry` where the token server refuses (Distribution, "Token Authentication" and "OAuth2").
 */
export async function logIn(wish: LoginWish, sender: Sender, signal?: AbortSignal): Promise<Authorization | null> {
  const challenges = readChallenges(wish.challenge)
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer')
  const { credentials } = wish
  if (bearer !== undefined) {
    if (credentials?.auth.registrytoken !== undefined) return lasting(`Bearer ${credentials.auth.registrytoken}`)
    return tokenFrom(bearer.parameters, wish, sender, signal)
  }
  const asksPassword = challenges.some(({ scheme }) => scheme === 'basic')
  const basic = basicOf(credentials)
  return asksPassword && basic !== null ? lasting(basic) : null
}

function lasting(value: string): Authorization {
  return { value, until: Number.POSITIVE_INFINITY }
}

function basicOf(credentials: RegistryCredentials | null): string | null {
  const { username, password } = credentials?.auth ?? {}
  if (username === undefined || password === undefined) return null
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

async function tokenFrom(
  { realm = '', service, scope }: Readonly<Record<string, string>>,
  { registry, url, repository, credentials }: LoginWish,
  sender: Sender,
  signal: AbortSignal | undefined,
): Promise<Authorization> {
  const server = URL.canParse(realm) ? new URL(realm) : null
  const isSafe =
    server !== null && (server.protocol === 'https:' || (server.protocol === 'http:' && url.protocol === 'http:'))
  if (!isSafe) {
    const remedy = 'Its operator has to correct the realm in its configuration'
    throw registryFault(`${registry} names no token server that can be asked (${oneLine(realm, 80)})`, remedy)
  }
  const wanted = scope ?? `repository:${repository}:pull`
  const { identitytoken } = credentials?.auth ?? {}
  const basic = basicOf(credentials)
  let answer
  if (identitytoken === undefined) {
    if (service !== undefined) server.searchParams.set('service', service)
    server.searchParams.set('scope', wanted)
    const headers: Record<string, string> = basic === null ? {} : { authorization: basic }
    answer = await sender.send({ url: server, method: 'GET', headers, bytes: TOKEN_BYTES }, signal)
  } else {
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: 'graft',
      service: service ?? '',
      scope: wanted,
      refresh_token: identitytoken,
    }).toString()
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    answer = await sender.send({ url: server, method: 'POST', headers, body, bytes: TOKEN_BYTES }, signal)
  }
  const token = answer.status === 200 ? readToken(answer.body) : null
  if (token === null) {
    const words = withoutSecrets(registryWords(answer.body), credentials)
    const tried = credentials === null ? 'no credentials' : credentials.owner
    throw registryFault(
      `${server.host} gave no token for ${registry}/${repository} (${answer.status}${words === '' ? '' : `, ${words}`}); tried with ${tried}`,
      `Check the image's name, and log in with \`docker login ${registry}\``,
    )
  }
  const seconds = Math.max(SHORTEST_SECONDS, token.seconds) - MARGIN_SECONDS
  return { value: `Bearer ${token.text}`, until: performance.now() + seconds * 1000 }
}

/** `token`, or `access_token` where the server follows OAuth2. */
function readToken(body: Buffer): { text: string; seconds: number } | null {
  try {
    const answer: unknown = JSON.parse(body.toString('utf8'))
    if (typeof answer !== 'object' || answer === null) return null
    const texts = [Reflect.get(answer, 'token'), Reflect.get(answer, 'access_token')] as unknown[]
    const text = texts.find((one) => typeof one === 'string' && /^[\x21-\x7e]+$/.test(one))
    const seconds: unknown = Reflect.get(answer, 'expires_in')
    return typeof text === 'string' ? { text, seconds: typeof seconds === 'number' ? seconds : 0 } : null
  } catch {
    return null
  }
}
