// The keys of deployment.yaml besides those of a set: name, networks, volumes, host variables (Compose Specification,
// networks and volumes).

import * as z from 'zod'
import { ip, subnet } from './addresses.ts'
import type { HostVariable, NetworkParts, VolumeParts } from './deployment.ts'
import { ingressKey } from './ingress-shape.ts'
import { integer } from './numbers.ts'
import { report, scalar } from './scalar.ts'
import { secretsKey } from './secrets-shape.ts'
import { exactText, setShape, variableMap } from './set-shape.ts'
import { mapping, pairs, plainValue, record } from './shapes.ts'
import { cut } from './show.ts'
import { boolean, name, text } from './texts.ts'

const NAME_ON_ENGINE = { expected: 'a name', example: 'provider', pattern: '^[a-zA-Z0-9][a-zA-Z0-9_.-]*$' }

const labels = pairs({
  bare: '',
  checkName: (label) =>
    label.startsWith('dev.graft.')
      ? { mistake: "labels under dev.graft. are graft's own", remedy: 'choose a name of your own' }
      : null,
})

const driverOptions = record(plainValue())
const textMap = record(text())
const externalFlag = boolean().meta({ description: 'true: it exists already, and graft never makes or removes it' })

const ipamConfig = mapping({
  subnet: subnet().optional(),
  gateway: ip().optional(),
  ip_range: subnet().optional(),
  aux_addresses: record(ip()).optional(),
}).transform((range) => definedOnly(range, ['subnet', 'gateway', 'ip_range', 'aux_addresses']))

const network = mapping(
  {
    name: text(NAME_ON_ENGINE)
      .optional()
      .meta({ description: 'Name on the engine; DEPLOYMENT_NAME where it is left out' }),
    external: externalFlag.optional(),
    driver: text().optional().meta({ description: 'bridge where it is left out' }),
    driver_opts: driverOptions.optional(),
    internal: boolean().optional().meta({ description: 'true: no way out' }),
    attachable: boolean().optional(),
    enable_ipv6: boolean().optional(),
    ipam: mapping({
      driver: text().optional(),
      options: textMap.optional(),
      config: z.array(ipamConfig).optional(),
    }).optional(),
    labels: labels.optional(),
  },
  { enable_ipv4: 'leave it out: networks without IPv4 are not served' },
).transform((wish, context): NetworkParts => {
  externalAlone(wish, ['driver', 'driver_opts', 'internal', 'attachable', 'enable_ipv6', 'ipam', 'labels'], context)
  return {
    ...(wish.name === undefined ? {} : { name: wish.name }),
    external: wish.external ?? false,
    options: {
      driver: wish.driver ?? 'bridge',
      driver_opts: wish.driver_opts ?? {},
      internal: wish.internal ?? false,
      attachable: wish.attachable ?? false,
      enable_ipv6: wish.enable_ipv6 ?? false,
      ipam: { ...definedOnly(wish.ipam ?? {}, ['driver', 'options']), config: wish.ipam?.config ?? [] },
      labels: wish.labels ?? {},
    },
  }
})

const volume = mapping({
  name: text(NAME_ON_ENGINE)
    .optional()
    .meta({ description: 'Name on the engine; DEPLOYMENT_NAME where it is left out' }),
  external: externalFlag.optional(),
  driver: text().optional().meta({ description: 'local where it is left out' }),
  driver_opts: driverOptions.optional(),
  labels: labels.optional(),
}).transform((wish, context): VolumeParts => {
  externalAlone(wish, ['driver', 'driver_opts', 'labels'], context)
  return {
    ...(wish.name === undefined ? {} : { name: wish.name }),
    external: wish.external ?? false,
    options: { driver: wish.driver ?? 'local', driver_opts: wish.driver_opts ?? {}, labels: wish.labels ?? {} },
  }
})

function externalAlone(wish: Record<string, unknown>, keys: readonly string[], context: z.core.$RefinementCtx): void {
  if (wish['external'] !== true) return
  for (const key of keys) {
    if (wish[key] === undefined) continue
    const mistake = 'graft does not make what is external, so this would have no effect'
    report(context, { mistake, remedy: `leave ${key} out` }, [key], 'key')
  }
}

/** The named keys of `wish` that have a value. */
function definedOnly<W extends object, K extends keyof W>(
  wish: W,
  keys: readonly K[],
): { [P in K]?: Exclude<W[P], undefined> } {
  const defined: { [P in K]?: Exclude<W[P], undefined> } = {}
  for (const key of keys) {
    const value = wish[key]
    if (value !== undefined) defined[key] = value as Exclude<W[K], undefined>
  }
  return defined
}

/** `{NAME: null | {…}}`, as Compose's top-level networks and volumes. */
function declared<T>(item: z.ZodType<T>, empty: () => T): z.ZodType<Record<string, T>> {
  return record(z.union([z.null().transform(empty), item]), (key) =>
    /^[a-zA-Z0-9][a-zA-Z0-9._-]*$/.test(key)
      ? null
      : { mistake: `"${cut(key)}" is no name`, remedy: 'use letters, digits, and inner . _ -' },
  )
}

const hostVariable = z.union([
  exactText('10.0.0.1').transform((example): HostVariable => ({ example })),
  mapping({
    example: exactText('10.0.0.1').meta({ description: 'Used where the host is not known, as in a pull request' }),
    description: text('empty').optional(),
  }).transform((wish): HostVariable =>
    wish.description === undefined
      ? { example: wish.example }
      : { example: wish.example, description: wish.description },
  ),
])

const format = scalar<1>({
  types: ['number', 'string'],
  expected: '1',
  example: 'format: 1',
  json: { enum: [1] },
  read: (value) => (String(value) === '1' ? { value: 1 } : null),
})

export const deploymentShape = {
  name: name('openstack').meta({ description: "The deployment's name, part of every label; bound at the first run" }),
  format: format.optional().meta({ description: 'The version of this format, with its defaults' }),
  prefix: text({
    expected: 'a prefix of lower-case letters, digits and hyphens that starts with a letter or digit, or ""',
    example: 'os-',
    pattern: '^([a-z0-9][a-z0-9-]{0,31})?$',
  })
    .optional()
    .meta({ description: 'Put before every container name; bound at the first run' }),
  networks: declared(network, () => network.parse({}))
    .optional()
    .meta({ description: 'Networks, as in Compose' }),
  volumes: declared(volume, () => volume.parse({}))
    .optional()
    .meta({ description: 'Volumes, as in Compose' }),
  secrets: secretsKey.optional().meta({
    description: 'Secrets that leaves may use, each from a file that SOPS encrypted or from a file of the host',
  }),
  host_variables: variableMap(hostVariable)
    .optional()
    .meta({ description: 'Names that the host must supply, each with an example' }),
  ingress: ingressKey
    .optional()
    .meta({ description: 'The load balancer in front of the ports with mode: ingress, as one HAProxy container' }),
  removal_limit: integer({ min: 0, example: '10' }).optional().meta({
    description: "The most leaves one plan may remove without confirmation; may only lower the host's own limit",
  }),
  ...setShape,
}

/** Keys that a deployment does not have, with what to do instead. */
export const deploymentAdvice: Readonly<Record<string, string>> = {
  services: 'write each service as a file of its own, NAME.yaml, in this folder or one below with a set.yaml',
  hosts: 'comes with a later version; until then write one deployment for each host',
  configs: 'use files in the leaves',
  include: 'put the files into folders of this deployment, each with a set.yaml',
  image: 'write it in a leaf, or under defaults',
  generation: 'write it in each leaf',
}
