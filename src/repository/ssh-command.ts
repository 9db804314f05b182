// The command line of the system's `ssh` for one repository: the host's key is checked always, nothing is asked of a
// person, nothing is forwarded, and no option comes from the address.

import { accessSync, constants } from 'node:fs'
import type { Service } from './pipe-transport.ts'
import type { SshAccess } from './protocol.ts'
import { RepositoryFault } from './repository.ts'
import type { SshAddress } from './ssh-address.ts'

/** Seconds until a server must have agreed on keys, whatever the limits say. */
const CONNECT_SECONDS = 15

/**
 * The arguments of `ssh`. The person's own ssh configuration counts where nothing is said here: aliases, jump hosts, keys.
 * Throws RepositoryFault `auth` where a file that is named cannot be read. ssh(1), ssh_config(5).
 */
export function sshArguments(address: SshAddress, access: SshAccess, service: Service, idleMs: number): string[] {
  const idle = Math.max(1, Math.ceil(idleMs / 1000))
  const options: Record<string, string> = {
    BatchMode: 'yes',
    StrictHostKeyChecking: 'yes',
    UpdateHostKeys: 'no',
    CheckHostIP: 'no',
    ConnectTimeout: String(Math.min(CONNECT_SECONDS, idle)),
    ConnectionAttempts: '1',
    ServerAliveInterval: String(Math.ceil(idle / 3)),
    ServerAliveCountMax: '3',
    ForwardAgent: 'no',
    ForwardX11: 'no',
    ClearAllForwardings: 'yes',
    PermitLocalCommand: 'no',
    RemoteCommand: 'none',
    RequestTTY: 'no',
    // A connection that somebody else opened was checked as somebody else saw fit.
    ControlMaster: 'no',
    ControlPath: 'none',
    LogLevel: 'ERROR',
    SendEnv: 'GIT_PROTOCOL',
  }
  const { keyFile, knownHostsFile } = access
  if (knownHostsFile !== null) {
    options['UserKnownHostsFile'] = quoted(readable(knownHostsFile, 'known hosts'))
    options['GlobalKnownHostsFile'] = '/dev/null'
    // Nothing else vouches for a host then; OpenSSH before 8.5 does not know the command.
    options['IgnoreUnknown'] = 'KnownHostsCommand'
    options['KnownHostsCommand'] = 'none'
    options['VerifyHostKeyDNS'] = 'no'
  }
  if (keyFile !== null) {
    options['IdentitiesOnly'] = 'yes'
    options['IdentityFile'] = quoted(readable(keyFile, 'key'))
  }
  return [
    ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
    ...(address.port === null ? [] : ['-p', String(address.port)]),
    ...(address.user === null ? [] : ['-l', address.user]),
    '--',
    address.host,
    `${service} ${shellQuoted(address.path)}`,
  ]
}

/** One word for the shell on the other side, as Git quotes it. Git's sources, quote.c, sq_quote_buf. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll(/['!]/g, (character) => `'\\${character}'`)}'`
}

/** One path for a line of ssh's configuration, where `%` begins a token and a blank ends the value. */
function quoted(path: string): string {
  return `"${path.replaceAll('%', '%%')}"`
}

function readable(path: string, what: 'key' | 'known hosts'): string {
  const fault = (why: string, cause?: unknown): RepositoryFault =>
    new RepositoryFault('auth', `the file of ${what} ${path} ${why}`, 'Correct the path or its permissions', { cause })
  // ssh has no way to write these two in a path.
  if (path.includes('"') || path.includes('${')) throw fault('has a name that ssh cannot be given')
  try {
    accessSync(path, constants.R_OK)
  } catch (cause) {
    throw fault('cannot be read', cause)
  }
  return path
}
