// How much time, memory and data reading a repository may take, and what is said where that is not enough.

import { RepositoryFault } from './repository.ts'
import { FILE_SIZE_LIMIT } from './snapshot.ts'

export interface RepositoryLimits {
  /** Milliseconds for one call in all. */
  readonly operationMs: number
  /** Milliseconds without a byte from the server. */
  readonly idleMs: number
  /** Resident bytes of the child process that does the Git work. */
  readonly memoryBytes: number
  readonly filesPerSnapshot: number
  /** Bytes of the contents of one snapshot together. */
  readonly contentBytes: number
  /** Bytes of one file above which its content is not loaded. */
  readonly fileBytes: number
  /** Bytes of one answer of the server. */
  readonly responseBytes: number
  /** Packs above which the repository is cloned afresh. */
  readonly packs: number
}

export const DEFAULT_LIMITS: RepositoryLimits = {
  operationMs: 300_000,
  idleMs: 60_000,
  memoryBytes: 1024 ** 3,
  filesPerSnapshot: 50_000,
  contentBytes: 256 * 1024 ** 2,
  fileBytes: FILE_SIZE_LIMIT,
  responseBytes: 256 * 1024 ** 2,
  packs: 50,
}

export function tooManyFiles(limits: RepositoryLimits): RepositoryFault {
  return new RepositoryFault(
    'too-large',
    `the deployment's folder holds more than ${limits.filesPerSnapshot.toLocaleString('en')} files or folders`,
    `Put the deployment into a folder of its own and name it with --path, ${orRaise('files')}`,
  )
}

export function tooMuchContent(limits: RepositoryLimits): RepositoryFault {
  return new RepositoryFault(
    'too-large',
    `the files of the deployment's folder are together larger than ${inWords(limits.contentBytes)}`,
    `Put the deployment into a folder of its own and name it with --path, ${orRaise('contents')}`,
  )
}

export function answerTooLarge(bytes: number): RepositoryFault {
  return new RepositoryFault(
    'too-large',
    `the server's answer is larger than ${inWords(bytes)}`,
    `Give the deployment a repository of its own, ${orRaise('git_answer')}`,
  )
}

/** The end of a remedy: how the host's owner lets more in. */
export function orRaise(limit: string): string {
  return `or raise limits.${limit} in the host's settings`
}

/** `256 MB`, `1 GB`, `900 kB`. */
export function inWords(bytes: number): string {
  if (bytes >= 1024 ** 3) return `${Math.round(bytes / 1024 ** 3)} GB`
  if (bytes >= 1024 ** 2) return `${Math.round(bytes / 1024 ** 2)} MB`
  return `${Math.round(bytes / 1024)} kB`
}
