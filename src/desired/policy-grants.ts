// Which of the things a leaf asks for the host's grants give, and the grant that would give the rest. Pure.

import { isInRange } from './address-range.ts'
import { matchesGlob } from './glob.ts'
import { cleanPath, covers, seen } from './host-paths.ts'
import type { HostPlaces, SeenPath } from './host-paths.ts'
import { leafPath } from './leaf-path.ts'
import type { Grant, Policy } from './policy.ts'
import { privilegesOf } from './privileges.ts'
import type { Privilege } from './privileges.ts'
import { flow } from './schema/show.ts'
import type { Leaf, Tree } from './tree.ts'

/** What the leaf asks for and no grant gives. */
export function missingPrivileges(leaf: Leaf, tree: Tree, policy: Policy, places: HostPlaces): readonly Privilege[] {
  const asked = privilegesOf(leaf, tree)
  if (asked.length === 0) return asked
  const path = leafPath(leaf)
  const grants = (policy.grants ?? []).filter((grant) => grant.paths.some((pattern) => matchesGlob(pattern, path)))
  return asked.filter(
    (privilege) =>
      !grants.some(
        (grant) =>
          gives(grant, privilege, places) ||
          (grant.ingress === true && isIngress(leaf, tree) && isOfIngress(privilege)),
      ),
  )
}

function isIngress(leaf: Leaf, tree: Tree): boolean {
  return leaf.name === tree.ingress?.leaf
}

/** What every ingress asks for by its nature; `ingress: true` grants exactly this, and to no other leaf. Its capabilities are usual ones. */
function isOfIngress(privilege: Privilege): boolean {
  return privilege.kind === 'host_namespace' && privilege.namespace === 'network'
}

function gives(grant: Grant, privilege: Privilege, places: HostPlaces): boolean {
  switch (privilege.kind) {
    case 'privileged':
      return grant.privileged === true
    case 'host_namespace':
      return has(grant.host_namespaces, privilege.namespace)
    case 'cap_add':
      return (grant.cap_add ?? []).some((name) => ['ALL', privilege.capability].includes(capabilityName(name)))
    case 'device':
      return givesDevice(grant, privilege.source, places)
    case 'device_cgroup_rule':
      return has(grant.device_cgroup_rules, privilege.rule)
    case 'gpus':
      return grant.gpus === true
    case 'bind':
      return givesBind(grant, privilege, places)
    case 'security_opt':
      return (grant.security_opt ?? []).some((option) => beginsSo(option, privilege.option))
    case 'sysctl':
      return matchesText(grant.sysctls, privilege.name)
    case 'annotation':
      return matchesText(grant.annotations, privilege.name)
    case 'external_network':
      return matchesAny(grant.external_networks, privilege.name)
    case 'external_volume':
      return matchesAny(grant.external_volumes, privilege.name)
    case 'network_driver':
      return has(grant.network_drivers, privilege.driver)
    case 'subnet':
      return grant.subnets?.some((range) => isInRange(privilege.range, range)) === true
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
    case 'ulimit':
      return has(grant.ulimits, privilege.name)
  }
}

function givesBind(
  grant: Grant,
  { source, readOnly, relabel }: Extract<Privilege, { kind: 'bind' }>,
  places: HostPlaces,
): boolean {
  const wanted = seen(source, places)
  if (wanted.kind === 'root')
    return !relabel && (grant.host_root === true || (readOnly && grant.host_root === 'read_only'))
  if (wanted.kind === 'socket') return !relabel && grant.engine_socket === true
  return (grant.binds ?? []).some(
    (bind) =>
      covers(bind.source, wanted, places) &&
      (readOnly || bind.read_only !== true) &&
      (!relabel || bind.relabel === true),
  )
}

/** Links below /dev are the kernel's and udev's; one that lies elsewhere counts as what it leads to. */
function givesDevice(grant: Grant, source: string, places: HostPlaces): boolean {
  const clean = cleanPath(source)
  if (!clean.startsWith('/') || clean.startsWith('/dev/')) return matchesAny(grant.devices, clean)
  const { path, sure } = seen(source, places)
  return sure ? matchesAny(grant.devices, path) : has(grant.devices, clean)
}

function has(list: readonly string[] | undefined, value: string): boolean {
  return list?.includes(value) === true
}

function matchesAny(patterns: readonly string[] | undefined, value: string): boolean {
  return patterns?.some((pattern) => matchesGlob(pattern, value)) === true
}

/** Names without folders: `*` stands for anything. */
function matchesText(patterns: readonly string[] | undefined, value: string): boolean {
  const flat = (text: string): string => text.replaceAll('/', '\u0000')
  return patterns?.some((pattern) => matchesGlob(flat(pattern), flat(value))) === true
}

function beginsSo(pattern: string, value: string): boolean {
  return pattern.endsWith('*') ? value.startsWith(pattern.slice(0, -1)) : pattern === value
}

/** As a leaf's own are read: `cap_net_admin` is `NET_ADMIN`. */
export function capabilityName(written: string): string {
  return written.toUpperCase().replace(/^CAP_/, '')
}

/** What people should know of what is `missing` before they grant it: clauses, each once. */
export function warningsOf(missing: readonly Privilege[], places: HostPlaces): string[] {
  const found = missing.flatMap((privilege) => {
    const [, value] = grantOf(privilege, places)
    if (/[*?]/.test(JSON.stringify(value).replace('seccomp={*', '')))
      return [`careful: ${privilege.text} holds a wildcard, and a grant of it would give more`]
    if (privilege.kind !== 'bind') return []
    const { path, moved, sure, danger } = seen(privilege.source, places)
    return [
      ...(moved ? [`${cleanPath(privilege.source)} leads to ${path} on this host`] : []),
      ...(sure ? [] : [`graft may not look at ${path}, so only a grant of that very path counts`]),
      ...(danger === null ? [] : [`careful with ${path}: ${danger}`]),
    ]
  })
  return [...new Set(found)]
}

/** One entry of `grants:` that gives exactly what is missing, in YAML's flow form. */
export function grantText(leaf: Leaf, missing: readonly Privilege[], tree: Tree, places: HostPlaces): string {
  const keys = new Map<string, unknown>([['paths', [leafPath(leaf)]]])
  for (const privilege of missing) {
    const [key, value] =
      isIngress(leaf, tree) && isOfIngress(privilege) ? (['ingress', true] as const) : grantOf(privilege, places)
    const before = keys.get(key)
    if (!Array.isArray(value)) keys.set(key, before === true ? true : value)
    else if (key === 'cap_add' && [before, value].flat().includes('ALL')) keys.set(key, ['ALL'])
    else keys.set(key, unlike([...(Array.isArray(before) ? before : []), ...value]))
  }
  return flow(Object.fromEntries(keys))
}

function unlike(values: readonly unknown[]): unknown[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()]
}

function grantOf(privilege: Privilege, places: HostPlaces): readonly [key: string, value: unknown] {
  switch (privilege.kind) {
    case 'privileged':
    case 'gpus':
    case 'oom':
      return [privilege.kind, true]
    case 'host_namespace':
      return ['host_namespaces', [privilege.namespace]]
    case 'cap_add':
      return ['cap_add', [privilege.capability]]
    case 'device':
      return ['devices', [devicePath(privilege.source, places)]]
    case 'device_cgroup_rule':
      return ['device_cgroup_rules', [privilege.rule]]
    case 'bind':
      return bindGrant(privilege, seen(privilege.source, places))
    case 'security_opt':
      return ['security_opt', [privilege.option.startsWith('seccomp={') ? 'seccomp={*' : privilege.option]]
    case 'sysctl':
      return ['sysctls', [privilege.name]]
    case 'annotation':
      return ['annotations', [privilege.name]]
    case 'external_network':
      return ['external_networks', [privilege.name]]
    case 'external_volume':
      return ['external_volumes', [privilege.name]]
    case 'network_driver':
      return ['network_drivers', [privilege.driver]]
    case 'subnet':
      return ['subnets', [privilege.range]]
    case 'volume_driver':
      return ['volume_drivers', [privilege.driver]]
    case 'runtime':
      return ['runtimes', [privilege.runtime]]
    case 'logging_driver':
      return ['logging_drivers', [privilege.driver]]
    case 'cgroup_parent':
      return ['cgroup_parents', [privilege.parent]]
    case 'ulimit':
      return ['ulimits', [privilege.name]]
  }
}

function bindGrant(
  { readOnly, relabel }: Extract<Privilege, { kind: 'bind' }>,
  { kind, path }: SeenPath,
): readonly [key: string, value: unknown] {
  if (kind === 'root') return ['host_root', readOnly ? 'read_only' : true]
  if (kind === 'socket') return ['engine_socket', true]
  return ['binds', [{ source: path, ...(readOnly && { read_only: true }), ...(relabel && { relabel: true }) }]]
}

function devicePath(source: string, places: HostPlaces): string {
  const clean = cleanPath(source)
  return !clean.startsWith('/') || clean.startsWith('/dev/') ? clean : seen(source, places).path
}
