// What the settings say about notes: under which name this host tells, and whether what it tells is pushed.

import { hostname } from 'node:os'

import { isRemoteAddress, readAddress } from '../repository/address.ts'
import type { RepositoryOptions } from '../repository/open.ts'
import type { NotesMode } from './outcomes.ts'
import type { Settings } from './settings.ts'

export function hostName({ host_name: named }: Settings): string {
  return (
    named ??
    (hostname()
      .replace(/[^\w.-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 100) ||
      'localhost')
  )
}

/**
 * Who gave graft credentials for a server lets it write there. A person's folder is written to and nothing is pushed from
 * it, because pushing from there is theirs.
 */
export function notesMode(
  { notes, repo = '' }: Pick<Settings, 'notes' | 'repo'>,
  auth: NonNullable<RepositoryOptions['auth']>,
): NotesMode {
  if (notes !== undefined) return notes
  if (!isRemoteAddress(repo)) return 'keep'
  const isSsh = !/^https?:/i.test(repo)
  const address = readAddress(repo)
  const inAddress = address.kind === 'remote' ? Object.keys(address.auth).length : 0
  return isSsh || inAddress > 0 || Object.keys(auth).length > 0 ? 'push' : 'keep'
}
