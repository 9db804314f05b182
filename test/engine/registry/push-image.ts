// Puts images into a registry over its own API, without an engine: an image here is its labels and one empty layer.

import { createHash } from 'node:crypto'

export interface PushedImage {
  readonly labels?: Readonly<Record<string, string>>
  /** Makes it an index with one image for each. */
  readonly platforms?: readonly string[]
  /** Told apart from other images with the same labels. */
  readonly build?: string
}

const LAYER = Buffer.from('H4sIAAAAAAAAA2NgGAWjYBSMglEwCkbBKBgFo2AUjAIAAP//AwB7V2VXAAQAAA==', 'base64')

export function digestOf(content: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`
}

/** Resolves to the digest that the tag has then. `authorization`: a header's value. */
export async function pushImage(
  url: string,
  repository: string,
  tag: string,
  { labels = {}, platforms, build = '' }: PushedImage = {},
  authorization?: string,
): Promise<string> {
  const send = async (path: string, method: string, body?: Buffer, type?: string): Promise<Response> => {
    const headers: Record<string, string> = {
      ...(authorization === undefined ? {} : { authorization }),
      ...(type === undefined ? {} : { 'content-type': type }),
    }
    const answer = await fetch(new URL(path, url), {
      method,
      headers,
      ...(body === undefined ? {} : { body: new Uint8Array(body) }),
    })
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return answer
  }
  const blob = async (content: Buffer): Promise<{ digest: string; size: number }> => {
    const digest = digestOf(content)
    const begun = await send(`/v2/${repository}/blobs/uploads/`, 'POST')
    const place = new URL(begun.headers.get('location') ?? '', url)
    place.searchParams.set('digest', digest)
    await send(place.href, 'PUT', content, 'application/octet-stream')
    return { digest, size: content.length }
  }
  const manifest = async (
    reference: string,
    value: object,
    type: string,
  ): Promise<{ digest: string; size: number }> => {
    const body = Buffer.from(JSON.stringify(value))
    await send(`/v2/${repository}/manifests/${reference}`, 'PUT', body, type)
    return { digest: digestOf(body), size: body.length }
  }
  const one = async (platform: string, reference: string | null) => {
    const [os, architecture] = platform.split('/')
    const config = await blob(
      Buffer.from(
        JSON.stringify({
          os,
          architecture,
          build,
          config: { Labels: labels },
          rootfs: { type: 'layers', diff_ids: [] },
        }),
      ),
    )
    const layer = await blob(LAYER)
    const value = {
      schemaVersion: 2,
      mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
      config: { mediaType: 'application/vnd.docker.container.image.v1+json', ...config },
      layers: [{ mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', ...layer }],
    }
    return manifest(reference ?? digestOf(JSON.stringify(value)), value, value.mediaType)
  }
  if (platforms === undefined) return (await one('linux/amd64', tag)).digest
  const manifests: object[] = []
  for (const platform of platforms) {
    const [os, architecture] = platform.split('/')
    const made = await one(platform, null)
    const mediaType = 'application/vnd.docker.distribution.manifest.v2+json'
    manifests.push({ mediaType, ...made, platform: { os, architecture } })
  }
  const type = 'application/vnd.docker.distribution.manifest.list.v2+json'
  return (await manifest(tag, { schemaVersion: 2, mediaType: type, manifests }, type)).digest
}
