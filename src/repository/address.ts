// Reads the address of a repository: an http(s) URL, whose credentials are taken out at once, an address of SSH, or a
// folder.

import { fileURLToPath } from 'node:url'
import type { Credentials } from './protocol.ts'
import { RepositoryFault } from './repository.ts'
import { looksLikeSsh, readSshAddress } from './ssh-address.ts'

export type Address =
  /** `url` is as it was written where it is one of SSH: `ssh://git@host/site.git`, `git@host:site.git`. */
  | { readonly kind: 'remote'; readonly url: string; readonly auth: Credentials }
  | { readonly kind: 'local'; readonly folder: string }

/** Throws RepositoryFault `unsupported` for other protocols, `not-found` for a URL that does not read. */
export function readAddress(repo: string): Address {
  const text = repo.trim()
  if (/^https?:\/\//i.test(text)) return readUrl(text)
  if (/^file:\/\//i.test(text)) return { kind: 'local', folder: fileFolder(text) }
  if (readSshAddress(text) !== null) return { kind: 'remote', url: text.replace(/(?<=.)\/+$/, ''), auth: {} }
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]
  if (scheme !== undefined) {
    throw new RepositoryFault(
      'unsupported',
      `graft reads repositories over https, http and ssh and from folders, not over ${scheme}`,
      'Use the https or ssh address of the repository',
    )
  }
  return { kind: 'local', folder: text === '' ? '.' : text }
}

/** Whether a text is meant as the address of something on a server, and not as a folder; read or not. */
export function isRemoteAddress(text: string): boolean {
  return looksLikeSsh(text) || (/^[a-z][a-z0-9+.-]*:\/\//i.test(text) && !/^file:\/\//i.test(text))
}

/** The server of an address as people know it: `git.example:8443`. The address itself where it names none. */
export function hostOf(url: string): string {
  if (/^https?:/.test(url)) return new URL(url).host
  const ssh = looksLikeSsh(url) ? readSshAddress(url) : null
  if (ssh === null) return url
  const host = ssh.host.includes(':') ? `[${ssh.host}]` : ssh.host
  return ssh.port === null ? host : `${host}:${ssh.port}`
}

function readUrl(text: string): Address {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    // The text itself is not shown: it may hold a password.
    throw new RepositoryFault('not-found', "the repository's address is not a valid URL", 'Correct it')
  }
  const username = decode(url.username)
  const password = decode(url.password)
  url.username = ''
  url.password = ''
  url.hash = ''
  url.search = ''
  const auth = {
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
  }
  return { kind: 'remote', url: url.href.replace(/\/+$/, ''), auth }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function fileFolder(text: string): string {
  try {
    return fileURLToPath(text)
  } catch {
    throw new RepositoryFault('not-found', `${text} is not a valid file URL`, 'Write it as file:///path/to/repository')
  }
}

/** The deployment's folder as Git names it: no slashes at the ends, no `.`; throws `not-found` where it leads outside. */
export function readFolder(path: string | undefined): string {
  const parts = (path ?? '').split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..')) {
    throw new RepositoryFault(
      'not-found',
      `the folder “${path}” leads out of the repository`,
      'Name a folder inside it',
    )
  }
  return parts.join('/')
}

/** `https://host/path.git#main:folder`, for people. */
export function describe(place: string, ref: string | undefined, folder: string): string {
  const inside = folder === '' ? (ref ?? '') : `${ref ?? ''}:${folder}`
  return inside === '' ? place : `${place}#${inside}`
}
