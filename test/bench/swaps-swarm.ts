// Docker Swarm on an engine of its own: a start-first update behind its routing mesh, where the kernel has what that
// needs, and an update of a service on a host port.

import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

import type Docker from 'dockerode'

import { engineClient } from '../../src/demo/engine-address.ts'
import { bringUpEngine } from '../../src/demo/host-engine.ts'
import { HTTP_PORT, SERVICE_IMAGE, serviceImage } from '../engine/load/service-image.ts'
import type { Ground } from './ground.ts'
import { answer, type Absent, type Swapper } from './swaps.ts'

const FOLDER = '/var/tmp/graft-ground/bench-swarm'
const MANAGER = '127.0.0.1'
/** The mesh answers within a second where it works. */
const MESH_PATIENCE = 15_000

export async function swarmIngressSwapper(_ground: Ground, port: number): Promise<Swapper | Absent> {
  const name = 'Swarm, start-first in its mesh'
  const swarm = await bringUpSwarm()
  const swapper = service(swarm, port, {
    name,
    note: '`docker service update` of a service with `--publish mode=ingress` and `--update-order start-first`',
    mode: 'ingress',
    order: 'start-first',
  })
  try {
    await swapper.want(1)
    for (const begun = performance.now(); performance.now() - begun < MESH_PATIENCE; await sleep(100))
      if ((await answer(port)) === '1') return swapper
    const state = await swarm.state()
    const kernel = existsSync('/proc/net/ip_vs') ? '' : ', and this kernel has no IPVS, on which the mesh rests'
    await swapper.end()
    return { name, reason: `its task is ${state}, but nobody answers on the published port${kernel}` }
  } catch (error) {
    await swapper.end()
    throw error
  }
}

export async function swarmHostSwapper(_ground: Ground, port: number): Promise<Swapper> {
  return service(await bringUpSwarm(), port, {
    name: 'Swarm, stop-first on a host port',
    note: '`docker service update` of a service with `--publish mode=host`; start-first never begins there (`host-mode port already in use`)',
    mode: 'host',
    order: 'stop-first',
  })
}

interface Swarm {
  readonly docker: Docker
  /** Of the newest task, in the engine's word. */
  state(): Promise<string>
  end(): Promise<void>
}

async function bringUpSwarm(): Promise<Swarm> {
  const engine = await bringUpEngine({ suite: 'trixie', folder: FOLDER })
  const docker = engineClient(engine.url)
  await serviceImage(docker)
  // One that was killed half way left its swarm.
  await docker.swarmLeave({ force: true }).catch(() => undefined)
  await docker.swarmInit({ AdvertiseAddr: MANAGER, ListenAddr: `${MANAGER}:2377` })
  return {
    docker,
    state: async () => (await docker.listTasks())[0]?.Status?.State ?? 'not there',
    end: () => engine.remove(),
  }
}

interface Manner {
  readonly name: string
  readonly note: string
  readonly mode: 'ingress' | 'host'
  readonly order: 'start-first' | 'stop-first'
}

function service({ docker, end }: Swarm, port: number, { name, note, mode, order }: Manner): Swapper {
  let made: Docker.Service | null = null
  return {
    name,
    note,
    async want(version) {
      const spec = specOf(version, port, mode, order)
      if (made === null) {
        made = await docker.createService(spec)
        return
      }
      const { Version: now } = (await made.inspect()) as { Version: { Index: number } }
      await made.update({ ...spec, version: now.Index })
      for (;;) {
        const { UpdateStatus: status } = (await made.inspect()) as {
          UpdateStatus?: { State?: string; Message?: string }
        }
        if (status?.State === 'completed') return
        if (status?.State === 'paused') throw new Error(`Swarm failed: ${status.Message}`)
        await sleep(100)
      }
    },
    end,
  }
}

function specOf(
  version: number,
  port: number,
  mode: Manner['mode'],
  order: Manner['order'],
): Docker.CreateServiceOptions {
  return {
    Name: 'web',
    TaskTemplate: {
      ContainerSpec: {
        Image: SERVICE_IMAGE,
        Env: [`GENERATION=${version}`],
        Init: true,
        HealthCheck: {
          Test: ['CMD', '/bin/wget', '-q', '-O', '/dev/null', `http://127.0.0.1:${HTTP_PORT}/health`],
          Interval: 500e6,
          Timeout: 2e9,
          Retries: 20,
        },
      },
    },
    Mode: { Replicated: { Replicas: 1 } },
    UpdateConfig: { Parallelism: 1, Order: order, Monitor: 1e9 },
    EndpointSpec: { Ports: [{ Protocol: 'tcp', TargetPort: HTTP_PORT, PublishedPort: port, PublishMode: mode }] },
  }
}
