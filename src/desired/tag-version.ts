// Versions in tags, as people write them: `1.25`, `v3.2.19`, `2025.1-ubuntu-noble`, `1.4.0-rc.2-alpine`. Pure.

import semver from 'semver'

export interface TagVersion {
  /** What stands before the numbers: '', `v`, `release-`. */
  readonly lead: string
  /** As many as are written. */
  readonly numbers: readonly number[]
  /** `rc.2` → ['rc', 2]; empty for a release. */
  readonly prerelease: readonly (string | number)[]
  /** What stands behind: the kind of image, such as `-alpine`. */
  readonly variant: string
}

const SHAPE = /^(?<lead>[^0-9]*)(?<numbers>\d{1,15}(?:\.\d{1,15})*)(?<rest>.*)$/s
/** Words that say of a version that it comes before a release. */
const EARLY =
  /^[-._]?(?<word>alpha|beta|rc|pre|preview|dev|snapshot|nightly|canary|next|m|a|b)(?:[-._]?(?<number>\d{1,15}(?:\.\d{1,15})*))?(?=$|[-._+])/i

/** Null where the tag has no numbers. */
export function tagVersion(tag: string): TagVersion | null {
  const groups = SHAPE.exec(tag)?.groups
  if (groups === undefined) return null
  const { lead = '', numbers = '', rest = '' } = groups
  const early = EARLY.exec(rest)
  const { word, number } = early?.groups ?? {}
  const prerelease = word === undefined ? [] : [word.toLowerCase(), ...(number?.split('.').map(Number) ?? [])]
  return { lead, numbers: numbers.split('.').map(Number), prerelease, variant: rest.slice(early?.[0].length ?? 0) }
}

/**
 * A version that somebody cut out of a tag: what stands behind its numbers is part of it, by the rules of Semantic
 * Versioning (`1.4.0-r5` comes before `1.4.0`). Null where it has no numbers.
 */
export function wholeVersion(text: string): TagVersion | null {
  const found = tagVersion(text)
  if (found === null || found.variant === '') return found
  const more = found.variant.split(/[-._+]+/).filter((part) => part !== '')
  const prerelease = [...found.prerelease, ...more.map((part) => (/^\d{1,15}$/.test(part) ? Number(part) : part))]
  return { ...found, prerelease, variant: '' }
}

/** Negative, 0 or positive, as `a` is older than `b`, as old or newer; missing numbers are 0 (Semantic Versioning, 11). */
export function compareVersions(a: TagVersion, b: TagVersion): number {
  for (let index = 0; index < Math.max(a.numbers.length, b.numbers.length); index++) {
    const difference = (a.numbers[index] ?? 0) - (b.numbers[index] ?? 0)
    if (difference !== 0) return difference
  }
  if (a.prerelease.length === 0 || b.prerelease.length === 0) return b.prerelease.length - a.prerelease.length
  for (let index = 0; index < Math.max(a.prerelease.length, b.prerelease.length); index++) {
    const [left, right] = [a.prerelease[index], b.prerelease[index]]
    if (left === undefined || right === undefined) return left === undefined ? -1 : 1
    const difference = comparePart(left, right)
    if (difference !== 0) return difference
  }
  return 0
}

/** Whether the version lies in an npm-style range. `prerelease`: also those before a release that the range takes in. */
export function isInRange(version: TagVersion, range: string, prerelease: boolean): boolean {
  const [major = 0, minor = 0, patch = 0] = version.numbers
  const early = version.prerelease.length === 0 ? '' : `-${version.prerelease.join('.')}`
  return semver.satisfies(`${major}.${minor}.${patch}${early}`, range, { includePrerelease: prerelease })
}

/** Whether a text is a range that `isInRange` takes. */
export function isRange(text: string): boolean {
  return text.trim() !== '' && semver.validRange(text) !== null
}

function comparePart(a: string | number, b: string | number): number {
  if (typeof a === 'number') return typeof b === 'number' ? a - b : -1
  if (typeof b === 'number') return 1
  return a < b ? -1 : a > b ? 1 : 0
}
