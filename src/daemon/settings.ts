// Everything a person can set on a host, in one schema: the same names as flags, GRAFT_* variables and keys of
// graft.config.yaml. Nothing of it comes from the repository.

import { z } from 'zod'

const seconds = z.union([
  z.number().positive(),
  z
    .string()
    .regex(/^\d+(\.\d+)?$/)
    .transform(Number),
])

export const settingsSchema = z.strictObject({
  repo: z
    .string()
    .min(1)
    .optional()
    .describe('URL or folder of the deployment repository; default: the repository around the current folder'),
  ref: z
    .string()
    .min(1)
    .optional()
    .describe("Branch, tag or commit; default: the remote's or the folder's HEAD branch"),
  path: z.string().optional().describe('Folder inside the repository that holds deployment.yaml'),
  engine: z
    .string()
    .min(1)
    .optional()
    .describe("URL of the engine; default: DOCKER_HOST, Docker's current context, the usual socket"),
  state: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Folder for the clone, the locks and the host key; default: /var/lib/graft for root, else $XDG_STATE_HOME/graft',
    ),
  git_username: z.string().optional().describe('User name for basic authentication'),
  git_password_file: z.string().optional().describe('File that holds the password or token for basic authentication'),
  git_token_file: z.string().optional().describe('File that holds a bearer or personal access token'),
  git_ca_file: z.string().optional().describe('PEM file of a private certificate authority'),
  policy: z.string().optional().describe("The host's policy file; default: STATE/policy.yaml where it is there"),
  host_variables: z
    .string()
    .optional()
    .describe("YAML file of this host's own values (name: value); default: STATE/host.yaml where it is there"),
  mirrors: z
    .array(z.strictObject({ from: z.string().min(1), to: z.string().min(1) }))
    .optional()
    .describe('Rewrites of image references, longest prefix first: quay.io/ → registry.local:5000/quay/'),
  docker_config: z.string().optional().describe("Folder of Docker's config.json; default: DOCKER_CONFIG or ~/.docker"),
  probe_image: z
    .string()
    .optional()
    .describe('Image of the helper that probes containers whose addresses cannot be reached from here'),
  parallel: z
    .union([z.number(), z.string().regex(/^\d+$/).transform(Number)])
    .pipe(z.number().int().min(1).max(64))
    .default(4)
    .describe('Engine starts at a time'),
  poll: seconds.default(15).describe('Seconds between two looks at a remote repository'),
  allow_privileged: z
    .union([z.boolean(), z.enum(['true', 'false', '1', '0']).transform((text) => text === 'true' || text === '1')])
    .default(false)
    .describe('Grants everything the policy file would have to grant; for a try'),
  log_level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
})

export type Settings = z.output<typeof settingsSchema>
