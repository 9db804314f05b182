// The connections to each registry: its authorities' certificates, the proxies of the environment, time to connect.

import { rootCertificates } from 'node:tls'
import { Agent, EnvHttpProxyAgent, type Dispatcher } from 'undici'
import { isLoopback } from './registry-address.ts'
import { authoritiesFor } from './trusted-authorities.ts'

export interface Connections {
  of(url: URL): Dispatcher
  close(): Promise<void>
}

const CONNECT_MS = 10_000

/** `certificates`: folder with a folder for each registry; absent: Docker's. */
export function createConnections(
  env: Readonly<Record<string, string | undefined>>,
  certificates?: string,
): Connections {
  const known = new Map<string, Dispatcher>()
  const said = (name: string): string => env[name.toLowerCase()] ?? env[name] ?? ''
  const open = (url: URL): Dispatcher => {
    const own = authoritiesFor(url.host, certificates)
    const connect = { timeout: CONNECT_MS, ...(own.length === 0 ? {} : { ca: [...rootCertificates, ...own] }) }
    if (isLoopback(url.host)) return new Agent({ connect })
    return new EnvHttpProxyAgent({
      // An empty text keeps undici from looking into the process's own environment.
      httpProxy: said('HTTP_PROXY'),
      httpsProxy: said('HTTPS_PROXY') || said('HTTP_PROXY'),
      noProxy: said('NO_PROXY'),
      connect,
      requestTls: connect,
      proxyTls: connect,
    })
  }
  return {
    of(url) {
      const before = known.get(url.origin)
      if (before !== undefined) return before
      const dispatcher = open(url)
      known.set(url.origin, dispatcher)
      return dispatcher
    },
    async close() {
      await Promise.all([...known.values()].map((dispatcher) => dispatcher.destroy()))
      known.clear()
    },
  }
}
