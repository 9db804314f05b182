// deployment.yaml: the root set, and what only a deployment has: its name, prefix, networks, volumes, host variables.

import type { SnapshotEntry } from '../repository/snapshot.ts'
import { ingressLeaf } from './ingress-leaf.ts'
import { INGRESS_VOLUME } from './ingress-names.ts'
import { interpolateValue } from './interpolate-value.ts'
import type { Problem } from './problem.ts'
import type { ReadLeaf } from './read-leaf.ts'
import { parseDeployment } from './schema/deployment.ts'
import type { DeploymentParts } from './schema/deployment.ts'
import { hostScope } from './scope.ts'
import { faultProblems, handsDownTheSame, isMapping, issueProblems, makeContext, scopeOf } from './set-context.ts'
import type { Reading, SetContext } from './set-context.ts'
import type { NetworkWish, VolumeWish } from './tree.ts'
import type { Locate, YamlDocument } from './yaml-document.ts'

export interface RootContext extends SetContext {
  readonly parent: null
  readonly parts: DeploymentParts | null
  readonly prefix: string
  /** Whether the file asks for an ingress; its leaf is null where that has mistakes. */
  readonly ingress: boolean
  readonly ingressLeaf: () => ReadLeaf | null
  /** Declared networks; `default` among them even where the file does not name it. */
  readonly networks: ReadonlyMap<string, NetworkWish>
  readonly volumes: ReadonlyMap<string, VolumeWish>
}

const TAKEN_AS_WRITTEN: ReadonlySet<string> = new Set([
  'ingress.image_policy',
  'name',
  'format',
  'prefix',
  'description',
  'defaults',
  'variables',
  'version',
  'host_variables',
])

/** `host`: the host's own values; null: the examples. `before`: the file as it was read last, with the same values. */
export function readDeployment(
  entry: SnapshotEntry,
  host: ReadonlyMap<string, string> | null,
  reading: Reading,
  before: RootContext | null = null,
): RootContext {
  const document = reading.document(entry)
  const { locate } = reading
  const written = isMapping(document.value) ? document.value : {}
  const prefix = typeof written['prefix'] === 'string' ? written['prefix'] : ''
  const supplied = suppliedValues(document, host, locate)
  const { scope, problems: variableProblems } = scopeOf(document, hostScope(supplied.values, prefix), locate)
  const filled = interpolateValue(document.value, scope, TAKEN_AS_WRITTEN)
  const problems: Problem[] = [
    ...document.problems,
    ...supplied.problems,
    ...variableProblems,
    ...faultProblems(filled, scope, document, locate),
  ]
  const parsed = document.problems.length > 0 ? { parts: null, issues: [] } : parseDeployment(filled.value)
  problems.push(...issueProblems(parsed.issues, document, problems, locate))
  const { parts } = parsed
  if (parts !== null) problems.push(...engineNameClashes(parts, document, locate))
  if (parts !== null) problems.push(...takenVolume(parts, document, locate))
  const facts = { path: '', document, parent: null, root: () => context, parts, scope, problems }
  const below =
    before !== null && meansTheSame(before, parts) && handsDownTheSame(before, facts) ? before.below : undefined
  const base = makeContext(facts, below)
  const valueIn = (value: unknown): unknown => (isMapping(value) ? value['ingress'] : undefined)
  const wish = { real: valueIn(filled.value), symbolic: valueIn(filled.symbolic), parts: parts?.ingress ?? null }
  let leaf: ReadLeaf | null | undefined
  const context: RootContext = {
    ...base,
    parent: null,
    parts,
    prefix,
    ingress: written['ingress'] != null,
    ingressLeaf: () => (leaf === undefined ? (leaf = ingressLeaf(wish, context, document, locate)) : leaf),
    networks: networksOf(parts),
    volumes: volumesOf(parts),
  }
  return context
}

/** Whether everything that leaves look at in `deployment.yaml` is as it was. An ingress is a leaf of its own. */
function meansTheSame(before: RootContext, after: DeploymentParts | null): boolean {
  if (before.parts === null || after === null || before.parts.ingress !== null || after.ingress !== null) return false
  const seen = ({ name, prefix, networks, volumes, secrets, host_variables: supplied }: DeploymentParts): string =>
    JSON.stringify([name, prefix, networks, volumes, secrets, supplied])
  return seen(before.parts) === seen(after)
}

/** Values for the names in host_variables; a name the host does not supply is a problem and stands in as its example. */
function suppliedValues(document: YamlDocument, host: ReadonlyMap<string, string> | null, locate: Locate) {
  const values = new Map<string, string>()
  const problems: Problem[] = []
  const written = isMapping(document.value) ? document.value : {}
  const declared = isMapping(written['host_variables']) ? written['host_variables'] : {}
  const own = isMapping(written['variables']) ? written['variables'] : {}
  for (const [name, facts] of Object.entries(declared)) {
    const example: unknown = isMapping(facts) ? facts['example'] : facts
    const value = host?.get(name)
    values.set(name, value ?? (example == null || typeof example === 'object' ? '' : String(example)))
    const problem = (message: string, remedy: string): void => {
      const place = locate(document.entry, ['host_variables', name], 'key')
      problems.push({ ...place, message, remedy, leaf: null, severity: 'unreadable' })
    }
    if (host !== null && value === undefined) {
      problem(
        `this host has no value for ${name}`,
        `add a line "${name}: VALUE" to the host's variables file (host.yaml in graft's state folder, or --host-variables)`,
      )
    }
    if (Object.hasOwn(own, name)) {
      problem(`${name} is declared under variables and under host_variables`, 'keep one of the two')
    }
    if (name === 'version' || name === 'prefix') problem(`${name} is graft's own variable`, 'give it another name')
  }
  return { values, problems }
}

function networksOf(parts: DeploymentParts | null): Map<string, NetworkWish> {
  const networks = new Map<string, NetworkWish>()
  if (parts === null) return networks
  for (const [key, { name, external, options }] of Object.entries(parts.networks)) {
    networks.set(key, { key, name: name ?? engineName(parts, key, external), external, options })
  }
  if (!networks.has('default')) {
    const options = { driver: 'bridge', driver_opts: {}, internal: false, attachable: false, enable_ipv6: false }
    const empty = { ...options, ipam: { config: [] }, labels: {} }
    networks.set('default', {
      key: 'default',
      name: engineName(parts, 'default', false),
      external: false,
      options: empty,
    })
  }
  return networks
}

function volumesOf(parts: DeploymentParts | null): Map<string, VolumeWish> {
  const volumes = new Map<string, VolumeWish>()
  if (parts === null) return volumes
  if (parts.ingress !== null) {
    const options = { driver: 'local', driver_opts: {}, labels: {} }
    const name = engineName(parts, INGRESS_VOLUME, false)
    volumes.set(INGRESS_VOLUME, { key: INGRESS_VOLUME, name, external: false, options })
  }
  for (const [key, { name, external, options }] of Object.entries(parts.volumes)) {
    if (volumes.has(key)) continue
    volumes.set(key, { key, name: name ?? engineName(parts, key, external), external, options })
  }
  return volumes
}

/** As in Compose: an external thing is found under its own key, everything else belongs to the deployment. */
function engineName(parts: DeploymentParts, key: string, external: boolean): string {
  return external ? key : `${parts.name}_${key}`
}

/**
 * What lies in the ingress's volume opens the ingress to whoever mounts it, also to one that did so before there was an
 * ingress.
 */
function takenVolume(parts: DeploymentParts, document: YamlDocument, locate: Locate): Problem[] {
  const taken = engineName(parts, INGRESS_VOLUME, false)
  return Object.entries(parts.volumes).flatMap(([key, { name, external }]): Problem[] => {
    // With an ingress, another one of its name is a clash of names.
    const isTaken = parts.ingress === null && (name ?? engineName(parts, key, external)) === taken
    if (key !== INGRESS_VOLUME && !isTaken) return []
    const place = locate(document.entry, ['volumes', key], 'key')
    const message = `the volume ${key === INGRESS_VOLUME ? key : taken} is the ingress's own`
    return [{ ...place, message, remedy: 'give yours another name', leaf: null, severity: 'unreadable' }]
  })
}

function engineNameClashes(parts: DeploymentParts, document: YamlDocument, locate: Locate): Problem[] {
  const problems: Problem[] = []
  for (const [section, wishes] of [
    ['networks', networksOf(parts)],
    ['volumes', volumesOf(parts)],
  ] as const) {
    const holders = new Map<string, string>()
    for (const { key, name } of wishes.values()) {
      const holder = holders.get(name)
      if (holder !== undefined) {
        const place = locate(document.entry, [section, key], 'key')
        const message = `${section} ${holder} and ${key} are both named ${name} on the engine`
        problems.push({
          ...place,
          message,
          remedy: 'give one of them another name',
          leaf: null,
          severity: 'unreadable',
        })
      }
      holders.set(name, key)
    }
  }
  return problems
}
