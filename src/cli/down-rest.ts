// What a deployment has on an engine besides running containers, and how it is removed when these are gone.

import { EngineFault } from '../apply/engine.ts'
import type { Turn, Wish } from '../daemon/reconcile.ts'
import type { Table } from '../plan/step.ts'
import type { Remains } from '../report/down-lines.ts'
import type { Opened } from './open-command.ts'
import { openReconciler, QUIET, type OpenedEngine } from './open-engine.ts'

/** What there is, and what would go, in the order in which it goes. */
export async function lookAtRemains(
  { engine, connection }: OpenedEngine,
  name: string,
  wish: Wish,
  { deployment }: Opened,
  withVolumes: boolean,
): Promise<Remains> {
  const turn = await (await openReconciler(deployment, { engine, connection, name }, QUIET)).look(wish)
  const { observed } = turn
  const volumes = [...observed.volumes.values()].filter((volume) => volume.deployment === name)
  const data = volumes.filter(({ kind }) => kind === 'volume').map((volume) => volume.name)
  return {
    containers: inOrder(turn),
    networks: [...observed.networks.values()].filter((one) => one.deployment === name).map((one) => one.name),
    marks: volumes.filter(({ kind }) => kind !== 'volume').map((volume) => volume.name),
    tags: await engine.ownTags(name),
    volumes: withVolumes ? data : [],
    kept: withVolumes ? [] : data,
  }
}

/** Removes it, and of the volumes those that were `shown` before; resolves to what is left, and why. */
export async function removeRest(
  opened: OpenedEngine,
  name: string,
  wish: Wish,
  command: Opened,
  shown: readonly string[],
): Promise<string[]> {
  const { engine } = opened
  const there = await lookAtRemains(opened, name, wish, command, shown.length > 0)
  const { containers, networks, marks, tags } = there
  const volumes = there.volumes.filter((volume) => shown.includes(volume))
  const left = [
    ...containers.map((container) => `the container ${container} is still there`),
    ...networks.map((network) => `the network ${network} is still there: containers of others are joined to it`),
  ]
  // A mark whose container is still there says whose it is.
  if (containers.length > 0) return left
  for (const volume of [...marks, ...volumes]) {
    try {
      await engine.removeVolume(name, volume)
    } catch (error) {
      if (!(error instanceof EngineFault)) throw error
      left.push(error.message)
    }
  }
  for (const tag of tags) await engine.removeTag(tag)
  return left
}

/** Containers by name: those first whose tables wait for no other. */
function inOrder({ observed, plan }: Turn): string[] {
  const done = new Set<string>()
  const sorted: Table[] = []
  for (let grew = true; grew;) {
    const ready = plan.tables.filter(({ id, after }) => !done.has(id) && after.every((other) => done.has(other)))
    grew = ready.length > 0
    for (const table of ready) {
      done.add(table.id)
      sorted.push(table)
    }
  }
  const leaves = sorted.flatMap((table) => table.leaves)
  const place = (leaf: string) => (leaves.includes(leaf) ? leaves.indexOf(leaf) : leaves.length)
  return observed.containers
    .filter(({ labels }) => labels.kind !== 'lock')
    .toSorted((a, b) => place(a.labels.leaf) - place(b.labels.leaf))
    .map((container) => container.name)
}
