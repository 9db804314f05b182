// What of a container can only be held once: host ports, fixed addresses, writable volumes. Two containers that need
// the same thing never overlap, and a thing that moves from one leaf to another moves in one table.

import type { Mount, PublishedPort } from '../desired/spec.ts'
import type { Leaf, Tree } from '../desired/tree.ts'
import { imageVolumes } from './image-volumes.ts'
import type { ImageFacts, ObservedContainer } from './observed.ts'

export interface Exclusive {
  /** Equal keys clash. */
  readonly key: string
  /** For a person: `host port 8080/tcp`. */
  readonly text: string
}

/** What a leaf's container will hold, by the names things have on the engine. */
export function exclusivesOfLeaf(leaf: Leaf, tree: Tree, image: ImageFacts | null): Exclusive[] {
  const { spec } = leaf
  const found = spec.ports.flatMap(ofPort)
  if (spec.network_mode === 'host') found.push({ key: `host-network:${leaf.name}`, text: 'the host network' })
  for (const [key, join] of Object.entries(spec.networks)) {
    const name = tree.networks.get(key)?.name ?? key
    for (const address of [join.ipv4_address, join.ipv6_address]) {
      if (address !== undefined) found.push({ key: `address:${name}:${address}`, text: `the fixed address ${address}` })
    }
    if (join.mac_address !== undefined) found.push(ofMac(join.mac_address))
  }
  if (spec.mac_address !== undefined) found.push(ofMac(spec.mac_address))
  for (const mount of spec.mounts) {
    const source = mount.type === 'volume' ? (tree.volumes.get(mount.source)?.name ?? mount.source) : ''
    found.push(...ofMount(mount, source))
  }
  for (const { name } of image === null ? [] : imageVolumes(tree.name, leaf.name, spec, image)) {
    found.push({ key: `volume:${name}`, text: `the writable volume ${name}` })
  }
  for (const device of spec.devices)
    found.push({ key: `device:${device.source}:${leaf.name}`, text: `the device ${device.source}` })
  return found
}

/** What a container holds now. */
export function exclusivesOfContainer(container: ObservedContainer): Exclusive[] {
  const { running } = container
  const found = running.ports.flatMap(ofPort)
  for (const [name, join] of Object.entries(running.networks)) {
    for (const address of [join.ipv4_address, join.ipv6_address]) {
      if (address !== undefined) found.push({ key: `address:${name}:${address}`, text: `the fixed address ${address}` })
    }
  }
  if (running.mac_address !== undefined) found.push(ofMac(running.mac_address))
  for (const mount of running.mounts) found.push(...ofMount(mount, mount.type === 'volume' ? mount.source : ''))
  return found
}

/** A port on one address clashes with the same port on all addresses; the key therefore leaves the address out. */
function ofPort(port: PublishedPort): Exclusive[] {
  if (port.mode !== 'host' || port.published === 0) return []
  return [{ key: `port:${port.protocol}:${port.published}`, text: `host port ${port.published}/${port.protocol}` }]
}

function ofMac(address: string): Exclusive {
  return { key: `mac:${address.toLowerCase()}`, text: `the fixed MAC address ${address}` }
}

function ofMount(mount: Mount, volumeName: string): Exclusive[] {
  if (mount.type === 'tmpfs' || mount.read_only) return []
  if (mount.type === 'volume') return [{ key: `volume:${volumeName}`, text: `the writable volume ${volumeName}` }]
  return [{ key: `bind:${mount.source}`, text: `the writable bind of ${mount.source}` }]
}
