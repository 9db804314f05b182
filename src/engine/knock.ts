// One visit to a published port, as a client of this host would make it: to tell what clients notice of a swap.

import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'

import type { ProbeResult } from '../apply/engine.ts'
import type { PublishedPort } from '../desired/spec.ts'
import type { HttpProbe } from '../desired/tree.ts'
import type { EngineConnection } from './connect.ts'
import { networkWords, statusIsHealthy } from './probe.ts'

/** A proxy whose server is gone takes a connection and closes it at once; this long (milliseconds) it may take to. */
const CLOSED_AT_ONCE = 25

/**
 * Resolves always, after `timeout` milliseconds at most. null where the port cannot be reached from here: an engine on
 * another machine, a protocol other than TCP, a port that the engine chose.
 */
export function knock(
  connection: EngineConnection,
  port: PublishedPort,
  http: HttpProbe | null,
  timeout: number,
): Promise<ProbeResult | null> {
  if (!connection.facts.addressesReachable || port.protocol !== 'tcp' || port.published === 0) {
    return Promise.resolve(null)
  }
  const address = addressFor(port.host_ip)
  return http === null ? knockTcp(address, port.published, timeout) : knockHttp(address, port.published, http, timeout)
}

/** Where a client of this host finds what listens on `host_ip`. */
function addressFor(hostIp: string | undefined): string {
  if (hostIp === undefined || hostIp === '0.0.0.0') return '127.0.0.1'
  return hostIp === '::' ? '::1' : hostIp
}

function knockTcp(host: string, port: number, timeout: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const done = (healthy: boolean, output: string) => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ healthy, output })
    }
    let timer = setTimeout(() => done(false, `no connection within ${timeout / 1000} s`), timeout)
    const open = () => done(true, `port ${port} is open`)
    socket.on('connect', () => {
      clearTimeout(timer)
      timer = setTimeout(open, Math.min(CLOSED_AT_ONCE, timeout))
    })
    socket.on('data', open)
    socket.on('end', () => done(false, 'closed at once'))
    socket.on('error', (error) => done(false, networkWords(error)))
  })
}

/** Follows no redirect and checks no certificate; the last byte of the answer counts. */
function knockHttp(host: string, port: number, http: HttpProbe, timeout: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const headers = { 'user-agent': 'graft', connection: 'close', ...http.headers }
    // A fresh connection each time, or a pause in accepting any would not be seen.
    const options = { host, port, path: http.path, headers, agent: false, rejectUnauthorized: false }
    const send = http.scheme === 'https' ? httpsRequest : httpRequest
    const done = (healthy: boolean, output: string) => {
      clearTimeout(timer)
      request.destroy()
      resolve({ healthy, output })
    }
    const fail = (error: Error) => done(false, networkWords(error))
    const request = send(options, (response: IncomingMessage) => {
      const status = response.statusCode ?? 0
      response.on('error', fail)
      response.on('end', () => done(statusIsHealthy(status, http.status), `HTTP ${status}`))
      response.resume()
    })
    const timer = setTimeout(() => done(false, `no answer within ${timeout / 1000} s`), timeout)
    request.on('error', fail)
    request.end()
  })
}
