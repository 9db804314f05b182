// From a container to the address that reaches it, and from there to a probe: directly, or by a helper container.

import type Dockerode from 'dockerode'
import type { ProbeResult, ProbeTarget } from '../apply/engine.ts'
import { callEngine } from './call.ts'
import type { EngineConnection } from './connect.ts'
import { probeIngress } from './ingress-check.ts'
import { probeAddress } from './probe.ts'
import { probeByHelper } from './probe-helper.ts'

export interface ProbeSettings {
  /** Image of the helper container, with `wget` and `nc` as busybox has them. */
  readonly helperImage: string
}

/** Small, and found in most registries and mirrors. */
export const DEFAULT_HELPER_IMAGE = 'busybox:stable'

/**
 * Probes a container once, for at most `timeout` milliseconds. The address is its first network's IPv4 one, else IPv6;
 * 127.0.0.1 on the host's network; that of the container whose namespace it joins. Where graft cannot open connections
 * to it (`addressesReachable`), or it has no address, a helper in its network namespace does. A container that does not
 * run is unhealthy. Throws an EngineFault where the engine fails.
 */
export async function probeContainer(
  connection: EngineConnection,
  id: string,
  target: ProbeTarget,
  timeout: number,
  settings: ProbeSettings,
): Promise<ProbeResult> {
  const info = await inspect(connection, id)
  if (!info.State.Running || info.State.Paused) {
    return { healthy: false, output: `the container is ${info.State.Paused ? 'paused' : 'not running'}` }
  }
  if (target.kind === 'ingress') return probeIngress(connection, info.Id, target.port, settings.helperImage)
  const address = await addressOf(connection, info)
  if (address === null || !connection.facts.addressesReachable) {
    return probeByHelper(connection, info, address ?? '127.0.0.1', target, timeout, settings.helperImage)
  }
  return probeAddress(address, target, timeout)
}

/** null where it has none: a network mode of `none`. */
async function addressOf(connection: EngineConnection, info: Dockerode.ContainerInspectInfo): Promise<string | null> {
  const mode = info.HostConfig.NetworkMode ?? ''
  if (mode === 'host') return '127.0.0.1'
  if (mode.startsWith('container:')) {
    const owner = await inspect(connection, mode.slice('container:'.length))
    // An owner never joins a third one: the engine refuses such a chain.
    return owner.HostConfig.NetworkMode?.startsWith('container:') === true ? null : addressOf(connection, owner)
  }
  const networks = Object.entries(info.NetworkSettings.Networks).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const ipv4 = networks.find(([, network]) => network.IPAddress !== '')?.[1].IPAddress
  const ipv6 = networks.find(([, network]) => (network.GlobalIPv6Address ?? '') !== '')?.[1].GlobalIPv6Address
  return ipv4 ?? ipv6 ?? null
}

function inspect(connection: EngineConnection, id: string): Promise<Dockerode.ContainerInspectInfo> {
  return callEngine(connection, `probe container ${id.slice(0, 12)}`, { path: `/containers/${id}/json` })
}
