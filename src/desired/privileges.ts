// What a leaf asks for that reaches beyond its own container, as a closed list with words for people. Pure.

import type { Spec } from './spec.ts'
import type { Leaf, Tree } from './tree.ts'

export type HostNamespace = 'network' | 'pid' | 'ipc' | 'uts' | 'cgroup' | 'userns'

/** `text` reads like the line that asks for it: `pid: host`, `cap_add: NET_ADMIN`, `bind: /run (shared)`. */
export type Privilege = { readonly text: string } & (
  | { readonly kind: 'privileged' }
  | { readonly kind: 'host_namespace'; readonly namespace: HostNamespace }
  | { readonly kind: 'cap_add'; readonly capability: string }
  | { readonly kind: 'device'; readonly source: string }
  | { readonly kind: 'device_cgroup_rule'; readonly rule: string }
  | { readonly kind: 'gpus' }
  | { readonly kind: 'bind'; readonly source: string; readonly readOnly: boolean; readonly propagation: string | null }
  | { readonly kind: 'security_opt'; readonly option: string }
  /** Names on the engine. */
  | { readonly kind: 'external_network'; readonly name: string }
  | { readonly kind: 'external_volume'; readonly name: string }
  | { readonly kind: 'network_driver'; readonly driver: string }
  /** `hasOptions`: a `driver_opts` of the local driver mounts any folder or server. */
  | { readonly kind: 'volume_driver'; readonly driver: string; readonly hasOptions: boolean }
  | { readonly kind: 'runtime'; readonly runtime: string }
  | { readonly kind: 'logging_driver'; readonly driver: string }
  | { readonly kind: 'cgroup_parent'; readonly parent: string }
  | { readonly kind: 'oom'; readonly setting: 'oom_kill_disable' | 'oom_score_adj' }
)

/** Logging drivers that write nothing but their own rotated files. */
const HARMLESS_LOGGING: ReadonlySet<string> = new Set(['json-file', 'local', 'none'])

/** What each leaf was found to ask for, and the networks and volumes it was looked up in. */
const remembered = new WeakMap<
  Leaf,
  { readonly networks: Tree['networks']; readonly volumes: Tree['volumes']; readonly found: readonly Privilege[] }
>()

/**
 * Everything of the kind that `leaf` asks for, in a fixed order; empty for a leaf that keeps to itself. A leaf that is
 * the same object among the same networks and volumes costs one look.
 */
export function privilegesOf(leaf: Leaf, tree: Tree): readonly Privilege[] {
  const known = remembered.get(leaf)
  if (known?.networks === tree.networks && known.volumes === tree.volumes) return known.found
  const found = findPrivileges(leaf.spec, tree)
  remembered.set(leaf, { networks: tree.networks, volumes: tree.volumes, found })
  return found
}

function findPrivileges(spec: Spec, tree: Tree): readonly Privilege[] {
  const found: Privilege[] = []
  if (spec.privileged) found.push({ kind: 'privileged', text: 'privileged' })
  found.push(...hostNamespaces(spec))
  for (const capability of spec.cap_add) found.push({ kind: 'cap_add', capability, text: `cap_add: ${capability}` })
  for (const { source } of spec.devices) found.push({ kind: 'device', source, text: `device: ${source}` })
  for (const rule of spec.device_cgroup_rules) {
    found.push({ kind: 'device_cgroup_rule', rule, text: `device_cgroup_rule: ${rule}` })
  }
  if ((spec.gpus?.length ?? 0) > 0) found.push({ kind: 'gpus', text: 'gpus' })
  found.push(...mounts(spec, tree))
  for (const option of spec.security_opt) {
    if (!/^no-new-privileges([:=]true)?$/.test(option)) {
      found.push({ kind: 'security_opt', option, text: `security_opt: ${option}` })
    }
  }
  found.push(...networks(spec, tree))
  if (spec.runtime !== undefined)
    found.push({ kind: 'runtime', runtime: spec.runtime, text: `runtime: ${spec.runtime}` })
  const { driver } = spec.logging
  if (!HARMLESS_LOGGING.has(driver)) found.push({ kind: 'logging_driver', driver, text: `logging driver: ${driver}` })
  if (spec.cgroup_parent !== undefined) {
    found.push({ kind: 'cgroup_parent', parent: spec.cgroup_parent, text: `cgroup_parent: ${spec.cgroup_parent}` })
  }
  if (spec.oom_kill_disable === true) found.push({ kind: 'oom', setting: 'oom_kill_disable', text: 'oom_kill_disable' })
  if (spec.oom_score_adj !== undefined && spec.oom_score_adj < 0) {
    found.push({ kind: 'oom', setting: 'oom_score_adj', text: `oom_score_adj: ${spec.oom_score_adj}` })
  }
  return found
}

function hostNamespaces(spec: Spec): Privilege[] {
  const asked: [HostNamespace, string, string | undefined][] = [
    ['network', 'network', spec.network_mode],
    ['pid', 'pid', spec.pid],
    ['ipc', 'ipc', spec.ipc],
    ['uts', 'uts', spec.uts],
    ['cgroup', 'cgroup', spec.cgroup],
    ['userns', 'userns_mode', spec.userns_mode],
  ]
  return asked
    .filter(([, , mode]) => mode === 'host')
    .map(([namespace, key]) => ({ kind: 'host_namespace', namespace, text: `${key}: host` }))
}

function mounts(spec: Spec, tree: Tree): Privilege[] {
  return spec.mounts.flatMap((mount): Privilege[] => {
    if (mount.type === 'bind') {
      const propagation = mount.propagation ?? null
      const words = [...(mount.read_only ? ['read-only'] : []), ...(propagation === null ? [] : [propagation])]
      const text = `bind: ${mount.source}${words.length === 0 ? '' : ` (${words.join(', ')})`}`
      return [{ kind: 'bind', source: mount.source, readOnly: mount.read_only, propagation, text }]
    }
    const volume = mount.type === 'volume' && mount.source ? tree.volumes.get(mount.source) : undefined
    if (volume === undefined) return []
    const { name, key } = volume
    if (volume.external) return [{ kind: 'external_volume', name, text: `external volume: ${name}` }]
    const { driver, driver_opts: options } = volume.options
    const hasOptions = Object.keys(options).length > 0
    if (driver === 'local' && !hasOptions) return []
    const text = hasOptions ? `volume driver options: ${key}` : `volume driver: ${driver}`
    return [{ kind: 'volume_driver', driver, hasOptions, text }]
  })
}

function networks(spec: Spec, tree: Tree): Privilege[] {
  return Object.keys(spec.networks).flatMap((key): Privilege[] => {
    const network = tree.networks.get(key)
    if (network === undefined) return []
    const { name, options } = network
    if (network.external) return [{ kind: 'external_network', name, text: `external network: ${name}` }]
    if (options.driver === 'bridge') return []
    return [{ kind: 'network_driver', driver: options.driver, text: `network driver: ${options.driver}` }]
  })
}
