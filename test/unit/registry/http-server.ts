// A small HTTP server for what a real registry does not do on demand: limits, silence, redirects, nonsense.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach } from 'vitest'
import { createRegistry, type Registry, type RegistryOptions } from '../../../src/registry/registry.ts'

export interface Served {
  /** `127.0.0.1:PORT` */
  readonly address: string
  /** `METHOD PATH` of each request. */
  readonly asked: string[]
  readonly registry: Registry
}

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

export type Answering = (request: IncomingMessage, response: ServerResponse, asked: readonly string[]) => void

export async function serve(answering: Answering, options: Partial<RegistryOptions> = {}): Promise<Served> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    answering(request, response, asked)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const registry = createRegistry({ credentials: () => Promise.resolve(null), insecure: [], env: {}, ...options })
  ends.push(async () => {
    await registry.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { address, asked, registry }
}

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}
