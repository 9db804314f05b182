// Names and addresses for a demo that nothing else on the engine has.

import { readFile } from 'node:fs/promises'

import type Docker from 'dockerode'

import type { DemoNames } from './demo-place.ts'
import { DemoFailure } from './demo-failure.ts'

/**
 * The example's own names where they are free. A prefix takes a container's name apart from what configuration files
 * call it, so there is one only where a name is taken. `leaves` are the example's, `usual` the example's subnet.
 */
export async function chooseNames(engine: Docker, leaves: readonly string[], usual: string): Promise<DemoNames> {
  const containers = await engine.listContainers({ all: true })
  const taken = new Set(containers.flatMap(({ Names }) => Names.map((name) => name.replace(/^\//, ''))))
  const networks = await engine.listNetworks()
  const volumes = (await engine.listVolumes()).Volumes ?? []
  const deployments = new Set(
    [...containers, ...networks, ...volumes].map(({ Labels }) => Labels?.['dev.graft.deployment']),
  )
  const named = [...taken, ...networks.map(({ Name }) => Name), ...volumes.map(({ Name }) => Name)]
  const deployment = firstFree(
    'openstack-demo',
    (name) =>
      !deployments.has(name) && !named.some((other) => other.startsWith(`${name}_`) || other.startsWith(`${name}-`)),
  )
  const free = (prefix: string): boolean =>
    leaves.every((leaf) => ['', '.next', '.failed'].every((role) => !taken.has(`${prefix}${leaf}${role}`)))
  const prefix = free('') ? '' : `${firstFree('demo', (name) => free(`${name}-`))}-`
  const ranges = [...networks.flatMap(subnetsOf), ...(await routes())]
  return {
    deployment,
    prefix,
    subnet: freeSubnet(usual, ranges),
    registry: `${deployment}.invalid`,
    client: `${deployment}-client`,
  }
}

function firstFree(name: string, free: (name: string) => boolean): string {
  for (let number = 1; number < 100; number++) {
    const candidate = number === 1 ? name : `${name}-${number}`
    if (free(candidate)) return candidate
  }
  throw new DemoFailure(`a hundred deployments named ${name} are on this engine`)
}

interface Range {
  readonly from: number
  readonly to: number
}

function subnetsOf(network: Docker.NetworkInspectInfo): Range[] {
  return (network.IPAM?.Config ?? []).flatMap(({ Subnet }) => {
    const [, address, bits] = /^([\d.]+)\/(\d+)$/.exec(Subnet ?? '') ?? []
    if (address === undefined) return []
    const from = numberOf(address)
    return [{ from, to: from + 2 ** (32 - Number(bits)) - 1 }]
  })
}

/** Of this machine's main table (/proc/net/route: little-endian hexadecimal), without the default route. */
async function routes(): Promise<Range[]> {
  const table = await readFile('/proc/net/route', 'utf8').catch(() => '')
  return table
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, destination = '', , , , , , mask = ''] = line.split('\t')
      const [address, size] = [swapped(destination), swapped(mask)]
      if (Number.isNaN(address) || Number.isNaN(size) || size === 0) return []
      return [{ from: address, to: address + (2 ** 32 - size) - 1 }]
    })
}

function swapped(hexadecimal: string): number {
  return Number.parseInt((hexadecimal.match(/../g) ?? []).toReversed().join(''), 16)
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0)
}

function freeSubnet(usual: string, ranges: readonly Range[]): string {
  const candidates = [
    usual,
    ...Array.from({ length: 32 }, (_, index) => `172.29.${200 + index}`),
    ...Array.from({ length: 100 }, (_, index) => `10.${28 + index}.236`),
  ]
  for (const candidate of candidates) {
    const from = numberOf(`${candidate}.0`)
    if (!ranges.some((range) => range.from <= from + 255 && from <= range.to)) return candidate
  }
  throw new DemoFailure('every subnet that the demo could use has a route on this machine already')
}
