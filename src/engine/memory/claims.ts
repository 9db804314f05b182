// What only one running container can have: a host port, a fixed address; and what must be there for a start.

import { EngineFault } from '../../apply/engine.ts'
import { findContainer, type MemoryContainer, type World } from './world.ts'

/** Why it cannot start, in an engine's words; null where nothing stands against it. */
export function claimedElsewhere(world: World, container: MemoryContainer): EngineFault | null {
  for (const network of Object.keys(container.running.networks)) {
    if (!world.networks.has(network)) return refused('not-found', `network ${network} not found`)
  }
  for (const value of [container.running.network_mode, container.running.pid, container.running.ipc]) {
    if (value === undefined || !value.startsWith('container:')) continue
    const other = findContainer(world, value.slice('container:'.length))
    if (other === null) return refused('not-found', `No such container: ${value.slice('container:'.length)}`)
    if (other.state !== 'running')
      return refused('engine', `cannot join the namespace of a non running container: ${other.id}`)
  }
  for (const other of world.containers.values()) {
    if (other === container || other.addresses.size + other.running.ports.length === 0 || !holdsClaims(other)) continue
    const clash = portClash(container, other) ?? addressClash(container, other)
    if (clash !== null) return refused('engine', clash)
  }
  return null
}

/** Addresses on each network it joins, fixed ones as asked; none with a network mode of its own. */
export function joinAddresses(world: World, container: MemoryContainer): MemoryContainer['addresses'] {
  const addresses: MemoryContainer['addresses'] = new Map()
  for (const network of Object.keys(container.running.networks)) {
    addresses.set(network, joinAddress(world, container, network))
  }
  return addresses
}

export function joinAddress(world: World, container: MemoryContainer, network: string): { ipv4: string; ipv6: string } {
  const join = container.running.networks[network]
  const subnet = [...world.networks.keys()].indexOf(network)
  const number = world.sequence++
  const ipv4 = join?.ipv4_address ?? `10.${subnet % 256}.${(number >> 8) % 256}.${number % 256}`
  return { ipv4, ipv6: join?.ipv6_address ?? '' }
}

function holdsClaims(container: MemoryContainer): boolean {
  return container.state === 'running' || container.state === 'paused'
}

function portClash(container: MemoryContainer, other: MemoryContainer): string | null {
  for (const mine of container.running.ports) {
    for (const theirs of other.running.ports) {
      const sameAddress = mine.host_ip === undefined || theirs.host_ip === undefined || mine.host_ip === theirs.host_ip
      if (mine.published === 0 || mine.mode !== 'host' || theirs.mode !== 'host') continue
      if (mine.published === theirs.published && mine.protocol === theirs.protocol && sameAddress) {
        return `Bind for ${mine.host_ip ?? '0.0.0.0'}:${mine.published} failed: port is already allocated`
      }
    }
  }
  return null
}

function addressClash(container: MemoryContainer, other: MemoryContainer): string | null {
  for (const [network, join] of Object.entries(container.running.networks)) {
    const theirs = other.addresses.get(network)
    if (join.ipv4_address !== undefined && theirs?.ipv4 === join.ipv4_address) return 'Address already in use'
    if (join.ipv6_address !== undefined && theirs?.ipv6 === join.ipv6_address) return 'Address already in use'
  }
  return null
}

function refused(kind: 'engine' | 'not-found', words: string): EngineFault {
  return new EngineFault(kind, words, 'It is tried again; the log of the engine may say more.')
}
