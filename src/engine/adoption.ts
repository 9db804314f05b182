// Containers that graft took over from somebody else. Labels cannot be put on a container that exists, so what would be
// its labels is on an empty volume that names it.

import type { ObservedContainer } from '../plan/observed.ts'
import { adoptionName } from '../plan/names.ts'
import { imageById } from './images.ts'
import { callEngine } from './call.ts'
import type { EngineConnection } from './connect.ts'
import { deploymentOf, markedContainer, NOBODYS, readContainerLabels } from './labels.ts'
import { observedContainer } from './inspected.ts'
import { withAnonymousVolumes } from './running-mounts.ts'
import { makeMark, removeVolume, watchedVolumes } from './volumes.ts'
import type { WireContainer, WireContainerRow } from './wire.ts'

/** Running containers that belong to no deployment, as `observe` would tell them, sorted by name. */
export async function unownedContainers(connection: EngineConnection): Promise<ObservedContainer[]> {
  const [rows] = await Promise.all([
    callEngine<WireContainerRow[]>(connection, 'list the containers', { path: '/containers/json' }),
    watchedVolumes(connection),
  ])
  const found: ObservedContainer[] = []
  for (const row of rows) {
    if (deploymentOf(row.Labels) !== null || connection.memory.adoptions.has(row.Id)) continue
    const path = `/containers/${row.Id}/json`
    const container = await callEngine<WireContainer>(connection, `inspect container ${row.Id}`, { path })
    if (container.State.Status !== 'running') continue
    const image = await imageById(connection, container.Image)
    const labels = { ...NOBODYS, image: container.Config.Image ?? '', imageId: container.Image }
    const seen = observedContainer(container, labels, image, connection.defaults)
    found.push({ ...seen, running: withAnonymousVolumes(seen.running, container) })
  }
  return found.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

/**
 * Takes a container over: `container.labels` are what it counts as from then on. One step; a container that is another
 * deployment's is not taken.
 */
export async function adoptContainer(connection: EngineConnection, { id, labels }: ObservedContainer): Promise<void> {
  const name = adoptionName(labels.deployment, labels.leaf, labels.generation, id)
  await makeMark(connection, labels.deployment, name, markedContainer(id, labels))
  await watchedVolumes(connection)
  connection.memory.forget(id)
}

/** After the container has gone: the volume that named it says nothing any more. Whatever comes of it is left. */
export async function forgetAdoption(connection: EngineConnection, id: string): Promise<void> {
  const adopted = connection.memory.adoptions.get(id)
  if (adopted === undefined) return
  connection.memory.adoptions.delete(id)
  await removeVolume(connection, adopted.labels.deployment, adopted.volume).catch(() => undefined)
}

/** Labels of an inspected container, by itself or by adoption; null where it is nobody's. */
export async function labelsOf(
  connection: EngineConnection,
  { Id: id, Config: config }: WireContainer,
): Promise<ObservedContainer['labels'] | null> {
  const own = readContainerLabels(config.Labels ?? {})
  if (own !== null || deploymentOf(config.Labels) !== null) return own
  if (!connection.memory.knowsAdoptions) await watchedVolumes(connection)
  return connection.memory.adoptions.get(id)?.labels ?? null
}
