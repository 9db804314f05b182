// An image reference taken apart and put together, the way Docker reads it. Pure.

export interface ImageReference {
  /** Host and port: `docker.io`, `quay.io`, `127.0.0.1:5000`. */
  readonly registry: string
  /** Path below the registry: `library/nginx`, `openstack.kolla/nova-api`. */
  readonly repository: string
  /** `latest` where the text has neither tag nor digest; null with a digest and no tag. */
  readonly tag: string | null
  /** `sha256:…`, null where there is none. */
  readonly digest: string | null
}

const DOCKER_HUB = 'docker.io'
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const REGISTRY = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?$/
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/
const DIGEST = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-fA-F]{32,}$/

/**
 * Reads a reference; null where it is none. A first part with a dot, a colon or capitals, or `localhost`, is the
 * registry; without one it is Docker Hub, whose single names lie under `library/` (Distribution, reference grammar and
 * Docker's normalisation).
 */
export function parseReference(text: string): ImageReference | null {
  const [named, digest, ...more] = text.split('@')
  if (named === undefined || more.length > 0 || (digest !== undefined && !DIGEST.test(digest))) return null
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1)
  const path = colon < 0 ? named : named.slice(0, colon)
  const tag = colon < 0 ? null : named.slice(colon + 1)
  if (tag !== null && !TAG.test(tag)) return null

  const { registry, repository } = splitRegistry(path)
  if (!REGISTRY.test(registry) || !REPOSITORY.test(repository) || repository.length > 255) return null
  return { registry, repository, tag: tag ?? (digest === undefined ? 'latest' : null), digest: digest ?? null }
}

/** The full form: `docker.io/library/nginx:latest`. */
export function formatReference(reference: ImageReference): string {
  const tag = reference.tag === null ? '' : `:${reference.tag}`
  const digest = reference.digest === null ? '' : `@${reference.digest}`
  return `${reference.registry}/${reference.repository}${tag}${digest}`
}

function splitRegistry(path: string): { registry: string; repository: string } {
  const slash = path.indexOf('/')
  const first = slash < 0 ? '' : path.slice(0, slash)
  const named = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase()
  const registry = named && first !== 'index.docker.io' ? first : DOCKER_HUB
  const repository = named ? path.slice(slash + 1) : path
  const official = registry === DOCKER_HUB && repository !== '' && !repository.includes('/')
  return { registry, repository: official ? `library/${repository}` : repository }
}
