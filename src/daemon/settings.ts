// Everything a person can set on a host, in one schema: the same names as flags, GRAFT_* variables and keys of
// graft.config.yaml. Nothing of it comes from the repository.

import { z } from 'zod'

import { SETTING_WORDS } from './setting-words.ts'

const seconds = z.union([
  z.number().positive(),
  z
    .string()
    .regex(/^\d+(\.\d+)?$/)
    .transform(Number),
])

const truth = z
  .union([z.boolean(), z.enum(['true', 'false', '1', '0']).transform((word) => word === 'true' || word === '1')])
  .default(false)

/** Each key with its words; `settingsSchema` and the words have the same keys. */
function said<Schema extends z.ZodType>(key: keyof typeof SETTING_WORDS, schema: Schema): Schema {
  return schema.describe(SETTING_WORDS[key].description)
}

const text = z.string().min(1).optional()

export const settingsSchema = z.strictObject({
  repo: said('repo', text),
  ref: said('ref', text),
  path: said('path', z.string().optional()),
  engine: said('engine', text),
  state: said('state', text),
  git_username: said('git_username', z.string().optional()),
  git_password_file: said('git_password_file', text),
  git_token_file: said('git_token_file', text),
  git_ca_file: said('git_ca_file', text),
  policy: said('policy', text),
  host_variables: said('host_variables', text),
  mirrors: said('mirrors', z.array(z.strictObject({ from: z.string().min(1), to: z.string().min(1) })).optional()),
  docker_config: said('docker_config', text),
  probe_image: said('probe_image', text),
  parallel: said(
    'parallel',
    z
      .union([z.number(), z.string().regex(/^\d+$/).transform(Number)])
      .pipe(z.number().int().min(1).max(64))
      .default(4),
  ),
  poll: said('poll', seconds.default(15)),
  measure: said('measure', truth),
  allow_privileged: said('allow_privileged', truth),
  log_level: said('log_level', z.enum(['debug', 'info', 'warn', 'error']).default('info')),
} satisfies Record<keyof typeof SETTING_WORDS, z.ZodType>)

export type Settings = z.output<typeof settingsSchema>
