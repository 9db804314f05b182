// The names of containers on the engine. The role of a container is in its name and nowhere else, because a name can
// change in one durable step and a label cannot.

import type { Role } from './step.ts'

export function liveName(prefix: string, leaf: string): string {
  return `${prefix}${leaf}`
}

export function candidateName(prefix: string, leaf: string): string {
  return `${prefix}${leaf}.next`
}

/** The first six characters of the container's id keep the names of two retired containers apart. */
export function retiredName(prefix: string, leaf: string, id: string): string {
  return `${prefix}${leaf}.prev-${id.slice(0, 6)}`
}

export function failedName(prefix: string, leaf: string): string {
  return `${prefix}${leaf}.failed`
}

/** The empty volume that says: this job has completed for this generation. */
export function jobMarkName(deployment: string, leaf: string, generation: number): string {
  return `${deployment}_${leaf}.done-g${generation}`
}

/** The empty volume that says: this container is the leaf's, although its labels do not say so. */
export function adoptionName(deployment: string, leaf: string, generation: number, id: string): string {
  return `${deployment}_${leaf}.adopted-g${generation}-${id.slice(0, 12)}`
}

/**
 * Which leaf and role a container's name stands for; null for a name that graft would never give. Leaf names hold no
 * dot, so the split is unambiguous.
 */
export function readName(prefix: string, name: string): { leaf: string; role: Role } | null {
  if (!name.startsWith(prefix)) return null
  const rest = name.slice(prefix.length)
  const dot = rest.indexOf('.')
  if (dot === -1) return { leaf: rest, role: 'live' }
  const leaf = rest.slice(0, dot)
  const suffix = rest.slice(dot + 1)
  if (suffix === 'next') return { leaf, role: 'candidate' }
  if (suffix === 'failed') return { leaf, role: 'failed' }
  if (/^prev-[0-9a-f]{6}$/.test(suffix)) return { leaf, role: 'retired' }
  return null
}
