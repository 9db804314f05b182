// A private certificate authority for connections that are not Git's own.

import { readFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'

import { Mistake } from './mistakes.ts'

/** What a TLS connection trusts: the usual authorities, and those of the file where one is named. Throws a Mistake. */
export function certificatesIn(file: string | undefined): { ca?: string[] } {
  if (file === undefined) return {}
  try {
    return { ca: [...rootCertificates, readFileSync(file, 'utf8')] }
  } catch {
    throw new Mistake(`the certificates in ${file} cannot be read`, 'correct the path or its permissions')
  }
}
