// Manifests and indexes of images as registries serve them, and what in them says where an image comes from. Pure.

/** Asked for in this order; a registry gives the first it has (OCI Image Specification; Docker Image Manifest V2.2). */
export const MANIFEST_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
] as const

export interface Manifest {
  /** One image for each platform; empty where this is one image. */
  readonly platforms: readonly { readonly platform: string; readonly digest: string }[]
  /** Digest of the image's configuration; null in an index. */
  readonly config: string | null
  readonly annotations: Readonly<Record<string, string>>
}

/** Null where it is neither. Attestations, which name no real platform, are left out. */
export function readManifest(body: Buffer): Manifest | null {
  const value = objectIn(body)
  if (value === null) return null
  const listed: unknown = Reflect.get(value, 'manifests')
  const config = member(value, 'config')
  const digest: unknown = config === null ? null : Reflect.get(config, 'digest')
  if (!Array.isArray(listed) && typeof digest !== 'string') return null
  const platforms = (Array.isArray(listed) ? (listed as unknown[]) : []).flatMap((entry) => {
    if (typeof entry !== 'object' || entry === null) return []
    const own: unknown = Reflect.get(entry, 'digest')
    const platform = platformText(member(entry, 'platform'))
    return typeof own === 'string' && isDigest(own) && platform !== null ? [{ platform, digest: own }] : []
  })
  const isImage = typeof digest === 'string' && isDigest(digest)
  return { platforms, config: isImage ? digest : null, annotations: texts(member(value, 'annotations')) }
}

/** The labels in an image's configuration (OCI Image Specification, config.Labels). */
export function readLabels(body: Buffer): Readonly<Record<string, string>> {
  const value = objectIn(body)
  const config = value === null ? null : member(value, 'config')
  return config === null ? {} : texts(member(config, 'Labels'))
}

/** The image for a platform (`linux/arm64`, `linux/arm/v7`); the first where none is wished or none fits. */
export function imageFor({ platforms }: Manifest, platform: string | null): string | null {
  const exact = platforms.find((one) => one.platform === platform)
  const close = platforms.find((one) => platform !== null && one.platform.startsWith(`${platform}/`))
  const usual = platforms.find((one) => one.platform === 'linux/amd64')
  return (exact ?? close ?? usual ?? platforms[0])?.digest ?? null
}

export function isDigest(text: string): boolean {
  return /^sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})$/.test(text)
}

function platformText(value: object | null): string | null {
  if (value === null) return null
  const [os, architecture, variant] = ['os', 'architecture', 'variant'].map((key): unknown => Reflect.get(value, key))
  if (typeof os !== 'string' || typeof architecture !== 'string' || os === 'unknown') return null
  return `${os}/${architecture}${typeof variant === 'string' && variant !== '' ? `/${variant}` : ''}`
}

function objectIn(body: Buffer): object | null {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return typeof value === 'object' && value !== null ? value : null
  } catch {
    return null
  }
}

function member(value: object, key: string): object | null {
  const found: unknown = Reflect.get(value, key)
  return typeof found === 'object' && found !== null && !Array.isArray(found) ? found : null
}

function texts(value: object | null): Readonly<Record<string, string>> {
  const entries = Object.entries(value ?? {}) as [string, unknown][]
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}
