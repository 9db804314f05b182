// A server and how to talk to it: the transport follows from the address, and what proves who asks from the transport.

import { isAbsolute } from 'node:path'
import { openFolderTransport } from './folder-transport.ts'
import { openTransport, type Transport } from './http-transport.ts'
import type { RepositoryLimits } from './limits.ts'
import type { Access } from './protocol.ts'
import type { Remote } from './remote-refs.ts'
import { readSshAddress } from './ssh-address.ts'
import { openSshTransport } from './ssh-transport.ts'

/** `url` as `readAddress` gives it, or the absolute path of a folder. Nothing is opened before it is needed. */
export function openRemote(url: string, access: Access, limits: RepositoryLimits): Remote {
  let transport: Transport | null = null
  // A token for https is nobody else's business.
  const auth = /^https?:/.test(url) ? access.auth : {}
  return {
    url,
    auth,
    get transport() {
      return (transport ??= transportFor(url, access, limits))
    },
  }
}

function transportFor(url: string, access: Access, { idleMs, responseBytes }: RepositoryLimits): Transport {
  const limits = { idleMs, responseBytes }
  if (isAbsolute(url)) return openFolderTransport(url, limits)
  const address = readSshAddress(url)
  if (address !== null) return openSshTransport(url, address, access.ssh, limits)
  const { caFile, proxies } = access
  return openTransport({ caFile, proxies, ...limits })
}
