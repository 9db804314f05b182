// Makes the header that proves who asks, from what a person gave; it is never part of a URL.

import { readFile } from 'node:fs/promises'
import type { Credentials } from './protocol.ts'
import { RepositoryFault } from './repository.ts'

/** Hosting services take a token as the password of any user; this is the name that most of them document. */
const TOKEN_USER = 'x-access-token'

/** Empty where there are no credentials. Files are read at each call, so a renewed token is used at once. */
export async function authorization(given: Credentials): Promise<Record<string, string>> {
  const token = given.token ?? (await secretIn(given.tokenFile))
  const password = token ?? given.password ?? (await secretIn(given.passwordFile))
  const username = given.username ?? (token === undefined ? undefined : TOKEN_USER)
  if (username === undefined && password === undefined) return {}
  return { Authorization: `Basic ${Buffer.from(`${username ?? ''}:${password ?? ''}`).toString('base64')}` }
}

async function secretIn(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined
  try {
    return (await readFile(path, 'utf8')).replace(/\r?\n$/, '')
  } catch (cause) {
    throw new RepositoryFault(
      'auth',
      `the credentials in ${path} cannot be read`,
      'Correct the path or its permissions',
      { cause },
    )
  }
}
