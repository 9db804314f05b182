// The host's policy file as a schema: what it grants beyond what every leaf may have, and what it forbids. The source of
// schemas/policy.schema.json. Pure.

import * as z from 'zod'
import { isAddressRange } from './address-range.ts'
import { neverCovered } from './host-paths.ts'
import { bytes } from './schema/quantities.ts'

const texts = z.array(z.string())
const paths = texts
  .min(1)
  .meta({ description: 'Globs over a leaf’s path without .yaml, for example control/nova/** or mariadb' })

const bind = z.strictObject({
  source: z
    .string()
    .regex(/^\//, { error: 'is no absolute path' })
    .refine((path) => neverCovered(path) !== 'root', { error: 'never gives the root of the host; write host_root' })
    .refine((path) => neverCovered(path) !== 'socket', { error: 'never gives an engine’s socket; write engine_socket' })
    .meta({
      description:
        'Path on the host, or a glob over it; /run/** is what lies inside /run. What is dangerous, such as /etc, is given by its own name only',
    }),
  read_only: z.boolean().optional().meta({ description: 'true: only read-only mounts' }),
  relabel: z.boolean().optional().meta({ description: 'true: the options z and Z, which relabel the host’s files' }),
})

/** One grant: what the leaves at these paths may have. Grants add up. */
export const grantSchema = z.strictObject({
  paths,
  ingress: z
    .boolean()
    .optional()
    .meta({ description: 'The ingress of the deployment, and no other leaf: the host’s network' }),
  privileged: z.boolean().optional().meta({ description: 'privileged: every capability and device of the host' }),
  host_namespaces: z
    .array(z.enum(['network', 'pid', 'ipc', 'uts', 'cgroup', 'userns']))
    .optional()
    .meta({ description: 'Namespaces shared with the host' }),
  cap_add: texts
    .optional()
    .meta({ description: 'Capabilities beyond the usual ones, without CAP_; ALL grants every one' }),
  devices: texts.optional().meta({ description: 'Globs over the device’s path on the host' }),
  device_cgroup_rules: texts.optional().meta({ description: 'Exactly these rules' }),
  gpus: z.boolean().optional().meta({ description: 'gpus' }),
  host_root: z
    .union([z.boolean(), z.literal('read_only')])
    .optional()
    .meta({ description: 'A bind mount of /, the whole host; read_only: only a read-only one' }),
  engine_socket: z
    .boolean()
    .optional()
    .meta({ description: 'A bind mount of the socket of a container engine, which is the whole host too' }),
  binds: z.array(bind).optional().meta({ description: 'Bind mounts of the host’s folders and files' }),
  security_opt: texts
    .optional()
    .meta({ description: 'Exactly these options; with * at the end, what begins so: seccomp={*' }),
  sysctls: texts.optional().meta({ description: 'Kernel parameters beyond the safe ones; * stands for any part' }),
  annotations: texts.optional().meta({ description: 'OCI annotations, which runtimes obey; * stands for any part' }),
  external_networks: texts.optional().meta({ description: 'Globs over names on the engine' }),
  external_volumes: texts.optional().meta({ description: 'Globs over names on the engine' }),
  network_drivers: texts
    .optional()
    .meta({ description: 'Drivers of networks and of their addresses; bridge here allows driver_opts' }),
  subnets: z
    .array(z.string().refine(isAddressRange, { error: 'is no address and no range of addresses' }))
    .optional()
    .meta({ description: 'Subnets of bridge networks in ipam, each inside one of these ranges' }),
  volume_drivers: texts.optional().meta({ description: 'Drivers, with any options; local here allows driver_opts' }),
  runtimes: texts.optional().meta({ description: 'OCI runtimes' }),
  logging_drivers: texts.optional().meta({ description: 'Logging drivers other than json-file, local and none' }),
  cgroup_parents: texts.optional().meta({ description: 'Exactly these cgroups' }),
  ulimits: texts.optional().meta({ description: 'The limits nice and rtprio, which let processes go before others' }),
  oom: z.boolean().optional().meta({ description: 'oom_kill_disable and a negative oom_score_adj' }),
})

const port = z.strictObject({
  published: z
    .union([
      z.int().min(0).max(65535),
      z.string().regex(/^\d{1,5}(-\d{1,5})?$/, { error: 'is no port and no range of ports' }),
    ])
    .optional()
    .meta({ description: 'Port on the host or a range such as 8000-8999; 0: one that the engine chooses' }),
  host_ip: z
    .string()
    .refine(isAddressRange, { error: 'is no address and no range of addresses' })
    .optional()
    .meta({ description: 'Address of the host, or a range such as 10.0.0.0/8; where it is left out, all' }),
  protocol: z.enum(['tcp', 'udp', 'sctp']).optional(),
})

const required = z.literal('required')
const count = z.number().positive()

/** One rule: what the leaves at these paths must keep to. All rules that match a leaf hold. */
export const ruleSchema = z.strictObject({
  paths,
  except: texts.optional().meta({ description: 'Globs over paths that the rule leaves alone' }),
  because: z.string().optional().meta({ description: 'The reason, told with each refusal' }),
  preset: z
    .enum(['baseline', 'restricted'])
    .optional()
    .meta({ description: 'A level of the Pod Security Standards of Kubernetes, whatever is granted' }),
  images: texts.optional().meta({
    description: 'Images that may run: globs over the full reference, for example quay.io/team/*, with or without tag',
  }),
  digest: required.optional().meta({ description: 'Images are named with their digest' }),
  ports: z.array(port).optional().meta({ description: 'Ports of the host that may be published, and no others' }),
  mem_limit: z
    .union([required, z.strictObject({ most: bytes() })])
    .optional()
    .meta({ description: 'A limit for memory is there, and not above the most' }),
  cpus: z
    .union([required, z.strictObject({ most: count })])
    .optional()
    .meta({ description: 'A limit for processors is there, and not above the most' }),
  pids_limit: z
    .union([required, z.strictObject({ most: count })])
    .optional()
    .meta({ description: 'A limit for processes is there, and not above the most' }),
  host_secrets: texts
    .optional()
    .meta({ description: 'Secrets of the host that may be used: globs over their names in its folder' }),
  user: z.literal('non-root').optional().meta({ description: 'user is a number other than 0' }),
  cap_add: texts.optional().meta({ description: 'Capabilities that may be added, and no others' }),
  cap_drop: texts.optional().meta({ description: 'Capabilities that must be dropped; ALL drops every one' }),
  read_only: required.optional().meta({ description: 'The container’s own file system is read-only' }),
  no_new_privileges: required.optional().meta({ description: 'security_opt holds no-new-privileges:true' }),
})

export const policySchema = z.strictObject({
  format: z.literal(1),
  removal_limit: z
    .union([z.int().min(0), z.string().regex(/^(100|[1-9]?\d)%$/)])
    .optional()
    .meta({ description: 'Leaves that one commit may remove without confirmation: a number, or a share such as 25%' }),
  grants: z
    .array(grantSchema)
    .optional()
    .meta({ description: 'What leaves may have beyond what every leaf may; grants add up' }),
  rules: z
    .array(ruleSchema)
    .optional()
    .meta({ description: 'What leaves must keep to, whatever is granted; all that match a leaf hold' }),
})

export type Grant = z.infer<typeof grantSchema>
export type Rule = z.infer<typeof ruleSchema>
