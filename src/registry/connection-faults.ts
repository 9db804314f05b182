// Why a registry could not be connected to, in words for a person.

import { oneLine, registryFault } from './registry-fault.ts'

/** `late`: its time was over. */
export function connectionFault(
  { error, late }: { readonly error: unknown; readonly late: boolean },
  { host }: URL,
): Error {
  const code = codeOf(error)
  const network = 'Check its name and the network from here to it'
  if (late) return registryFault(`${host} did not answer in time`, network, error)
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(code)) {
    const remedy = `Put the authority's certificate into /etc/docker/certs.d/${host}/ca.crt`
    return registryFault(`the certificate of ${host} is not trusted (${code})`, remedy, error)
  }
  if (isPlainHttp(error)) {
    const remedy = `Name ${host} in insecure_registries, or give it a certificate`
    return registryFault(`${host} speaks plain HTTP where HTTPS is wanted`, remedy, error)
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return registryFault(`the name ${host} cannot be resolved`, network, error)
  }
  if (code === 'ECONNREFUSED')
    return registryFault(`${host} cannot be connected to (connection refused)`, network, error)
  const words = error instanceof Error ? oneLine(error.message) : code
  return registryFault(`${host} cannot be asked (${words})`, network, error)
}

/** Whether TLS was answered by something that is no TLS. */
function isPlainHttp(error: unknown): boolean {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const code = codeOf(cause)
  return /ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|UNSUPPORTED_PROTOCOL)|EPROTO/.test(code)
}

/** Whether a host that TLS did not reach may be reached without: it speaks HTTP there, or nothing listens for TLS. */
export function mayBePlainHttp(error: unknown): boolean {
  return isPlainHttp(error) || codeOf(error) === 'ECONNREFUSED'
}

/** Node's or undici's word for what went wrong; '' for none. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  if ('code' in error && typeof error.code === 'string') return error.code
  if (error instanceof AggregateError) return codeOf(error.errors[0])
  return error.cause === undefined ? '' : codeOf(error.cause)
}
