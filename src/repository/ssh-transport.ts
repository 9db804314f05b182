// Git servers behind SSH, through the system's `ssh`.

import type { RepositoryLimits } from './limits.ts'
import { openPipeTransport } from './pipe-transport.ts'
import type { Transport } from './http-transport.ts'
import type { SshAccess } from './protocol.ts'
import type { SshAddress } from './ssh-address.ts'
import { sshArguments } from './ssh-command.ts'
import { nonsenseFault, sshFault } from './ssh-faults.ts'

/** `url` is the address as the person wrote it, for faults. */
export function openSshTransport(
  url: string,
  address: SshAddress,
  access: SshAccess,
  limits: Pick<RepositoryLimits, 'idleMs' | 'responseBytes'>,
): Transport {
  const place = { url, address, access }
  return openPipeTransport({
    ...limits,
    program: (service, protocol) => ({
      file: 'ssh',
      args: sshArguments(address, access, service, limits.idleMs),
      env: environment(protocol),
    }),
    fault: (service, end) => sshFault(place, service, end),
    nonsense: (said) => nonsenseFault(place, said),
  })
}

/** What ssh needs to find its files and an agent; GIT_PROTOCOL goes to the server, which may ignore it. */
function environment(protocol: string | null): Record<string, string> {
  const kept = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SSH_AUTH_SOCK'].flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return { ...Object.fromEntries(kept), ...(protocol === null ? {} : { GIT_PROTOCOL: protocol }) }
}
