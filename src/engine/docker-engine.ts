// The engine's interface over the Docker Engine API, put together from its parts.

import { homedir } from 'node:os'
import { join } from 'node:path'

import type { Engine } from '../apply/engine.ts'
import type { EngineConnection } from './connect.ts'
import { adoptContainer, forgetAdoption, unownedContainers } from './adoption.ts'
import {
  connectNetwork,
  disconnectNetwork,
  removeContainer,
  renameContainer,
  setRestartPolicy,
  startContainer,
  stopContainer,
  unpauseContainer,
  updateLimits,
} from './containers.ts'
import { createContainer } from './create.ts'
import { engineEvents } from './events.ts'
import { execOnce } from './exec.ts'
import { putFiles } from './files-archive.ts'
import { findImage, ownTags, removeTag, rollbackTags, tagImage } from './images.ts'
import { ingressDigest } from './ingress-check.ts'
import { loadIngressConfig, putIngressConfig } from './ingress-load.ts'
import { knock } from './knock.ts'
import { readLogs } from './logs.ts'
import { createNetwork, removeNetwork } from './networks.ts'
import { inspectContainer, observe } from './observe.ts'
import { openConnections } from './open-connections.ts'
import { DEFAULT_HELPER_IMAGE, probeContainer } from './probe-container.ts'
import { pullImage } from './pull.ts'
import { captureContainer, recreateContainer } from './recreate.ts'
import { registryCredentials } from './registry-credentials.ts'
import { createMark, createVolume, removeVolume } from './volumes.ts'
import { endedBy } from './signals.ts'
import { waitForExit } from './wait.ts'

export interface DockerEngineSettings {
  /** Folder of Docker's own `config.json`, for registry credentials; ~/.docker where it is left out. */
  readonly configFolder?: string
  /** Image of the container that probes where graft itself cannot reach an address. */
  readonly helperImage?: string
}

export function dockerEngine(connection: EngineConnection, settings: DockerEngineSettings = {}): Engine {
  const configFolder = settings.configFolder ?? join(homedir(), '.docker')
  const helperImage = settings.helperImage ?? DEFAULT_HELPER_IMAGE
  const credentials = (registry: string) => registryCredentials(configFolder, registry)
  return {
    url: connection.url,
    observe: (...args) => observe(connection, ...args),
    inspect: (...args) => inspectContainer(connection, ...args),

    findImage: (...args) => findImage(connection, ...args),
    pullImage: (reference, options) => pullImage(connection, reference, options, { credentials }),
    tagImage: (...args) => tagImage(connection, ...args),
    removeTag: (...args) => removeTag(connection, ...args),
    ownTags: (...args) => ownTags(connection, ...args),
    rollbackTags: (...args) => rollbackTags(connection, ...args),

    create: (...args) => createContainer(connection, ...args),
    putFiles: (...args) => putFiles(connection, ...args),
    start: (...args) => startContainer(connection, ...args),
    stop: (...args) => stopContainer(connection, ...args),
    unpause: (...args) => unpauseContainer(connection, ...args),
    setRestartPolicy: (...args) => setRestartPolicy(connection, ...args),
    updateLimits: (...args) => updateLimits(connection, ...args),
    rename: (...args) => renameContainer(connection, ...args),
    capture: (...args) => captureContainer(connection, ...args),
    recreate: (...args) => recreateContainer(connection, ...args),
    async remove(id) {
      await removeContainer(connection, id)
      await forgetAdoption(connection, id)
    },
    connect: (...args) => connectNetwork(connection, ...args),
    disconnect: (...args) => disconnectNetwork(connection, ...args),

    createNetwork: (...args) => createNetwork(connection, ...args),
    removeNetwork: (...args) => removeNetwork(connection, ...args),
    createVolume: (...args) => createVolume(connection, ...args),
    removeVolume: (...args) => removeVolume(connection, ...args),
    unowned: () => unownedContainers(connection),
    adopt: (...args) => adoptContainer(connection, ...args),
    createMark: (...args) => createMark(connection, ...args),

    exec: (...args) => execOnce(connection, ...args),
    probe: (id, target, timeout) => probeContainer(connection, id, target, timeout, { helperImage }),
    knock: (...args) => knock(connection, ...args),
    putIngressConfig: (...args) => putIngressConfig(connection, ...args),
    loadIngressConfig: (id, config) => loadIngressConfig(connection, id, config, helperImage),
    ingressDigest: (id, checkPort) => ingressDigest(connection, id, checkPort, helperImage),
    openConnections: (...args) => openConnections(connection, ...args),
    waitForExit: (...args) => waitForExit(connection, ...args),
    logs: (...args) => readLogs(connection, ...args),
    endedBy: (container) => endedBy(connection, container),
    events: (...args) => engineEvents(connection, ...args),
  }
}
