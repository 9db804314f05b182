// The images an engine holds: looked for by reference or id, tagged and untagged. Pulling is pull.ts.

import type Dockerode from 'dockerode'
import type { ImageFacts } from '../plan/observed.ts'
import { deploymentRepositories, parseRollbackTag, rollbackRepository } from '../plan/rollback-tag.ts'
import { rawCall } from './call.ts'
import type { EngineConnection } from './connect.ts'
import { statusOf, toEngineFault } from './faults.ts'
import { imageFacts } from './image-facts.ts'
import { formatReference, parseReference, type ImageReference } from '../desired/image-reference.ts'

const IMAGE_ID = /^(sha256:)?[0-9a-f]{12,64}$/

/**
 * The image of a reference or an id; null where the engine has none, or where the text can be neither. A reference with
 * a digest finds an image that was fetched from that repository: a host's rules may trust one and not another.
 */
export async function findImage(connection: EngineConnection, reference: string): Promise<ImageFacts | null> {
  const parsed = parseReference(reference)
  if (parsed === null && !IMAGE_ID.test(reference)) return null
  const found = await inspectImage(connection, reference)
  if (found !== null || parsed === null || parsed.digest === null) return found
  const local = await listImages(connection)
  const id = idOf(local, reference)
  return id === null ? null : imageById(connection, id)
}

/** As `findImage`, without asking for what is known already. For the images of containers, whose ids never change. */
export async function imageById(connection: EngineConnection, id: string): Promise<ImageFacts | null> {
  return connection.memory.images.get(id) ?? inspectImage(connection, id)
}

/**
 * Many at once, by one list: each of `references`, and every rollback tag of the deployment that exists. The keys are
 * the references as given; null where the engine has none.
 */
export async function observeImages(
  connection: EngineConnection,
  deployment: string,
  references: readonly string[],
): Promise<Map<string, ImageFacts | null>> {
  const local = await listImages(connection)
  const wanted = new Map<string, string | null>()
  for (const reference of references) wanted.set(reference, idOf(local, reference))
  for (const [reference, id] of local.idsByTag) {
    if (parseRollbackTag(reference)?.deployment === deployment) wanted.set(reference, id)
  }
  // What is not known yet is asked for side by side, each image once.
  const ids = new Set([...wanted.values()].filter((id) => id !== null))
  const facts = new Map<string, ImageFacts | null>()
  await Promise.all([...ids].map(async (id) => facts.set(id, await imageById(connection, id))))
  return new Map([...wanted].map(([reference, id]) => [reference, id === null ? null : (facts.get(id) ?? null)]))
}

/** `tag` is a full reference with a tag; what bore it before loses it. */
export async function tagImage(connection: EngineConnection, id: string, tag: string): Promise<void> {
  const parsed = parseReference(tag)
  if (parsed === null || parsed.tag === null) throw new TypeError(`${tag} is no tag`)
  const repo = `${parsed.registry}/${parsed.repository}`
  try {
    const query = { repo, tag: parsed.tag }
    await rawCall(connection, { method: 'POST', path: `/images/${id}/tag`, query })
  } catch (error) {
    throw toEngineFault(error, connection.url, `tag image ${id} as ${tag}`)
  }
}

/**
 * Takes a tag away, and the image with it where that was its last one and no container uses it. A tag that is not
 * there is no error; one that the engine keeps because a container was made from it stays until a later turn.
 */
export async function removeTag(connection: EngineConnection, tag: string): Promise<void> {
  try {
    await rawCall(connection, { method: 'DELETE', path: `/images/${tag}` })
  } catch (error) {
    const status = statusOf(error)
    if (status !== 404 && status !== 409) throw toEngineFault(error, connection.url, `remove the tag ${tag}`)
  }
}

/** The rollback tags of one leaf that exist, sorted. */
export async function rollbackTags(connection: EngineConnection, deployment: string, leaf: string): Promise<string[]> {
  const repository = `${rollbackRepository(deployment, leaf)}:`
  const local = await listImages(connection, { filters: JSON.stringify({ reference: [`${repository}*`] }) })
  return [...local.idsByTag.keys()].filter((tag) => tag.startsWith(repository)).toSorted()
}

/** All tags of graft's that a deployment has, sorted. */
export async function ownTags(connection: EngineConnection, deployment: string): Promise<string[]> {
  const start = `${deploymentRepositories(deployment)}/`
  return [...(await listImages(connection)).idsByTag.keys()].filter((tag) => tag.startsWith(start)).toSorted()
}

interface LocalImages {
  /** Full references, with a tag. */
  readonly idsByTag: ReadonlyMap<string, string>
  /** `registry/repository@sha256:…` of manifests. */
  readonly idsByDigest: ReadonlyMap<string, string>
}

async function listImages(connection: EngineConnection, query: Record<string, string> = {}): Promise<LocalImages> {
  const idsByTag = new Map<string, string>()
  const idsByDigest = new Map<string, string>()
  try {
    for (const image of await rawCall<Dockerode.ImageInfo[]>(connection, { path: '/images/json', query })) {
      for (const tag of image.RepoTags ?? []) {
        const parsed = parseReference(tag)
        if (parsed !== null) idsByTag.set(formatReference(parsed), image.Id)
      }
      for (const named of image.RepoDigests ?? []) {
        const parsed = parseReference(named)
        if (parsed !== null && parsed.digest !== null) idsByDigest.set(withDigest(parsed), image.Id)
      }
      // An image gets further names and digests by later pulls; the rest of its facts never changes. Facts that are the
      // same stay the same object, so that whoever compared a container with them need not do it again.
      const known = connection.memory.images.get(image.Id)
      const digests = (image.RepoDigests ?? []).toSorted()
      if (known !== undefined && known.digests.join() !== digests.join())
        connection.memory.images.set(image.Id, { ...known, digests })
    }
  } catch (error) {
    throw toEngineFault(error, connection.url, 'list the images')
  }
  return { idsByTag, idsByDigest }
}

function idOf(local: LocalImages, reference: string): string | null {
  const parsed = parseReference(reference)
  if (parsed === null) return null
  if (parsed.digest !== null) return local.idsByDigest.get(withDigest(parsed)) ?? null
  return local.idsByTag.get(formatReference(parsed)) ?? null
}

/** Engines do not look at a tag beside a digest. */
function withDigest({ registry, repository, digest }: ImageReference): string {
  return `${registry}/${repository}@${digest ?? ''}`
}

async function inspectImage(connection: EngineConnection, reference: string): Promise<ImageFacts | null> {
  try {
    const path = `/images/${reference}/json`
    const facts = imageFacts(await rawCall<Dockerode.ImageInspectInfo>(connection, { path }))
    connection.memory.images.set(facts.id, facts)
    return facts
  } catch (error) {
    if (statusOf(error) === 404) return null
    throw toEngineFault(error, connection.url, `look for the image ${reference}`)
  }
}
