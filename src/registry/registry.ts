// A client of image registries, as far as graft asks them: which tags there are, which digest one has, what an image's
// labels say (OCI Distribution Specification 1.1). Nothing is ever written, and no layer is read.

import { createHash } from 'node:crypto'
import type { ImageReference } from '../desired/image-reference.ts'
import type { RegistryCredentials } from '../engine/registry-credentials.ts'
import { createAsker } from './ask-registry.ts'
import { createConnections } from './connections.ts'
import { imageFor, isDigest, MANIFEST_TYPES, readLabels, readManifest } from './manifest.ts'
import { missing, nameIn, refusal } from './refusals.ts'
import { registryFault } from './registry-fault.ts'
import { createSender, type Answer, type Patience } from './registry-http.ts'
import { nextPage, readTags } from './tag-pages.ts'

export interface RegistryOptions {
  /** What Docker knows for a registry's host and port; asked once for each registry. */
  readonly credentials: (registry: string) => Promise<RegistryCredentials | null>
  /** Hosts, with or without a port, that may speak plain HTTP; this machine always may. */
  readonly insecure: readonly string[]
  /** Proxies are looked up in it. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly patience?: Patience
  /** Folder of authorities' certificates; absent: Docker's. */
  readonly certificates?: string
  /** Tags asked for at once; absent: 1,000. */
  readonly pageSize?: number
}

export interface ImageDescription {
  /** Of the index where there is one for several platforms, as an engine would pin it. */
  readonly digest: string
  /** `linux/amd64`, …; empty where the image is for one platform only. */
  readonly platforms: readonly string[]
  /** The image's labels, and its annotations under them. */
  readonly labels: Readonly<Record<string, string>>
}

/** All throw an EngineFault of kind `registry`, in words for a person, or the signal's reason. */
export interface Registry {
  /** In the registry's order, each once; the reference's own tag and digest do not matter. */
  tags(image: ImageReference, signal?: AbortSignal): Promise<readonly string[]>
  /** `sha256:…` of what the tag, or the digest, of the reference stands for now. */
  digest(image: ImageReference, signal?: AbortSignal): Promise<string>
  /** `platform`: whose labels are meant; null: any. */
  describe(image: ImageReference, platform: string | null, signal?: AbortSignal): Promise<ImageDescription>
  /** Ends its connections. */
  close(): Promise<void>
}

const PAGE = 1000
const MOST_PAGES = 500
const MOST_TAGS = 200_000
const PAGE_BYTES = 8 * 2 ** 20
const MANIFEST_BYTES = 4 * 2 ** 20
const CONFIG_BYTES = 8 * 2 ** 20

export function createRegistry(options: RegistryOptions): Registry {
  const connections = createConnections(options.env, options.certificates)
  const sender = createSender((url) => connections.of(url), options.patience)
  const ask = createAsker(options, sender)
  const pageSize = options.pageSize ?? PAGE

  const manifest = (image: ImageReference, signal?: AbortSignal): Promise<Answer> =>
    ask(
      image,
      { path: manifestPath(image), method: 'GET', accept: MANIFEST_TYPES.join(', '), bytes: MANIFEST_BYTES },
      signal,
    )

  return {
    async tags(image, signal) {
      const tags = new Set<string>()
      let path = `/v2/${image.repository}/tags/list?n=${pageSize}`
      for (let page = 1; ; page++) {
        let answer = await ask(image, { path, method: 'GET', bytes: PAGE_BYTES }, signal)
        // A registry with a smaller limit of its own refuses a greater number.
        if (page === 1 && answer.status === 400) {
          answer = await ask(
            image,
            { path: `/v2/${image.repository}/tags/list`, method: 'GET', bytes: PAGE_BYTES },
            signal,
          )
        }
        const found = answer.status === 200 ? readTags(answer.body) : null
        if (found === null) throw refusal(image, `the tags of ${image.repository}`, answer)
        for (const tag of found) tags.add(tag)
        const next = nextPage(answer.headers['link'], answer.url)
        if (next === null) return [...tags]
        if (page === MOST_PAGES || tags.size > MOST_TAGS || next === path) {
          const remedy = 'Ask for an image with fewer tags, or through a mirror'
          throw registryFault(`${image.registry} lists more tags of ${image.repository} than graft reads`, remedy)
        }
        path = next
      }
    },
    async digest(image, signal) {
      const accept = MANIFEST_TYPES.join(', ')
      const head = await ask(image, { path: manifestPath(image), method: 'HEAD', accept, bytes: 0 }, signal)
      const said = head.headers['docker-content-digest'] ?? ''
      if (head.status === 200 && isDigest(said)) return said
      if (head.status === 404) throw missing(image)
      const answer = await manifest(image, signal)
      if (answer.status !== 200) throw refusal(image, nameIn(image), answer)
      return digestOf(image, answer)
    },
    async describe(image, platform, signal) {
      const top = await manifest(image, signal)
      if (top.status !== 200) throw refusal(image, nameIn(image), top)
      const digest = digestOf(image, top)
      const index = readManifest(top.body)
      const platforms = index?.platforms.map((one) => one.platform) ?? []
      let single = index
      if (index !== null && index.config === null) {
        const one = imageFor(index, platform)
        const answer = one === null ? null : await manifest({ ...image, tag: null, digest: one }, signal)
        single = answer?.status === 200 ? readManifest(answer.body) : null
      }
      const annotations = { ...index?.annotations, ...single?.annotations }
      const config = single?.config ?? null
      if (config === null) return { digest, platforms, labels: annotations }
      const path = `/v2/${image.repository}/blobs/${config}`
      const answer = await ask(image, { path, method: 'GET', bytes: CONFIG_BYTES }, signal)
      const labels = answer.status === 200 ? readLabels(answer.body) : {}
      return { digest, platforms, labels: { ...annotations, ...labels } }
    },
    close: () => connections.close(),
  }
}

function manifestPath({ repository, digest, tag }: ImageReference): string {
  return `/v2/${repository}/manifests/${digest ?? tag ?? 'latest'}`
}

function digestOf(image: ImageReference, { body, headers }: Answer): string {
  const said = headers['docker-content-digest'] ?? ''
  const made = `sha256:${createHash('sha256').update(body).digest('hex')}`
  const wanted = [said, image.digest ?? ''].filter((digest) => digest.startsWith('sha256:'))
  if (wanted.some((digest) => digest !== made)) {
    const remedy = 'See what lies between here and the registry, and whether it is in order'
    throw registryFault(`${image.registry} served another manifest of ${nameIn(image)} than its digest says`, remedy)
  }
  return made
}
