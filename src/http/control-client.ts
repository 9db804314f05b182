// Talks to a daemon on this host over its socket.

import { request } from 'node:http'

import type { Status } from '../daemon/status.ts'

/** Null where no daemon listens. */
export async function askStatus(socket: string): Promise<Status | null> {
  const body = await call(socket, 'GET', '/status')
  return body === null ? null : (JSON.parse(body) as Status)
}

/** False where no daemon listens. */
export async function askWake(socket: string): Promise<boolean> {
  return (await call(socket, 'POST', '/wake')) !== null
}

/** False where no daemon listens. */
export async function askRetry(socket: string, leaf: string): Promise<boolean> {
  return (await call(socket, 'POST', `/retry/${leaf}`)) !== null
}

/** Whether the daemon takes it: false where another commit is in force there; null where no daemon listens. */
export async function askConfirmRemovals(socket: string, commit: string): Promise<boolean | null> {
  const body = await call(socket, 'POST', `/confirm-removals/${commit}`)
  return body === null ? null : (JSON.parse(body) as { confirmed: boolean }).confirmed
}

/**
 * Whether the daemon takes it: false where another commit is in force there, or something else would go; null where no
 * daemon listens.
 */
export async function askApprove(socket: string, commit: string, digest: string): Promise<boolean | null> {
  const body = await call(socket, 'POST', `/approve/${commit}/${digest}`)
  return body === null ? null : (JSON.parse(body) as { approved: boolean }).approved
}

export type RestartAnswer =
  | { readonly leaves: readonly string[] }
  | { readonly message: string; readonly remedy: string }

/** Which leaves the daemon restarts, or why none; null where no daemon listens. */
export async function askRestart(socket: string, asked: string): Promise<RestartAnswer | null> {
  const body = await call(socket, 'POST', `/restart/${encodeURIComponent(asked)}`)
  return body === null ? null : (JSON.parse(body) as RestartAnswer)
}

const PATIENCE = 5_000

function call(socketPath: string, method: string, path: string): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method, path, timeout: PATIENCE }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('end', () => {
        if ((response.statusCode ?? 500) < 300) resolve(body)
        else reject(new Error(`the daemon answered ${response.statusCode}: ${body}`))
      })
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error('the daemon did not answer')))
    outgoing.on('error', (error) => {
      const code = 'code' in error ? error.code : ''
      if (code === 'ENOENT' || code === 'ECONNREFUSED') resolve(null)
      else reject(error)
    })
    outgoing.end()
  })
}
