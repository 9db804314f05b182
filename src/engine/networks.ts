// Networks on the engine: listed, made with graft's labels, removed.

import type { NetworkOptions, NetworkWish } from '../desired/tree.ts'
import { EngineFault } from '../apply/engine.ts'
import type { ObservedNetwork } from '../plan/observed.ts'
import { callEngine, rawCall } from './call.ts'
import type { EngineConnection } from './connect.ts'
import { statusOf, toEngineFault } from './faults.ts'
import { authoredLabels, networkLabels, readResourceLabels } from './labels.ts'
import type { WireContainerRow, WireNetwork } from './wire.ts'

type NetworkWithoutCount = Omit<ObservedNetwork, 'endpoints'>

/** By name. An engine may have two of one name; graft's own is taken before another. */
export async function listNetworks(connection: EngineConnection): Promise<Map<string, NetworkWithoutCount>> {
  const rows = await callEngine<WireNetwork[]>(connection, 'list the networks', { path: '/networks' })
  const networks = new Map<string, NetworkWithoutCount>()
  for (const row of rows) {
    const { deployment, optionsDigest } = readResourceLabels(row.Labels)
    if (networks.has(row.Name) && deployment === null) continue
    networks.set(row.Name, { id: row.Id, name: row.Name, deployment, optionsDigest, options: readOptions(row) })
  }
  return networks
}

/** The list of networks does not say who is joined; the list of containers does, stopped ones included. */
export function countEndpoints(
  networks: ReadonlyMap<string, NetworkWithoutCount>,
  rows: readonly WireContainerRow[],
): Map<string, ObservedNetwork> {
  const counts = new Map<string, number>()
  for (const row of rows) {
    for (const name of Object.keys(row.NetworkSettings?.Networks ?? {})) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return new Map([...networks].map(([name, network]) => [name, { ...network, endpoints: counts.get(name) ?? 0 }]))
}

/**
 * One that this deployment already has is no error. Rejects with `name-taken` where the name is another's.
 */
export async function createNetwork(
  connection: EngineConnection,
  deployment: string,
  wish: NetworkWish,
): Promise<void> {
  const { options } = wish
  const body = {
    Name: wish.name,
    // Engines below API 1.44 take two networks of one name without it.
    CheckDuplicate: true,
    Driver: options.driver,
    Options: options.driver_opts,
    Internal: options.internal,
    Attachable: options.attachable,
    EnableIPv6: options.enable_ipv6,
    IPAM: {
      Driver: options.ipam.driver ?? 'default',
      Options: options.ipam.options ?? {},
      Config: options.ipam.config.map((pool) => ({
        ...(pool.subnet === undefined ? {} : { Subnet: pool.subnet }),
        ...(pool.gateway === undefined ? {} : { Gateway: pool.gateway }),
        ...(pool.ip_range === undefined ? {} : { IPRange: pool.ip_range }),
        ...(pool.aux_addresses === undefined ? {} : { AuxiliaryAddresses: pool.aux_addresses }),
      })),
    },
    Labels: networkLabels(deployment, wish),
  }
  try {
    await rawCall(connection, { method: 'POST', path: '/networks/create', body })
  } catch (error) {
    if (statusOf(error) !== 409) throw toEngineFault(error, connection.url, `create network ${wish.name}`)
    const there = (await listNetworks(connection)).get(wish.name)
    if (there?.deployment === deployment) return
    throw new EngineFault(
      'name-taken',
      `cannot create network ${wish.name}: there is one of this name that is not graft's`,
      'Give the network another name in deployment.yaml, or say external: true',
      { cause: error },
    )
  }
}

/** One that is not there is no error. */
export async function removeNetwork(connection: EngineConnection, id: string): Promise<void> {
  try {
    await rawCall(connection, { method: 'DELETE', path: `/networks/${encodeURIComponent(id)}` })
  } catch (error) {
    if (statusOf(error) !== 404) throw toEngineFault(error, connection.url, `remove network ${id}`)
  }
}

function readOptions(row: WireNetwork): NetworkOptions {
  return {
    driver: row.Driver ?? '',
    driver_opts: row.Options ?? {},
    internal: row.Internal ?? false,
    attachable: row.Attachable ?? false,
    enable_ipv6: row.EnableIPv6 ?? false,
    ipam: {
      ...(row.IPAM?.Driver ? { driver: row.IPAM.Driver } : {}),
      ...(row.IPAM?.Options ? { options: row.IPAM.Options } : {}),
      config: (row.IPAM?.Config ?? []).map((pool) => ({
        ...(pool.Subnet ? { subnet: pool.Subnet } : {}),
        ...(pool.Gateway ? { gateway: pool.Gateway } : {}),
        ...(pool.IPRange ? { ip_range: pool.IPRange } : {}),
        ...(pool.AuxiliaryAddresses ? { aux_addresses: pool.AuxiliaryAddresses } : {}),
      })),
    },
    labels: authoredLabels(row.Labels),
  }
}
