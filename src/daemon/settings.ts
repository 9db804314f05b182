// Everything a person can set on a host, in one schema: the same names as flags, GRAFT_* variables and keys of
// graft.config.yaml. Nothing of it comes from the repository.

import { z } from 'zod'

import { limitsSchema } from './limit-settings.ts'
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
const verifyMode = z.enum(['off', 'head', 'every'])

export const settingsSchema = z.strictObject({
  repo: said('repo', text),
  ref: said('ref', text),
  path: said('path', z.string().optional()),
  engine: said('engine', text),
  state: said('state', text),
  git_username: said('git_username', z.string().optional()),
  git_password_file: said('git_password_file', text),
  git_token_file: said('git_token_file', text),
  git_ssh_key_file: said('git_ssh_key_file', text),
  git_known_hosts_file: said('git_known_hosts_file', text),
  git_ca_file: said('git_ca_file', text),
  verify: said('verify', z.union([verifyMode, z.strictObject({ mode: verifyMode.optional(), keys: text })]).optional()),
  verify_keys: said('verify_keys', text),
  forward_only: said('forward_only', truth),
  signing_key_file: said('signing_key_file', text),
  notes: said('notes', z.enum(['push', 'keep', 'off']).optional()),
  host_name: said(
    'host_name',
    z
      .string()
      .regex(/^[A-Za-z0-9][\w.-]{0,99}$/)
      .optional(),
  ),
  policy: said('policy', text),
  host_variables: said('host_variables', text),
  secrets: said('secrets', text),
  age_key_file: said('age_key_file', text),
  mirrors: said('mirrors', z.array(z.strictObject({ from: z.string().min(1), to: z.string().min(1) })).optional()),
  insecure_registries: said('insecure_registries', z.union([z.string().min(1), z.array(z.string().min(1))]).optional()),
  docker_config: said('docker_config', text),
  probe_image: said('probe_image', text),
  parallel: said(
    'parallel',
    z
      .union([z.number(), z.string().regex(/^\d+$/).transform(Number)])
      .pipe(z.number().int().min(1).max(64))
      .default(4),
  ),
  engine_timeout: said(
    'engine_timeout',
    z
      .union([z.number(), z.string().regex(/^\d+$/).transform(Number)])
      .pipe(z.number().int().min(1).max(3600))
      .default(60),
  ),
  takeover_after: said(
    'takeover_after',
    z
      .union([z.number(), z.string().regex(/^\d+$/).transform(Number)])
      .pipe(z.number().int().min(6).max(3600))
      .default(60),
  ),
  listen: said(
    'listen',
    z
      .string()
      .regex(/^(\[[0-9A-Fa-f:]+\]|[\w.-]+)?:\d{1,5}$/)
      .optional(),
  ),
  webhook_secret_file: said('webhook_secret_file', text),
  forge: said('forge', z.enum(['github', 'gitlab', 'gitea', 'forgejo']).optional()),
  forge_api: said('forge_api', text),
  forge_token_file: said('forge_token_file', text),
  forge_link: said('forge_link', text),
  limits: said('limits', limitsSchema.prefault({})),
  poll: said('poll', seconds.default(15)),
  measure: said('measure', truth),
  allow_privileged: said('allow_privileged', truth),
  log_level: said('log_level', z.enum(['debug', 'info', 'warn', 'error']).default('info')),
} satisfies Record<keyof typeof SETTING_WORDS, z.ZodType>)

export type Settings = z.output<typeof settingsSchema>
