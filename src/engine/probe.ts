// Opens a connection to a container's address from this process, once, and says in words what came.

import { request as httpRequest, type ClientRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import type { ProbeResult, NetworkTarget } from '../apply/engine.ts'

type HttpTarget = Extract<NetworkTarget, { kind: 'http' }>

/** `timeout` in milliseconds, over all of it. Resolves always: what goes wrong here is the container's. */
export function probeAddress(address: string, target: NetworkTarget, timeout: number): Promise<ProbeResult> {
  return target.kind === 'tcp' ? probeTcp(address, target.port, timeout) : probeHttp(address, target, timeout)
}

/** Whether a status code lies in one of the inclusive ranges. */
export function statusIsHealthy(status: number, ranges: HttpTarget['status']): boolean {
  return ranges.some(([first, last]) => status >= first && status <= last)
}

function probeTcp(address: string, port: number, timeout: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port })
    const done = (healthy: boolean, output: string) => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ healthy, output })
    }
    const timer = setTimeout(() => done(false, `no connection within ${timeout / 1000} s`), timeout)
    socket.on('connect', () => done(true, `port ${port} is open`))
    socket.on('error', (error) => done(false, networkWords(error)))
  })
}

/** The status line decides: no redirect is followed, no certificate is checked, no body is read. */
function probeHttp(address: string, target: HttpTarget, timeout: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const send = target.scheme === 'https' ? httpsRequest : httpRequest
    const options = {
      host: address,
      port: target.port,
      path: target.path,
      method: 'GET',
      headers: { 'user-agent': 'graft', connection: 'close', ...target.headers },
      // A fresh connection each time, or an earlier one would answer for a container that no longer accepts any.
      agent: false,
      rejectUnauthorized: false,
    }
    let timer: NodeJS.Timeout | undefined
    let finished = false
    const done = (healthy: boolean, output: string) => {
      if (finished) return
      finished = true
      clearTimeout(timer)
      request.destroy()
      resolve({ healthy, output })
    }
    let request: ClientRequest
    try {
      request = send(options, (response) => {
        const status = response.statusCode ?? 0
        done(statusIsHealthy(status, target.status), `HTTP ${status}`)
      })
    } catch (error) {
      // A path or a header that no HTTP request can carry.
      return resolve({ healthy: false, output: error instanceof Error ? error.message : String(error) })
    }
    timer = setTimeout(() => done(false, `no answer within ${timeout / 1000} s`), timeout)
    request.on('error', (error) => done(false, networkWords(error)))
    request.end()
  })
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'no route to the container',
  ENETUNREACH: 'no route to the container',
  ETIMEDOUT: 'connection timed out',
  EPIPE: 'connection reset',
}

/** A broken connection in words for a person. */
export function networkWords(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (code.startsWith('HPE_')) return 'the answer is not HTTP'
  return WORDS[code] ?? error.message
}
