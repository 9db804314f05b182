// The host's policy file: what a deployment may ask for on this host. It lies outside the repository, so that what
// the repository may not do it cannot grant itself. Without the file nothing dangerous is allowed. Pure.

import * as z from 'zod'
import { nearest } from './nearest.ts'
import type { Problem } from './problem.ts'
import { createLocate, readYaml, wholeFile } from './yaml-document.ts'

const texts = z.array(z.string())

/** One grant: what the leaves at these paths may have. Grants add up. */
export const grantSchema = z.strictObject({
  paths: texts
    .min(1)
    .meta({ description: 'Globs over a leaf’s path without .yaml, for example control/nova/** or mariadb' }),
  ingress: z
    .boolean()
    .optional()
    .meta({ description: 'The ingress of the deployment: the host’s network and the capabilities that it works with' }),
  privileged: z.boolean().optional(),
  host_namespaces: z.array(z.enum(['network', 'pid', 'ipc', 'uts', 'cgroup', 'userns'])).optional(),
  cap_add: texts.optional().meta({ description: 'Capabilities; ALL grants every one' }),
  devices: texts.optional().meta({ description: 'Globs over the device’s path on the host' }),
  device_cgroup_rules: texts.optional(),
  gpus: z.boolean().optional(),
  binds: z
    .array(
      z.strictObject({
        source: z.string().meta({ description: 'Glob over the path on the host; /run/** is what lies inside /run' }),
        read_only: z.boolean().optional().meta({ description: 'true: only read-only mounts' }),
      }),
    )
    .optional(),
  security_opt: texts.optional(),
  external_networks: texts.optional().meta({ description: 'Globs over names on the engine' }),
  external_volumes: texts.optional().meta({ description: 'Globs over names on the engine' }),
  network_drivers: texts.optional(),
  volume_drivers: texts.optional().meta({ description: 'Drivers, with any options; local here allows driver_opts' }),
  runtimes: texts.optional(),
  logging_drivers: texts.optional(),
  cgroup_parents: texts.optional(),
  oom: z.boolean().optional().meta({ description: 'oom_kill_disable and a negative oom_score_adj' }),
})

export const policySchema = z.strictObject({
  format: z.literal(1),
  removal_limit: z
    .union([z.int().min(0), z.string().regex(/^(100|[1-9]?\d)%$/)])
    .optional()
    .meta({ description: 'Leaves that one commit may remove without confirmation: a number, or a share such as 25%' }),
  grants: z.array(grantSchema).optional(),
})

export type Grant = z.infer<typeof grantSchema>
export type Policy = z.infer<typeof policySchema>

/** What holds where the host has no policy file. */
export const NO_POLICY: Policy = { format: 1 }

/** Reads the policy file's text. `file`: its path, for the problems. `policy` is null when there are any. */
export function parsePolicy(text: string, file: string): { policy: Policy | null; problems: Problem[] } {
  const content = Buffer.from(text, 'utf8')
  const entry = { path: file, kind: 'file', oid: '', executable: false, size: content.length, content } as const
  const document = readYaml(entry)
  if (document.problems.length > 0) return { policy: null, problems: [...document.problems] }
  if (document.value === null)
    return { policy: null, problems: [wholeFile(entry, 'the policy file is empty', 'write format: 1')] }
  const result = policySchema.safeParse(document.value)
  if (result.success) return { policy: result.data, problems: [] }
  const locate = createLocate()
  const problems = result.error.issues.flatMap((issue): Problem[] => {
    const path = issue.path.filter((step) => typeof step !== 'symbol')
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => {
        const known =
          path[0] === 'grants'
            ? path.length > 2
              ? ['source', 'read_only']
              : Object.keys(grantSchema.shape)
            : Object.keys(policySchema.shape)
        const close = nearest(key, known)
        const remedy = close === null ? `the keys here are ${known.join(', ')}` : `did you mean ${close}?`
        const place = locate(entry, [...path, key], 'key')
        return { ...place, message: `the policy has no key ${key} here`, remedy, leaf: null, severity: 'unreadable' }
      })
    }
    const place = locate(entry, path, 'value')
    const { message, remedy } = words(issue, path)
    return [{ ...place, message, remedy, leaf: null, severity: 'unreadable' }]
  })
  return { policy: null, problems }
}

function words(issue: z.core.$ZodIssue, path: readonly (string | number)[]): { message: string; remedy: string } {
  const name = path.length === 0 ? 'the policy' : path.join('.')
  if (name === 'format') return { message: 'format is 1', remedy: 'write format: 1' }
  if (name === 'removal_limit') {
    return {
      message: 'removal_limit is a number or a share of the leaves',
      remedy: 'write for example removal_limit: 5 or removal_limit: 25%',
    }
  }
  if (issue.code === 'invalid_value') {
    return {
      message: `${name} is none of the known words`,
      remedy: `write one of ${issue.values.map(String).join(', ')}`,
    }
  }
  if (issue.code === 'invalid_type') {
    return {
      message: `${name} is not what is expected here`,
      remedy: `write ${EXPECTED[issue.expected] ?? issue.expected}`,
    }
  }
  return { message: `${name} is not right: ${issue.message}`, remedy: 'correct it' }
}

const EXPECTED: Partial<Record<string, string>> = {
  string: 'a text',
  boolean: 'true or false',
  array: 'a list: [a, b]',
  object: 'a mapping: key: value',
}
