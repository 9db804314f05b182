// How often somebody may ask: a bucket of asks for each address, one for all strangers together, both filled again
// evenly. Who has proven a webhook lately is no stranger, so a flood of others does not keep the forge out. Pure.

export interface RateLimits {
  /** Asks a minute of one address; as many may come at once. */
  readonly perMinute: number
  /** Asks a minute of all addresses that have proven nothing lately, together. */
  readonly inAll: number
}

export interface RateLimit {
  /** Null where the ask is taken; else milliseconds until one would be. `now` is steady, in milliseconds. */
  ask(address: string, now: number): number | null
  /** That address has proven who it is. */
  proven(address: string, now: number): void
  /** Whether it has done so lately. */
  isProven(address: string, now: number): boolean
  /** Addresses that are remembered. */
  readonly size: number
}

const MINUTE = 60_000
/** How long a proof lets an address pass the others' flood. */
const TRUSTED_FOR = 24 * 60 * MINUTE
/** Addresses that are remembered: the memory that a flood from many can take. */
const MOST = 10_000

interface Bucket {
  left: number
  at: number
  provenAt: number | null
}

export function createRateLimit({ perMinute, inAll }: RateLimits): RateLimit {
  const buckets = new Map<string, Bucket>()
  const strangers: Bucket = { left: inAll, at: 0, provenAt: null }

  function bucketOf(address: string, now: number): Bucket {
    const key = networkOf(address)
    const known = buckets.get(key) ?? { left: perMinute, at: now, provenAt: null }
    // Those that were heard last are at the end.
    buckets.delete(key)
    buckets.set(key, known)
    if (buckets.size > MOST) forgetSome(now)
    return known
  }

  /** Those that were not heard for longest, many at once; proven ones stay while there are others. */
  function forgetSome(now: number): void {
    let gone = 0
    for (const [key, bucket] of buckets) {
      if (gone === MOST / 10) return
      if (isTrusted(bucket, now)) continue
      buckets.delete(key)
      gone += 1
    }
    const [first] = buckets.keys()
    if (gone === 0 && first !== undefined) buckets.delete(first)
  }

  return {
    ask(address, now) {
      const own = bucketOf(address, now)
      fill(own, perMinute, now)
      if (own.left < 1) return wait(own, perMinute)
      if (!isTrusted(own, now)) {
        fill(strangers, inAll, now)
        if (strangers.left < 1) return wait(strangers, inAll)
        strangers.left -= 1
      }
      own.left -= 1
      return null
    },
    proven(address, now) {
      bucketOf(address, now).provenAt = now
    },
    isProven(address, now) {
      const known = buckets.get(networkOf(address))
      return known !== undefined && isTrusted(known, now)
    },
    get size() {
      return buckets.size
    },
  }
}

function isTrusted({ provenAt }: Bucket, now: number): boolean {
  return provenAt !== null && now - provenAt < TRUSTED_FOR
}

function fill(bucket: Bucket, most: number, now: number): void {
  bucket.left = Math.min(most, bucket.left + ((now - bucket.at) * most) / MINUTE)
  bucket.at = now
}

function wait({ left }: Bucket, most: number): number {
  return Math.ceil(((1 - left) * MINUTE) / most)
}

/** One customer of a provider has all addresses of a /64 (RFC 6177), so they count as one. */
export function networkOf(address: string): string {
  const bare = address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address
  if (!bare.includes(':')) return bare
  const [head = '', tail] = (bare.split('%')[0] ?? '').split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0')
  return [...first, ...zeros, ...last].slice(0, 4).join(':')
}
