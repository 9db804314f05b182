// Which namespaces of the host a leaf would share, by itself or through a leaf that it joins. Pure.

import { namespaceOwner } from './namespace-owner.ts'
import type { Privilege } from './privileges.ts'
import type { Leaf, Tree } from './tree.ts'

export type HostNamespace = 'network' | 'pid' | 'ipc' | 'uts' | 'cgroup' | 'userns'

/** `network: host`, `pid: host (through router)`. */
export function hostNamespaces(leaf: Leaf, tree: Tree): Privilege[] {
  const found: Privilege[] = []
  const add = (namespace: HostNamespace, key: string, through: string | null): void => {
    const text = `${key}: host${through === null ? '' : ` (through ${through})`}`
    found.push({ kind: 'host_namespace', namespace, text })
  }
  const joins = [
    ['network', 'network_mode', 'network'],
    ['pid', 'pid', 'pid'],
    ['ipc', 'ipc', 'ipc'],
  ] as const
  for (const [namespace, key, name] of joins) {
    const owner = namespaceOwner(leaf, key, tree)
    if (owner === null) continue
    const isHost = owner.spec[key] === 'host' || (key === 'network_mode' && isOnHostNetwork(owner, tree))
    if (isHost) add(namespace, name, owner === leaf ? null : owner.name)
  }
  const { spec } = leaf
  if (spec.uts === 'host') add('uts', 'uts', null)
  if (spec.cgroup === 'host') add('cgroup', 'cgroup', null)
  if (spec.userns_mode === 'host') add('userns', 'userns_mode', null)
  return found
}

/** Through the engine's network of that name or driver, declared as any other. */
function isOnHostNetwork({ spec }: Leaf, { networks }: Tree): boolean {
  return Object.keys(spec.networks).some((key) => {
    const wish = networks.get(key)
    return wish !== undefined && ((wish.external && wish.name === 'host') || wish.options.driver === 'host')
  })
}
