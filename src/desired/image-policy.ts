// Which tags of an image a leaf may follow, and which of those a registry has is the newest. Pure; a pattern is somebody
// else's regular expression, so a caller gives it a limit of time.

import { compareVersions, isInRange, tagVersion, wholeVersion, type TagVersion } from './tag-version.ts'

/** The key `image_policy` of a leaf. */
export interface ImagePolicy {
  /** An npm-style range; null: any version. */
  readonly semver: string | null
  /** A regular expression for the tags that count; its group `version` is what is compared. */
  readonly pattern: string | null
  /** How what is compared is compared. */
  readonly order: TagOrder
  /** Whether versions before a release count. */
  readonly prerelease: boolean
}

export type TagOrder = 'semver' | 'numerical' | 'alphabetical'

export interface TagChoice {
  /** The newest tag that the policy allows, where it is newer than the declared one; null without a policy. */
  readonly newer: string | null
  /** The newest of the same kind whatever the policy's range says, where it is newer than both. */
  readonly newest: string | null
  /** Worth knowing, a clause without a full stop; null for nothing. */
  readonly remark: string | null
}

/** What one tag is compared by. */
type Rank = { readonly version: TagVersion } | { readonly number: number } | { readonly text: string }

const NOTHING = { newer: null, newest: null } as const

/**
 * `declared`: the tag that the leaf has. Without a pattern only tags of its own kind count: the same before the numbers
 * (`v`), the same behind them (`-alpine`), and as many numbers, so that `1.25` is followed by `1.26` and not by `1.26.1`.
 */
export function chooseTag(policy: ImagePolicy | null, declared: string, tags: readonly string[]): TagChoice {
  const rankOf = ranking(policy, declared)
  if (rankOf === null) {
    return { ...NOTHING, remark: `${declared} is no version, and no image_policy says which tags follow it` }
  }
  const own = rankOf(declared)
  const wantsEarly = policy === null ? own !== null && isEarly(own) : policy.prerelease
  const ranked = tags.flatMap((tag): Ranked[] => {
    const rank = tag === declared ? own : rankOf(tag)
    return rank === null ? [] : [{ tag, rank }]
  })
  const range = policy?.semver ?? null
  const allowed = ranked.filter(({ rank }) => fits(rank, range, wantsEarly))
  const best = newestOf(allowed, declared)
  const any = newestOf(
    ranked.filter(({ rank }) => wantsEarly || !isEarly(rank)),
    declared,
  )
  const isNewer = (one: Ranked | null, than: Rank | null): one is Ranked =>
    one !== null && one.tag !== declared && (than === null || compareRanks(one.rank, than) > 0)
  const newer = policy !== null && isNewer(best, own) ? best : null
  const newest = isNewer(any, newer?.rank ?? own) && any.tag !== newer?.tag ? any : null
  return {
    newer: newer?.tag ?? null,
    newest: newest?.tag ?? null,
    remark: remarkOn({ policy, declared, own, allowed, isListed: tags.includes(declared), wantsEarly }),
  }
}

interface Ranked {
  readonly tag: string
  readonly rank: Rank
}

/** Null where nothing tells which tags could follow. */
function ranking(policy: ImagePolicy | null, declared: string): ((tag: string) => Rank | null) | null {
  if (policy?.pattern != null) {
    const pattern = new RegExp(policy.pattern)
    return (tag) => {
      const match = pattern.exec(tag)
      return match === null ? null : rankBy(policy.order, match.groups?.['version'] ?? tag)
    }
  }
  const kind = tagVersion(declared)
  if (kind === null && policy === null) return null
  return (tag) => {
    const version = tagVersion(tag)
    if (version === null) return null
    const isKin =
      kind === null
        ? (version.lead === '' || version.lead === 'v') && version.variant === ''
        : version.lead === kind.lead &&
          version.variant === kind.variant &&
          version.numbers.length === kind.numbers.length
    return isKin ? { version } : null
  }
}

function rankBy(order: TagOrder, text: string): Rank | null {
  if (order === 'alphabetical') return text === '' ? null : { text }
  if (order === 'numerical') return /^\d{1,15}(\.\d+)?$/.test(text) ? { number: Number(text) } : null
  const version = wholeVersion(text)
  return version === null ? null : { version }
}

function fits(rank: Rank, range: string | null, wantsEarly: boolean): boolean {
  if (!('version' in rank)) return true
  if (range === null) return wantsEarly || !isEarly(rank)
  return isInRange(rank.version, range, wantsEarly)
}

function isEarly(rank: Rank): boolean {
  return 'version' in rank && rank.version.prerelease.length > 0
}

function compareRanks(a: Rank, b: Rank): number {
  if ('version' in a && 'version' in b) return compareVersions(a.version, b.version)
  if ('number' in a && 'number' in b) return a.number - b.number
  if ('text' in a && 'text' in b) return a.text < b.text ? -1 : a.text > b.text ? 1 : 0
  return 0
}

/** Of tags that mean the same version the declared one wins, then the one that says it most exactly. */
function newestOf(ranked: readonly Ranked[], declared: string): Ranked | null {
  let best: Ranked | null = null
  for (const one of ranked) {
    if (best === null) best = one
    else {
      const order = compareRanks(one.rank, best.rank)
      if (order > 0 || (order === 0 && isPreferred(one, best, declared))) best = one
    }
  }
  return best
}

function isPreferred(one: Ranked, other: Ranked, declared: string): boolean {
  if (one.tag === declared || other.tag === declared) return one.tag === declared
  const difference = precision(one.rank) - precision(other.rank)
  return difference === 0 ? one.tag < other.tag : difference > 0
}

function precision(rank: Rank): number {
  return 'version' in rank ? rank.version.numbers.length : 0
}

interface Seen {
  readonly policy: ImagePolicy | null
  readonly declared: string
  readonly own: Rank | null
  readonly allowed: readonly Ranked[]
  readonly isListed: boolean
  readonly wantsEarly: boolean
}

function remarkOn({ policy, declared, own, allowed, isListed, wantsEarly }: Seen): string | null {
  if (policy !== null && allowed.length === 0) return 'no tag fits its image_policy'
  if (!isListed) return `the registry does not list ${declared}`
  if (policy === null) return null
  if (own === null) return `${declared} itself does not fit its image_policy`
  return fits(own, policy.semver, wantsEarly || isEarly(own)) ? null : `${declared} lies outside of its image_policy`
}
