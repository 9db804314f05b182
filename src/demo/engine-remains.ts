// Everything that a demo has on an engine: found by the deployment's label and the demo's own names, removed, and
// looked for once more. Nothing else is touched.

import type Docker from 'dockerode'

import type { DemoRecord } from './demo-place.ts'
import { removeFolders } from './engine-trial.ts'

const LOCK_IMAGE = 'graft.local/lock:1'

export async function hasLockImage(engine: Docker): Promise<boolean> {
  return isThere(engine.getImage(LOCK_IMAGE).inspect())
}

/** Resolves to what could not be removed, in words; empty where nothing is left. */
export async function removeRemains(engine: Docker, record: DemoRecord): Promise<readonly string[]> {
  const { names, leftByEngine } = record
  if (names === null) return []
  const { deployment } = names
  const label = { label: [`dev.graft.deployment=${deployment}`] }
  const trouble = new Map<string, string>()
  const attempt = async (what: string, work: Promise<unknown>): Promise<void> => {
    await work.catch((error: unknown) => {
      if (!isMissing(error)) trouble.set(what, `${what}: ${error instanceof Error ? error.message : String(error)}`)
    })
  }
  await attempt(`container ${names.client}`, engine.getContainer(names.client).remove({ force: true, v: true }))
  const containers = await engine.listContainers({ all: true, filters: label })
  await inParallel(containers, ({ Id, Names }) =>
    attempt(`container ${Names[0] ?? Id}`, engine.getContainer(Id).remove({ force: true, v: true })),
  )
  for (const { Id, Name } of await engine.listNetworks({ filters: label }))
    await attempt(`network ${Name}`, engine.getNetwork(Id).remove())
  for (const { Name } of (await engine.listVolumes({ filters: label })).Volumes ?? [])
    await attempt(`volume ${Name}`, engine.getVolume(Name).remove())
  for (const tag of await imageTags(engine, record)) await attempt(`image ${tag}`, engine.getImage(tag).remove())
  if (leftByEngine.lockImage && !(await isInUse(engine, LOCK_IMAGE)))
    await attempt(`image ${LOCK_IMAGE}`, engine.getImage(LOCK_IMAGE).remove())
  await attempt('folders', removeFolders(engine, leftByEngine.folders))
  return [...trouble.values(), ...(await left(engine, record))]
}

async function left(engine: Docker, record: DemoRecord): Promise<string[]> {
  const { names } = record
  if (names === null) return []
  const label = { label: [`dev.graft.deployment=${names.deployment}`] }
  const containers = await engine.listContainers({ all: true, filters: label })
  const networks = await engine.listNetworks({ filters: label })
  const volumes = (await engine.listVolumes({ filters: label })).Volumes ?? []
  return [
    ...containers.map(({ Names }) => `container ${Names[0]} is still there`),
    ...networks.map(({ Name }) => `network ${Name} is still there`),
    ...volumes.map(({ Name }) => `volume ${Name} is still there`),
    ...(await imageTags(engine, record)).map((tag) => `image ${tag} is still there`),
  ]
}

async function imageTags(engine: Docker, { names }: DemoRecord): Promise<string[]> {
  if (names === null) return []
  const starts = [`${names.registry}/`, `graft.local/${names.deployment}/`]
  const images = await engine.listImages()
  return images.flatMap(({ RepoTags }) => RepoTags ?? []).filter((tag) => starts.some((start) => tag.startsWith(start)))
}

async function isInUse(engine: Docker, image: string): Promise<boolean> {
  return (await engine.listContainers({ all: true, filters: { ancestor: [image] } })).length > 0
}

/** An engine removes faster side by side, up to a point. */
async function inParallel<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const queue = [...items]
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: 8 }, worker))
}

function isThere(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  )
}

function isMissing(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'statusCode' in error && error.statusCode === 404
}
