// The floor: the engine's own calls and nothing else, four at a time, by somebody who knows what has to be done.

import type Docker from 'dockerode'

import type { Contender } from './contender.ts'
import { createOptions, type Service } from './fleet.ts'
import { type Ground, inParallel, removeLabelled } from './ground.ts'

const LABEL = 'graft-bench.bare'
const WIDTH = 4

export async function bareCalls({ docker }: Ground): Promise<Contender> {
  await removeLabelled(docker, LABEL)
  const network = await docker.createNetwork({ Name: `graft-bench-bare-${process.pid}`, Labels: { [LABEL]: '' } })
  let wanted: readonly Service[] = []
  const running = new Map<string, { id: string; version: number }>()

  async function launch(service: Service, name: string): Promise<Docker.Container> {
    const container = await docker.createContainer({ ...createOptions(service, network.id, LABEL), name })
    await container.start()
    return container
  }

  return {
    name: 'bare engine calls',
    note: 'create and start; for an upgrade also two renames, stop and remove; four at a time',
    label: LABEL,
    serviceOf: (labels, name) => (labels[LABEL] === name ? name : null),
    rest: async () => undefined,
    async want(fleet) {
      wanted = fleet
    },
    async make() {
      // Also whoever knows that nothing is to be done has to ask once.
      await docker.listContainers({ all: true, filters: { label: [LABEL] } })
      const todo = wanted.filter(({ name, version }) => running.get(name)?.version !== version)
      await inParallel(todo, WIDTH, async (service) => {
        const old = running.get(service.name)
        const fresh = await launch(service, old === undefined ? service.name : `${service.name}.next`)
        if (old !== undefined) {
          const before = docker.getContainer(old.id)
          await before.rename({ name: `${service.name}.prev` })
          await fresh.rename({ name: service.name })
          await before.stop()
          await before.remove()
        }
        running.set(service.name, { id: fresh.id, version: service.version })
      })
    },
    async end() {
      await removeLabelled(docker, LABEL)
    },
  }
}
