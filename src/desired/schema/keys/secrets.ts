// `secrets` of a leaf, in Compose's short and long form, and a secret as the value of an environment variable.

import { posix } from 'node:path'

import * as z from 'zod'

import { SECRETS_FOLDER } from '../../secret-source.ts'
import { integer } from '../numbers.ts'
import { served } from '../service-key.ts'
import { mapping } from '../shapes.ts'
import { cleanPath, text } from '../texts.ts'
import { fileMode } from './file-mode.ts'

/** One secret as a file; what is left out is decided where the leaf's user is known. */
export interface SecretWish {
  readonly source: string
  /** Absolute path in the container. */
  readonly target: string
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
}

const OWNER = { min: 0, max: 4_294_967_294, example: '0' }

const secretName = (): z.ZodType<string> =>
  text({ expected: 'the name of a secret', example: 'database-password', pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$' })

const line = secretName().transform((source): SecretWish => ({ source, target: posix.join(SECRETS_FOLDER, source) }))

const block = mapping({
  source: secretName().meta({ description: 'Its name under secrets in deployment.yaml' }),
  target: text({ expected: 'a file name or an absolute path', example: 'password', pattern: '[^/]$' }).optional().meta({
    description: 'Name of the file below /run/secrets, or its absolute path; the source where it is left out',
  }),
  mode: fileMode()
    .optional()
    .meta({ description: 'Permission bits; "0400" where the owner is known by number, else "0444"' }),
  uid: integer(OWNER).optional().meta({ description: "Owner's number; that of `user` where it is a number, else 0" }),
  gid: integer(OWNER).optional().meta({ description: "Group's number; that of `user` where it is a number, else 0" }),
}).transform(({ source, target, mode, uid, gid }): SecretWish => {
  const path = cleanPath(posix.resolve(SECRETS_FOLDER, target ?? source))
  return {
    source,
    target: path,
    ...(mode === undefined ? {} : { mode }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  }
})

export const secretKeys = {
  secrets: served(
    'Secrets that the container finds as files, below /run/secrets unless it says otherwise',
    z.array(z.union([line, block])),
    ['database-password'],
    [{ source: 'tls-key', target: '/etc/tls/key.pem', mode: '0400', uid: 1000 }],
  ),
}

/** A secret instead of a value: `{secret: NAME}`. */
export interface SecretVariable {
  readonly secret: string
}

export const secretVariable = mapping({
  secret: secretName().meta({ description: 'Its name under secrets in deployment.yaml' }),
}).transform(({ secret }): SecretVariable => ({ secret }))
