// Whether the host's policy lets a leaf have what it asks for, and how much one commit may remove. Pure.

import { posix } from 'node:path'
import { matchesGlob } from './glob.ts'
import { INGRESS_CAPABILITIES } from './ingress-names.ts'
import type { Grant, Policy } from './policy.ts'
import { privilegesOf } from './privileges.ts'
import type { Privilege } from './privileges.ts'
import type { Problem } from './problem.ts'
import type { Leaf, Tree } from './tree.ts'

/**
 * Null where all is granted. `allowPrivileged`: the person said so for this run. The problem holds this leaf, names
 * what is missing, and its remedy is the entry to add under `grants:` of the policy file.
 */
export function judgePolicy(leaf: Leaf, tree: Tree, policy: Policy, allowPrivileged: boolean): Problem | null {
  if (allowPrivileged) return null
  const missing = missingPrivileges(leaf, tree, policy)
  if (missing.length === 0) return null
  const names = missing.map((privilege) => privilege.text).join(', ')
  return {
    file: leaf.file,
    line: null,
    column: null,
    text: null,
    message: `${leaf.name} asks for ${names}, and this host's policy does not grant ${missing.length === 1 ? 'it' : 'them'}`,
    remedy: `if this host is to allow it, add under \`grants:\` of its policy file (policy.yaml in graft's state folder, or --policy): - ${grantText(leaf, missing, tree)}`,
    leaf: leaf.name,
    severity: 'held',
  }
}

/** What the leaf asks for and no grant gives. */
export function missingPrivileges(leaf: Leaf, tree: Tree, policy: Policy): readonly Privilege[] {
  const asked = privilegesOf(leaf, tree)
  if (asked.length === 0) return asked
  const path = leafPath(leaf)
  const grants = (policy.grants ?? []).filter((grant) => grant.paths.some((pattern) => matchesGlob(pattern, path)))
  return asked.filter(
    (privilege) =>
      !grants.some(
        (grant) =>
          gives(grant, privilege) || (grant.ingress === true && isIngress(leaf, tree) && isOfIngress(privilege)),
      ),
  )
}

/** What globs in `paths` are compared with: `control/nova/nova-api`. */
export function leafPath(leaf: Leaf): string {
  return leaf.set === '' ? leaf.name : `${leaf.set}/${leaf.name}`
}

/**
 * The most leaves that one plan may remove without confirmation, `managed` being how many there are on the host now.
 * Where the host's policy says nothing: a quarter of them, but at least 3. The repository may only lower it.
 */
export function removalLimit(policy: Policy, tree: Pick<Tree, 'removal_limit'>, managed: number): number {
  const host = policy.removal_limit
  const own =
    host === undefined
      ? Math.max(3, Math.floor(managed / 4))
      : typeof host === 'number'
        ? host
        : Math.floor((managed * Number.parseInt(host, 10)) / 100)
  return tree.removal_limit === null ? own : Math.min(own, tree.removal_limit)
}

function isIngress(leaf: Leaf, tree: Tree): boolean {
  return leaf.name === tree.ingress?.leaf
}

/** What every ingress asks for by its nature; `ingress: true` grants exactly this, and to no other leaf. */
function isOfIngress(privilege: Privilege): boolean {
  return (
    (privilege.kind === 'host_namespace' && privilege.namespace === 'network') ||
    (privilege.kind === 'cap_add' && INGRESS_CAPABILITIES.includes(privilege.capability))
  )
}

function gives(grant: Grant, privilege: Privilege): boolean {
  switch (privilege.kind) {
    case 'privileged':
      return grant.privileged === true
    case 'host_namespace':
      return has(grant.host_namespaces, privilege.namespace)
    case 'cap_add':
      return has(grant.cap_add, privilege.capability) || has(grant.cap_add, 'ALL')
    case 'device':
      return matchesAny(grant.devices, clean(privilege.source))
    case 'device_cgroup_rule':
      return has(grant.device_cgroup_rules, privilege.rule)
    case 'gpus':
      return grant.gpus === true
    case 'bind':
      return (grant.binds ?? []).some(
        (bind) => coversPath(bind.source, clean(privilege.source)) && (privilege.readOnly || bind.read_only !== true),
      )
    case 'security_opt':
      return has(grant.security_opt, privilege.option)
    case 'external_network':
      return matchesAny(grant.external_networks, privilege.name)
    case 'external_volume':
      return matchesAny(grant.external_volumes, privilege.name)
    case 'network_driver':
      return has(grant.network_drivers, privilege.driver)
    case 'volume_driver':
      return has(grant.volume_drivers, privilege.driver)
    case 'runtime':
      return has(grant.runtimes, privilege.runtime)
    case 'logging_driver':
      return has(grant.logging_drivers, privilege.driver)
    case 'cgroup_parent':
      return has(grant.cgroup_parents, privilege.parent)
    case 'oom':
      return grant.oom === true
  }
}

/** The engine's socket is the whole host: a pattern never covers it by chance, only its own name does. */
function coversPath(pattern: string, source: string): boolean {
  if (/\/(docker|podman|containerd)(\.sock|\/.*\.sock)$/.test(source)) return pattern === source
  return matchesGlob(pattern, source)
}

function has(list: readonly string[] | undefined, value: string): boolean {
  return list?.includes(value) === true
}

function matchesAny(patterns: readonly string[] | undefined, value: string): boolean {
  return patterns?.some((pattern) => matchesGlob(pattern, value)) === true
}

function clean(path: string): string {
  const normal = posix.normalize(path)
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal
}

/** One entry of `grants:` that gives exactly what is missing, in YAML's flow form. */
export function grantText(leaf: Leaf, missing: readonly Privilege[], tree: Tree): string {
  const keys = new Map<string, string[]>()
  for (const privilege of missing) {
    const [key, value] = isIngress(leaf, tree) && isOfIngress(privilege) ? ['ingress', 'true'] : grantKey(privilege)
    const values = keys.get(key) ?? []
    if (!values.includes(value)) keys.set(key, [...values, value])
  }
  const parts = [...keys].map(([key, values]) => `${key}: ${values[0] === 'true' ? 'true' : `[${values.join(', ')}]`}`)
  return `{paths: [${leafPath(leaf)}], ${parts.join(', ')}}`
}

function grantKey(privilege: Privilege): [string, string] {
  switch (privilege.kind) {
    case 'privileged':
    case 'gpus':
    case 'oom':
      return [privilege.kind, 'true']
    case 'host_namespace':
      return ['host_namespaces', privilege.namespace]
    case 'cap_add':
      return ['cap_add', privilege.capability]
    case 'device':
      return ['devices', quoted(clean(privilege.source))]
    case 'device_cgroup_rule':
      return ['device_cgroup_rules', quoted(privilege.rule)]
    case 'bind':
      return ['binds', `{source: ${quoted(clean(privilege.source))}${privilege.readOnly ? ', read_only: true' : ''}}`]
    case 'security_opt':
      return ['security_opt', quoted(privilege.option)]
    case 'external_network':
      return ['external_networks', quoted(privilege.name)]
    case 'external_volume':
      return ['external_volumes', quoted(privilege.name)]
    case 'network_driver':
      return ['network_drivers', quoted(privilege.driver)]
    case 'volume_driver':
      return ['volume_drivers', quoted(privilege.driver)]
    case 'runtime':
      return ['runtimes', quoted(privilege.runtime)]
    case 'logging_driver':
      return ['logging_drivers', quoted(privilege.driver)]
    case 'cgroup_parent':
      return ['cgroup_parents', quoted(privilege.parent)]
  }
}

/** Plain where YAML's flow form takes it plain. */
function quoted(text: string): string {
  return /^[A-Za-z0-9/._-]+$/.test(text) ? text : JSON.stringify(text)
}
