// An inspected container in the planner's words: its state, its labels and the spec it runs with.

import type { ContainerState, GraftLabels, ImageFacts, ObservedContainer } from '../plan/observed.ts'
import type { EngineDefaults } from './connect.ts'
import { readRestartPolicy, runningSpec } from './running-spec.ts'
import type { WireContainer } from './wire.ts'

export function observedContainer(
  container: WireContainer,
  labels: GraftLabels,
  image: ImageFacts | null,
  defaults: EngineDefaults,
): ObservedContainer {
  const { State: state } = container
  return {
    id: container.Id,
    name: container.Name.replace(/^\//, ''),
    labels,
    state: readState(state.Status),
    health: readHealth(state.Health?.Status),
    exitCode: state.ExitCode ?? 0,
    oomKilled: state.OOMKilled ?? false,
    error: state.Error ?? '',
    createdAt: Date.parse(container.Created),
    startedAt: readTime(state.StartedAt),
    finishedAt: readTime(state.FinishedAt),
    restartCount: container.RestartCount ?? 0,
    restartPolicy: readRestartPolicy(container.HostConfig.RestartPolicy),
    imageId: container.Image,
    image,
    running: runningSpec(container, defaults),
    addresses: readAddresses(container),
  }
}

/** Podman has words of its own for some states. */
function readState(status: string): ContainerState {
  switch (status) {
    case 'created':
    case 'configured':
    case 'initialized':
      return 'created'
    case 'running':
    case 'paused':
    case 'restarting':
    case 'removing':
    case 'dead':
      return status
    default:
      return 'exited'
  }
}

function readHealth(status: string | undefined): ObservedContainer['health'] {
  return status === 'starting' || status === 'healthy' || status === 'unhealthy' ? status : 'none'
}

/** The engine writes the year 1 for "never". */
function readTime(text: string | undefined): number | null {
  const time = text === undefined ? Number.NaN : Date.parse(text)
  return Number.isNaN(time) || time <= 0 ? null : time
}

function readAddresses(container: WireContainer): ObservedContainer['addresses'] {
  const addresses = new Map<string, { ipv4: string; ipv6: string }>()
  if (container.State.Status !== 'running' && container.State.Status !== 'paused') return addresses
  for (const [name, endpoint] of Object.entries(container.NetworkSettings?.Networks ?? {})) {
    const ipv4 = endpoint.IPAddress ?? ''
    const ipv6 = endpoint.GlobalIPv6Address ?? ''
    if (ipv4 !== '' || ipv6 !== '') addresses.set(name, { ipv4, ipv6 })
  }
  return addresses
}
