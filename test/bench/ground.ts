// What the benchmark stands on: an engine, an image on it, and Docker Compose 2, all of pinned versions.

import { join } from 'node:path'

import type Docker from 'dockerode'

import { fetchPackages } from '../../src/demo/debian-packages.ts'
import { engineClient, pingEngine } from '../../src/demo/engine-address.ts'
import { GroundFault } from '../../src/demo/ground-fault.ts'
import { bringUpEngine } from '../../src/demo/host-engine.ts'
import { defaultCacheFolder } from '../../src/demo/host-system.ts'
import { runCommand } from '../../src/demo/run-command.ts'
import { standInImage } from '../../src/demo/stand-in-images.ts'

export interface Ground {
  readonly url: string
  readonly engineVersion: string
  readonly docker: Docker
  /** The program `docker-compose`. */
  readonly compose: string
  readonly composeVersion: string
  end(): Promise<void>
}

export const IMAGE = 'graft-bench/base:1'

/** Compose 2 as Debian's trixie has it. */
const COMPOSE = { name: 'docker-compose', version: '2.26.1-4', otherwise: '2.26.1*' }

/** `engine` null: trixie's engine is brought up, or used again where it runs, and ended only where it did not run. */
export async function layGround(engine: string | null, say: (text: string) => void): Promise<Ground> {
  const own =
    engine === null
      ? await bringUpEngine({ suite: 'trixie', folder: '/var/tmp/graft-ground/trixie', onProgress: say })
      : null
  const url = engine ?? own?.url ?? ''
  const answer = await pingEngine(url, 5_000)
  if (answer === null)
    throw new GroundFault(`No engine answers at ${url}.`, 'Leave --engine out to have one brought up.')
  say('looking for Docker Compose 2')
  const packages = await fetchPackages({ suite: 'trixie', packages: [COMPOSE] }, defaultCacheFolder(process.env))
  const compose = join(packages.root, 'usr/libexec/docker/cli-plugins/docker-compose')
  const version = await runCommand(compose, ['version', '--short'])
  const docker = engineClient(url)
  await standInImage(docker, { reference: IMAGE })
  return {
    url,
    engineVersion: answer.version,
    docker,
    compose,
    composeVersion: version.stdout.trim(),
    end: async () => {
      if (own !== null && !own.reused) await own.stop()
    },
  }
}

/** Removes every container with the label, and the networks that then are left. */
export async function removeLabelled(docker: Docker, label: string): Promise<void> {
  const filters = { label: [label] }
  const rows = await docker.listContainers({ all: true, filters })
  await inParallel(rows, 8, async ({ Id }) => {
    await docker
      .getContainer(Id)
      .remove({ force: true, v: true })
      .catch(() => undefined)
  })
  for (const { Id } of await docker.listNetworks({ filters })) {
    await docker
      .getNetwork(Id)
      .remove()
      .catch(() => undefined)
  }
}

/** Runs `work` on each item, `width` at a time. */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      const item = items[index]
      if (item !== undefined) await work(item, index)
    }
  }
  await Promise.all(Array.from({ length: width }, worker))
}
