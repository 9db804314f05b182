// What the ingress serves: the published ports of live containers, and the containers behind each. Pure.

import type { PublishedPort } from '../desired/spec.ts'
import type { Tree } from '../desired/tree.ts'
import type { Observed, ObservedContainer } from './observed.ts'
import { situations } from './situation.ts'

/** One frontend and its backend. */
export interface IngressService {
  readonly leaf: string
  /** `LEAF.PORT`; a leaf's name has no dot. */
  readonly name: string
  /** The addresses it is published on; all alike but for those. */
  readonly ports: readonly PublishedPort[]
  readonly port: PublishedPort
  /** Null where the live container does not run: the port stays open for it. */
  readonly live: IngressServer | null
  /** The container before it, while that still runs. */
  readonly retired: IngressServer | null
}

export interface IngressServer {
  /** IPv4 or IPv6. */
  readonly address: string
  readonly target: number
}

/** In the order of ports, whatever the order of the containers. Where two leaves hold one port, one of them has it. */
export function ingressServices(tree: Tree, observed: Observed): IngressService[] {
  const own = tree.networks.get('default')?.name ?? null
  const services: IngressService[] = []
  for (const { leaf, live: named, retired } of situations(tree, observed).values()) {
    const running = retired.find(({ state }) => state === 'running') ?? null
    // Between two renames that a crash came between, the old container still is what there is.
    const live = named ?? running
    if (live === null || live.labels.kind !== 'container') continue
    const before = live === running ? null : running
    for (const ports of alike(ingressPorts(live))) {
      const [port] = ports
      if (port === undefined) continue
      services.push({
        leaf,
        name: `${leaf}.${port.published}`,
        ports,
        port,
        live: serverOf(live, port.target, own),
        retired: before === null ? null : serverOf(before, targetIn(before, port), own),
      })
    }
  }
  const declares = (service: IngressService) =>
    tree.leaves
      .get(service.leaf)
      ?.spec.ports.some(({ published, mode }) => mode === 'ingress' && published === service.port.published) === true
  services.sort((a, b) => Number(declares(b)) - Number(declares(a)) || compare(a.name, b.name))
  return withoutClashes(services).sort(
    (a, b) => a.port.published - b.port.published || compare(a.name, b.name) || compare(hosts(a), hosts(b)),
  )
}

export function ingressPorts(container: ObservedContainer): PublishedPort[] {
  return container.running.ports.filter(({ mode }) => mode === 'ingress')
}

/** Those that differ in nothing but the address of the host belong to one frontend. */
function alike(ports: readonly PublishedPort[]): PublishedPort[][] {
  const groups = new Map<string, PublishedPort[]>()
  for (const port of ports) {
    const key = [port.published, port.target, port.http === true, port.proxy_protocol === true].join(' ')
    groups.set(key, [...(groups.get(key) ?? []), port])
  }
  for (const group of groups.values()) group.sort((a, b) => compare(a.host_ip ?? '', b.host_ip ?? ''))
  return [...groups.values()]
}

function serverOf(container: ObservedContainer, target: number | null, own: string | null): IngressServer | null {
  if (container.state !== 'running' || target === null) return null
  const names = [...container.addresses.keys()].sort((a, b) => Number(b === own) - Number(a === own) || compare(a, b))
  const all = names.map((name) => container.addresses.get(name))
  const address = all.find((one) => one !== undefined && one.ipv4 !== '')?.ipv4 ?? all.find((one) => one?.ipv6)?.ipv6
  return address === undefined ? null : { address, target }
}

/** The port that the same published one led to before. */
function targetIn(container: ObservedContainer, { published }: PublishedPort): number | null {
  return ingressPorts(container).find((port) => port.published === published)?.target ?? null
}

/** While a port moves from one leaf to another both may be live with it; two frontends on it would keep HAProxy down. */
function withoutClashes(services: readonly IngressService[]): IngressService[] {
  const taken = new Map<number, (string | null)[]>()
  const names = new Set<string>()
  return services.flatMap((service) => {
    const { published } = service.port
    const held = taken.get(published) ?? []
    const free = service.ports.filter(({ host_ip }) =>
      host_ip === undefined ? held.length === 0 : !held.includes(null) && !held.includes(host_ip),
    )
    const [port] = free
    if (port === undefined) return []
    taken.set(published, [...held, ...free.map(({ host_ip }) => host_ip ?? null)])
    let { name } = service
    for (let count = 2; names.has(name); count++) name = `${service.name}.${count}`
    names.add(name)
    return [{ ...service, name, ports: free, port }]
  })
}

function hosts({ ports }: IngressService): string {
  return ports.map(({ host_ip }) => host_ip ?? '').join(' ')
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
