// What must be true of a leaf that its own file and the deployment's declarations decide: its name, the networks and
// volumes it names, and that it does not ask for two instances side by side where only one can be. Pure.

import type { ContentWish } from './leaf-contents.ts'
import { INGRESS_VOLUME } from './ingress-names.ts'
import { nearest } from './nearest.ts'
import type { Problem } from './problem.ts'
import type { LeafParts } from './schema/leaf.ts'
import type { ValuePath } from './yaml-document.ts'

/** Lower-case letters, digits and inner hyphens, 2 to 63: fit for a container's name and for DNS. */
export const NAME = /^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$/
/** Characters of a name in DNS, prefix included. */
const LABEL_LIMIT = 63

export function nameFault(name: string, what: string): { message: string; remedy: string } | null {
  if (NAME.test(name)) return null
  const close = name
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63)
  const remedy =
    NAME.test(close) && close !== name
      ? `rename it to ${close}`
      : 'use 2 to 63 lower-case letters, digits and inner hyphens'
  return { message: `${JSON.stringify(name)} is no name for a ${what}`, remedy }
}

export function checkLeaf(wish: ContentWish): Problem[] {
  const problems: Problem[] = []
  const add = (path: ValuePath, at: 'key' | 'value', message: string, remedy: string): void => {
    const origin = wish.writer(path)
    const place = wish.reading.locate(origin.layer.document.entry, origin.path, at)
    problems.push({ ...place, message, remedy, leaf: wish.name, severity: 'unreadable' })
  }
  checkName(wish, add)
  const root = wish.set.root()
  if (root.parts !== null) {
    checkNetworks(wish, [...root.networks.keys()], add)
    checkVolumes(wish, [...root.volumes.keys()], add)
  }
  const exclusive = wish.parts.update.order === 'start-first' ? whyExclusive(wish.parts) : null
  if (exclusive !== null) {
    const remedy = 'take `order` away, or write stop-first'
    add(['update', 'order'], 'value', `two instances cannot run side by side: ${exclusive}`, remedy)
  }
  return problems
}

type Add = (path: ValuePath, at: 'key' | 'value', message: string, remedy: string) => void

function checkName({ name, set }: ContentWish, add: Add): void {
  const fault = nameFault(name, 'leaf')
  const { prefix } = set.root()
  if (fault !== null) add([], 'key', fault.message, `${fault.remedy} (the file's name is the leaf's name)`)
  else if (prefix.length + name.length > LABEL_LIMIT) {
    const message = `${prefix}${name} has ${prefix.length + name.length} characters, and a name on the network has at most ${LABEL_LIMIT}`
    add([], 'key', message, 'give the leaf a shorter name, or the deployment a shorter prefix')
  }
}

function checkNetworks({ parts, merged }: ContentWish, declared: readonly string[], add: Add): void {
  const written = merged.value['networks']
  for (const key of Object.keys(parts.spec.networks)) {
    if (declared.includes(key)) continue
    const close = nearest(key, declared)
    const path = ['networks', Array.isArray(written) ? written.indexOf(key) : key]
    const at = Array.isArray(written) ? 'value' : 'key'
    add(path, at, `the network ${key} is not declared`, undeclared('networks', key, close))
  }
}

function checkVolumes({ parts, merged, set }: ContentWish, declared: readonly string[], add: Add): void {
  const wishesIngress = set.root().ingress
  const written: unknown[] = Array.isArray(merged.value['volumes']) ? merged.value['volumes'] : []
  for (const mount of parts.spec.mounts) {
    if (mount.type !== 'volume' || !mount.source) continue
    const isTaken = mount.source === INGRESS_VOLUME && wishesIngress
    if (declared.includes(mount.source) && !isTaken) continue
    const { source } = mount
    const close = nearest(source, declared)
    const index = written.findIndex((item) =>
      typeof item === 'string'
        ? item.startsWith(`${source}:`)
        : (item as { source?: unknown } | null)?.source === source,
    )
    const path = index < 0 ? ['volumes'] : ['volumes', index]
    if (isTaken) add(path, 'value', `the volume ${source} is the ingress's own`, 'declare and mount another volume')
    else add(path, 'value', `the volume ${source} is not declared`, undeclared('volumes', source, close))
  }
}

function undeclared(section: string, key: string, close: string | null): string {
  return `${close === null ? '' : `did you mean ${close}? Or `}declare ${key} under ${section} in deployment.yaml`
}

/** What only one container can have at a time; null where nothing is. */
function whyExclusive({ spec }: LeafParts): string | null {
  const port = spec.ports.find((one) => one.mode === 'host' && one.published !== 0)
  if (port !== undefined) return `port ${port.published}/${port.protocol} of the host is published by the engine`
  if (spec.network_mode === 'host') return 'both would listen on the host’s network'
  for (const key of ['network_mode', 'ipc', 'pid'] as const) {
    const joined = spec[key]
    if (joined?.startsWith('service:') === true)
      return `${key}: ${joined} is replaced together with ${joined.slice('service:'.length)}`
  }
  if (spec.mac_address !== undefined) return 'the MAC address is fixed'
  for (const [name, join] of Object.entries(spec.networks)) {
    if (join.ipv4_address !== undefined || join.ipv6_address !== undefined)
      return `the address on the network ${name} is fixed`
    if (join.mac_address !== undefined) return `the MAC address on the network ${name} is fixed`
  }
  return null
}
