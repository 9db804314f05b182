// Which images a rule lets a leaf run. Pure.

import { fault } from './fault.ts'
import type { Fault } from './fault.ts'
import { matchesGlob } from './glob.ts'
import { parseReference } from './image-reference.ts'
import { cut } from './schema/show.ts'

/** Of an image that none of `patterns` names. */
export function imageFaults(image: string, patterns: readonly string[]): Fault[] {
  if (patterns.some((pattern) => matchesImage(pattern, image))) return []
  const right = patterns.length === 0 ? 'no image may run here' : `take an image that is one of ${patterns.join(', ')}`
  return [fault(`image: ${cut(image)}`, right)]
}

/** Of an image whose content its reference does not fix. */
export function digestFaults(image: string): Fault[] {
  return parseReference(image)?.digest == null
    ? [fault(`its image ${cut(image)} names no digest`, 'write image: NAME:TAG@sha256:…; graft bump keeps it up')]
    : []
}

/**
 * Globs over `REGISTRY/REPOSITORY`, and over the tag where the pattern has one. A pattern without a registry means Docker
 * Hub, as a reference does; `**` alone is every image.
 */
export function matchesImage(pattern: string, image: string): boolean {
  const reference = parseReference(image)
  if (reference === null) return false
  const [named = '', digest] = pattern.split('@', 2)
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1)
  const tag = colon < 0 ? null : named.slice(colon + 1)
  if (digest !== undefined && !matchesGlob(digest, reference.digest ?? '')) return false
  if (tag !== null && !matchesGlob(tag, reference.tag ?? '')) return false
  const path = colon < 0 ? named : named.slice(0, colon)
  return matchesGlob(withRegistry(path), `${reference.registry}/${reference.repository}`)
}

function withRegistry(path: string): string {
  const slash = path.indexOf('/')
  const first = slash < 0 ? path : path.slice(0, slash)
  if (first === '**') return path
  if (first === 'docker.io' && !/[/*?]/.test(path.slice(slash + 1))) return `docker.io/library/${path.slice(slash + 1)}`
  if (slash < 0) return `docker.io/library/${path}`
  return /[.:*?]/.test(first) || first === 'localhost' ? path : `docker.io/${path}`
}
