// What a leaf asks for that reaches beyond its own container, as a closed list with words for people. Pure.

import { hostNamespaces } from './host-namespaces.ts'
import type { HostNamespace } from './host-namespaces.ts'
import { mountPrivileges } from './mount-privileges.ts'
import { namespaceOwner } from './namespace-owner.ts'
import { networkPrivileges } from './network-privileges.ts'
import { cut } from './schema/show.ts'
import { MOST_SHARING, sharesProcesses } from './shared-processes.ts'
import type { Spec } from './spec.ts'
import type { Leaf, Tree } from './tree.ts'

/** `text` reads like the line that asks for it: `pid: host`, `cap_add: NET_ADMIN`, `bind: /run (shared)`. */
export type Privilege = { readonly text: string } & (
  | { readonly kind: 'privileged' }
  | { readonly kind: 'host_namespace'; readonly namespace: HostNamespace }
  | { readonly kind: 'cap_add'; readonly capability: string }
  | { readonly kind: 'device'; readonly source: string }
  | { readonly kind: 'device_cgroup_rule'; readonly rule: string }
  | { readonly kind: 'gpus' }
  /** `relabel`: SELinux labels of the host's own files are changed for it. */
  | {
      readonly kind: 'bind'
      readonly source: string
      readonly readOnly: boolean
      readonly propagation: string | null
      readonly relabel: boolean
    }
  | { readonly kind: 'security_opt'; readonly option: string }
  | { readonly kind: 'sysctl'; readonly name: string }
  | { readonly kind: 'annotation'; readonly name: string }
  /** Names on the engine. */
  | { readonly kind: 'external_network'; readonly name: string }
  | { readonly kind: 'external_volume'; readonly name: string }
  /** `hasOptions`: a `driver_opts` of the bridge driver can join an interface of the host. */
  | { readonly kind: 'network_driver'; readonly driver: string; readonly hasOptions: boolean }
  /** Of a bridge: the host's own traffic to these addresses goes to it. */
  | { readonly kind: 'subnet'; readonly range: string }
  /** `hasOptions`: a `driver_opts` of the local driver mounts any folder or server. */
  | { readonly kind: 'volume_driver'; readonly driver: string; readonly hasOptions: boolean }
  | { readonly kind: 'runtime'; readonly runtime: string }
  | { readonly kind: 'logging_driver'; readonly driver: string }
  | { readonly kind: 'cgroup_parent'; readonly parent: string }
  | { readonly kind: 'oom'; readonly setting: 'oom_kill_disable' | 'oom_score_adj' }
  | { readonly kind: 'ulimit'; readonly name: string }
)

/** Logging drivers that write nothing but their own rotated files. */
const HARMLESS_LOGGING: ReadonlySet<string> = new Set(['json-file', 'local', 'none'])

/**
 * What engines give a container that names none, NET_RAW aside; a leaf that drops ALL may take them back
 * (Kubernetes Pod Security Standards, baseline, Capabilities).
 */
export const USUAL_CAPABILITIES: ReadonlySet<string> = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
])

/**
 * Security options that say what holds without them, or less. `seccomp=builtin` is none: it takes the place of a stricter
 * profile that the host's engine may have.
 */
const HARMLESS_OPTION =
  /^(?:no-new-privileges(?:[:=]true)?|apparmor=docker-default|label=type:container_t|writable-cgroups=false)$/

/** Limits on priorities: with one a process may go before those of the host, whatever share of the processors it has. */
const BEFORE_OTHERS: ReadonlySet<string> = new Set(['nice', 'rtprio'])

/** Kernel parameters of the container alone (Kubernetes Pod Security Standards, baseline, Sysctls). */
const SAFE_SYSCTLS: ReadonlySet<string> = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_syncookies',
])

/** What each leaf was found to ask for, and what it was looked up in. */
const remembered = new WeakMap<Leaf, Pick<Tree, 'networks' | 'volumes'> & { readonly found: readonly Privilege[] }>()

/**
 * Everything of the kind that `leaf` asks for, in a fixed order; empty for a leaf that keeps to itself. A leaf that is
 * the same object among the same networks and volumes costs one look, unless it depends on what other leaves ask for.
 */
export function privilegesOf(leaf: Leaf, tree: Tree): readonly Privilege[] {
  const { spec } = leaf
  if ([spec.network_mode, spec.pid, spec.ipc].some((mode) => mode?.startsWith('service:')))
    return findPrivileges(leaf, tree)
  if (sharesProcesses(leaf, tree).length > 0) return findPrivileges(leaf, tree)
  const known = remembered.get(leaf)
  if (known?.networks === tree.networks && known.volumes === tree.volumes) return known.found
  const found = findPrivileges(leaf, tree)
  remembered.set(leaf, { networks: tree.networks, volumes: tree.volumes, found })
  return found
}

function findPrivileges(leaf: Leaf, tree: Tree): readonly Privilege[] {
  const { spec } = leaf
  const found: Privilege[] = []
  if (spec.privileged) found.push({ kind: 'privileged', text: 'privileged' })
  found.push(...hostNamespaces(leaf, tree))
  for (const capability of spec.cap_add) {
    if (!USUAL_CAPABILITIES.has(capability)) found.push({ kind: 'cap_add', capability, text: `cap_add: ${capability}` })
  }
  for (const { source } of spec.devices) found.push({ kind: 'device', source, text: `device: ${source}` })
  for (const rule of spec.device_cgroup_rules) {
    found.push({ kind: 'device_cgroup_rule', rule, text: `device_cgroup_rule: ${rule}` })
  }
  if ((spec.gpus?.length ?? 0) > 0) found.push({ kind: 'gpus', text: 'gpus' })
  found.push(...mountPrivileges(spec, tree))
  found.push(...seenOfOthers(leaf, tree, found))
  found.push(...kernelPrivileges(spec))
  found.push(...networkPrivileges(spec, tree))
  const owner = namespaceOwner(leaf, 'network_mode', tree)
  if (owner !== null && owner !== leaf) found.push(...through(owner, networkPrivileges(owner.spec, tree), found))
  if (spec.runtime !== undefined)
    found.push({ kind: 'runtime', runtime: spec.runtime, text: `runtime: ${spec.runtime}` })
  for (const name of Object.keys(spec.annotations)) {
    found.push({ kind: 'annotation', name, text: `annotation: ${cut(name)}` })
  }
  const { driver } = spec.logging
  if (!HARMLESS_LOGGING.has(driver)) found.push({ kind: 'logging_driver', driver, text: `logging driver: ${driver}` })
  if (spec.cgroup_parent !== undefined) {
    found.push({ kind: 'cgroup_parent', parent: spec.cgroup_parent, text: `cgroup_parent: ${spec.cgroup_parent}` })
  }
  if (spec.oom_kill_disable === true) found.push({ kind: 'oom', setting: 'oom_kill_disable', text: 'oom_kill_disable' })
  if (spec.oom_score_adj !== undefined && spec.oom_score_adj < 0) {
    found.push({ kind: 'oom', setting: 'oom_score_adj', text: `oom_score_adj: ${spec.oom_score_adj}` })
  }
  for (const name of Object.keys(spec.ulimits)) {
    if (BEFORE_OTHERS.has(name)) found.push({ kind: 'ulimit', name, text: `ulimit: ${name}` })
  }
  return found
}

/** Of the leaves in its process namespace it sees all that they have mounted. */
function seenOfOthers(leaf: Leaf, tree: Tree, own: readonly Privilege[]): Privilege[] {
  const sharing = sharesProcesses(leaf, tree)
  if (sharing.length <= MOST_SHARING) {
    return sharing.flatMap((other) =>
      other.name === leaf.name ? [] : through(other, mountPrivileges(other.spec, tree), own),
    )
  }
  if (own.some((one) => one.kind === 'host_namespace' && one.namespace === 'pid')) return []
  return [{ kind: 'host_namespace', namespace: 'pid', text: `pid: shared by ${sharing.length} leaves` }]
}

/** What it has by way of another leaf, and not by itself already. */
function through({ name }: Leaf, others: readonly Privilege[], own: readonly Privilege[]): Privilege[] {
  const known = new Set(own.map(({ text }) => text))
  return others.filter(({ text }) => !known.has(text)).map((one) => ({ ...one, text: `${one.text} (through ${name})` }))
}

function kernelPrivileges(spec: Spec): Privilege[] {
  const options = spec.security_opt
    .filter((option) => !HARMLESS_OPTION.test(option))
    .map((option) => ({ kind: 'security_opt', option, text: `security_opt: ${cut(option)}` }) as const)
  const sysctls = Object.keys(spec.sysctls)
    .map(sysctlName)
    .filter((name) => !SAFE_SYSCTLS.has(name))
    .map((name) => ({ kind: 'sysctl', name, text: `sysctl: ${cut(name)}` }) as const)
  return [...options, ...sysctls]
}

/** `net/ipv4/ip_forward` is `net.ipv4.ip_forward`; the first separator says which of the two forms it is (sysctl.d(5)). */
export function sysctlName(written: string): string {
  if (/[./]/.exec(written)?.[0] !== '/') return written
  return written.replaceAll(/[./]/g, (sign) => (sign === '/' ? '.' : '/'))
}
