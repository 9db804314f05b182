// Turns whatever talking to a Git server ends with into a fault that says what follows from it.

import { Errors } from 'isomorphic-git'
import { hostOf } from './address.ts'
import { codeOf } from './git-object.ts'
import { RepositoryFault, type RepositoryFaultKind } from './repository.ts'

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|ERR_TLS|ERR_SSL/
const AWAY = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EHOSTDOWN']
const LATE = ['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT']

/** A RepositoryFault passes as it is. Neither URL queries nor headers nor the server's pages are repeated. */
export function toRemoteFault(error: unknown, url: string, hasCredentials: boolean): RepositoryFault {
  if (error instanceof RepositoryFault) return error
  const host = hostOf(url)
  const fault = (kind: RepositoryFaultKind, message: string, remedy: string): RepositoryFault =>
    new RepositoryFault(kind, message, remedy)
  if (error instanceof Errors.HttpError) return statusFault(error.data.statusCode, url, host, hasCredentials)
  if (error instanceof Errors.SmartHttpError || error instanceof Errors.EmptyServerResponseError) {
    return fault('not-found', `${url} answers, but not as a Git server`, 'Correct the address of the repository')
  }
  const code = codes(error)
  if (code.some((one) => CERTIFICATE.test(one))) {
    return fault(
      'unreachable',
      `the certificate of ${host} is not trusted (${code[0]})`,
      'Name the file of its authority as caFile, or repair the certificate',
    )
  }
  if (code.some((one) => LATE.includes(one))) {
    return fault('timeout', `${host} does not answer`, 'Look at the server and the way to it')
  }
  if (code.some((one) => AWAY.includes(one))) {
    const why = code.includes('ENOTFOUND') || code.includes('EAI_AGAIN') ? 'its name does not resolve' : (code[0] ?? '')
    return fault(
      'unreachable',
      `${host} cannot be reached: ${why}`,
      'Look at the address, the network and the proxy settings',
    )
  }
  if (code.includes('UND_ERR_SOCKET') || code.includes('ECONNRESET') || code.includes('EPIPE')) {
    return fault('unreachable', `${host} closed the connection`, 'Look at the server if this lasts')
  }
  if (code.includes('UND_ERR_ABORTED') || words(error).includes('Proxy response (407)')) {
    return fault('auth', 'the proxy asks for credentials', 'Put them into the proxy variables')
  }
  // What isomorphic-git did not foresee in an answer, with a request to report it to its makers.
  if (error instanceof Errors.InternalError) return brokenAnswer(url, firstOf(error.data.message))
  return fault('server', `${host} did not answer as Git expects: ${words(error)}`, 'Look at the server if this lasts')
}

/** The first line of what a library says, in printable signs. */
function firstOf(text: string): string {
  const line = text.trim().split('\n')[0] ?? ''
  return line.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 200)
}

/** What was fetched is not what was promised. */
export function brokenAnswer(url: string, what: string): RepositoryFault {
  return new RepositoryFault(
    'server',
    `the answer of ${hostOf(url)} was cut short or damaged: ${what}`,
    'Nothing was taken over from it; look at the server if this lasts',
  )
}

function statusFault(status: number, url: string, host: string, hasCredentials: boolean): RepositoryFault {
  if (status === 401 || status === 403) {
    return hasCredentials
      ? new RepositoryFault(
          'auth',
          `${host} refuses the credentials for ${url} (HTTP ${status})`,
          'Correct the password or token',
        )
      : new RepositoryFault(
          'auth',
          `${host} asks for credentials for ${url} (HTTP ${status})`,
          'Give a token or a password file',
        )
  }
  if (status === 407)
    return new RepositoryFault('auth', 'the proxy asks for credentials', 'Put them into the proxy variables')
  if (status === 404 || status === 410) {
    const hidden = hasCredentials ? ', or the credentials may not see it' : ', or it is private and needs a token'
    return new RepositoryFault(
      'not-found',
      `there is no repository at ${url}${hidden}`,
      'Correct the address or the credentials',
    )
  }
  return new RepositoryFault('server', `${host} answered with HTTP ${status}`, 'Look at the server if this lasts')
}

/** The codes of an error and of its causes. */
function codes(error: unknown): string[] {
  const found: string[] = []
  let current = error
  for (let step = 0; step < 5 && current instanceof Error; step++) {
    found.push(codeOf(current))
    if (current instanceof AggregateError) found.push(...current.errors.map(codeOf))
    current = current.cause
  }
  return found.filter((code) => code !== '')
}

function words(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 200)
}
