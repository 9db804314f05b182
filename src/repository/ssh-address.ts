// Reads the address of a repository behind SSH, in both forms that Git knows, and lets nothing in that `ssh` or the shell
// on the other side would take for something else than a user, a host and a path.

import { RepositoryFault } from './repository.ts'

export interface SshAddress {
  /** Null: as the host's own ssh configuration says. */
  readonly user: string | null
  /** A name or an address; of IPv6 without brackets. */
  readonly host: string
  readonly port: number | null
  /** As the other side is told it: below the user's home where it begins neither with `/` nor with `~`. */
  readonly path: string
}

/**
 * `ssh://USER@HOST:PORT/PATH` or `USER@HOST:PATH`; null for anything else. Git documentation, git-clone, "GIT URLS".
 * Throws RepositoryFault: `not-found` where it does not read, `unsupported` for a password in it. The text is shown only
 * where it can hold no secret.
 */
export function readSshAddress(text: string): SshAddress | null {
  const address = /^ssh:\/\//i.test(text) ? readUrl(text) : readScp(text)
  if (address === null) return null
  const { user, host, path } = address
  if (user?.includes(':') === true) {
    throw new RepositoryFault(
      'unsupported',
      'the address holds a password, and SSH takes none from there',
      'Use a key: git_ssh_key_file',
    )
  }
  if (user !== null && !/^[\w.+][\w.+-]*$/.test(user)) throw unreadable('its user is no name that graft gives to ssh')
  if (!isHost(host)) throw unreadable('its host is neither a name nor an address')
  if (address.port !== null && (address.port < 1 || address.port > 65_535)) throw unreadable('its port is no port')
  if (path === '' || path === '/') throw unreadable('it names no repository on the host')
  if (path.startsWith('-')) throw unreadable('its path begins with a dash')
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(path)) throw unreadable('its path holds control characters')
  return address
}

/** Whether a text is meant as an address of SSH, right or wrong. */
export function looksLikeSsh(text: string): boolean {
  return /^ssh:\/\//i.test(text) || SCP.test(text)
}

/** A colon after the host and before any slash; `user@` is asked for, because `C:folder` is a folder. */
const SCP = /^([^/:@\s]+)@(\[[^\]/]*\]|[^/:@[\]\s]*):(.*)$/s

function readScp(text: string): SshAddress | null {
  const [whole, user = '', host = '', path = ''] = SCP.exec(text) ?? []
  return whole === undefined ? null : { user, host: withoutBrackets(host), port: null, path }
}

function readUrl(text: string): SshAddress {
  const rest = text.slice('ssh://'.length)
  const slash = rest.indexOf('/')
  const authority = decode(slash < 0 ? rest : rest.slice(0, slash))
  const at = authority.lastIndexOf('@')
  const user = at < 0 ? null : authority.slice(0, at)
  const place = authority.slice(at + 1)
  const [, host = place, port] = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(place) ?? []
  const path = slash < 0 ? '' : decode(rest.slice(slash))
  return {
    user,
    host: withoutBrackets(host),
    port: port === undefined || port === '' ? null : Number(port),
    // `/~ada/site` is a home, and no folder of the root.
    path: path.startsWith('/~') ? path.slice(1) : path,
  }
}

function isHost(host: string): boolean {
  if (host.includes(':')) return /^[0-9a-f:.]+(%[\w.]+)?$/i.test(host)
  return /^[a-z0-9_][\w.-]*$/i.test(host)
}

function withoutBrackets(host: string): string {
  return host.startsWith('[') && host.endsWith(']') && host.includes(':') ? host.slice(1, -1) : host
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function unreadable(why: string): RepositoryFault {
  return new RepositoryFault(
    'not-found',
    `the repository's address is not one of SSH: ${why}`,
    'Write it as ssh://USER@HOST:PORT/PATH or as USER@HOST:PATH',
  )
}
