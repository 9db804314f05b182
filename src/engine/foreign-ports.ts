// Which ports of the host a container of somebody else holds, read from its row in the engine's list.

import type { PublishedPort } from '../desired/spec.ts'
import type { ForeignPort } from '../plan/observed.ts'
import { deploymentOf, leafOf, readIngressPorts } from './labels.ts'
import type { WireContainerRow } from './wire.ts'

/** What the engine publishes for it now, and what another deployment's ingress opens for it. */
export function foreignPortsOf(row: WireContainerRow): ForeignPort[] {
  const [name = row.Id.slice(0, 12)] = namesOf(row)
  const deployment = deploymentOf(row.Labels)
  const leaf = leafOf(row.Labels)
  const holder =
    deployment === null || leaf === null ? `the container ${name}` : `${leaf} of the deployment ${deployment}`
  const published = (row.Ports ?? []).flatMap(({ IP: address, PublicPort: port, Type: type }) =>
    port ? [{ ...place(protocolOf(type), port, address), holder }] : [],
  )
  const ports = isServed(name, row.State === 'running') ? readIngressPorts(row.Labels) : []
  return [...published, ...ports.map((port) => ({ ...ingressPlace(port), holder }))]
}

/** The ingress keeps the port of a live container that is stopped, and only that one's. */
export function isServed(name: string, running: boolean): boolean {
  return running || !/\.(next|failed|prev-\w+)$/.test(name)
}

export function ingressPlace({ protocol, published, host_ip }: PublishedPort): Omit<ForeignPort, 'holder'> {
  return place(protocol, published, host_ip)
}

/** Without the slash; a name with a second slash is another container's link to it. */
export function namesOf(row: WireContainerRow): string[] {
  return (row.Names ?? []).map((name) => name.replace(/^\//, '')).filter((name) => !name.includes('/'))
}

function place(
  protocol: ForeignPort['protocol'],
  published: number,
  address: string | undefined,
): Omit<ForeignPort, 'holder'> {
  return { protocol, published, ...(address === undefined || address === '' ? {} : { host_ip: address }) }
}

function protocolOf(type: string | undefined): ForeignPort['protocol'] {
  return type === 'udp' || type === 'sctp' ? type : 'tcp'
}
