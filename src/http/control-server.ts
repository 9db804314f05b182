// The daemon's own socket, for commands on the same host: status, wake, retry, restart. Only its owner can open it.

import { chmod, lstat, mkdir, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { dirname } from 'node:path'

import type { Daemon } from '../daemon/loop.ts'

export interface ControlServer {
  close(): Promise<void>
}

/** The lock is held by now, so a socket that is already there belongs to nobody. Throws where its folder is not ours. */
export async function serveControl(socket: string, daemon: Daemon): Promise<ControlServer> {
  await ownFolder(dirname(socket))
  await rm(socket, { force: true })
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    const answer = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }
    request.resume()
    if (request.method === 'GET' && path === '/status') return answer(200, daemon.status())
    if (request.method === 'POST' && path === '/wake') {
      daemon.wake('asked')
      return answer(202, {})
    }
    const leaf = /^\/retry\/([a-z0-9-]+)$/.exec(path)?.[1]
    if (request.method === 'POST' && leaf !== undefined) {
      daemon.retry(leaf)
      return answer(202, {})
    }
    const asked = /^\/restart\/([^/]+)$/.exec(path)?.[1]
    if (request.method === 'POST' && asked !== undefined) {
      const name = decoded(asked)
      const chosen = name === null ? { message: 'this is no name', remedy: 'write a name' } : daemon.restart(name)
      return answer('leaves' in chosen ? 202 : 200, chosen)
    }
    const approval = /^\/approve\/([0-9a-f]{40})\/([0-9a-f]{12})$/.exec(path)
    if (request.method === 'POST' && approval !== null) {
      const [, approved = '', digest = ''] = approval
      return answer(200, { approved: daemon.approve(approved, digest) })
    }
    const commit = /^\/confirm-removals\/([0-9a-f]{40})$/.exec(path)?.[1]
    if (request.method === 'POST' && commit !== undefined) {
      return answer(200, { confirmed: daemon.confirmRemovals(commit) })
    }
    answer(404, { message: `there is no ${request.method} ${path}` })
  })
  await listen(server, socket)
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  try {
    await chmod(socket, 0o600)
  } catch (error) {
    await close()
    throw error
  }
  return { close }
}

/** Made where it is missing. Throws where somebody else could put files or links into it: nothing was touched then. */
async function ownFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { uid, mode } = await lstat(folder).then((found) => {
    if (!found.isDirectory()) throw new Error(`${folder} is a link, and no folder`)
    return found
  })
  if (process.getuid !== undefined && uid !== process.getuid()) throw new Error(`${folder} belongs to another user`)
  if ((mode & 0o022) !== 0) throw new Error(`other users may write into ${folder}`)
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

function listen(server: Server, socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(socket, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
