// The task of the Git child that judges a new tip: whether it goes on from the commit that was accepted last, and
// whether the commits that came since are signed by keys that are trusted.

import { readCommit, readCommitText } from './commit.ts'
import { walkAncestors, walkFirstParents } from './history.ts'
import { missingCommit } from './missing-ref.ts'
import type { KeyProblem, SignedCommit } from './signature-verdict.ts'
import type { Objects, Source } from './source.ts'
import { readTrustedKeys, type TrustedKeys } from './trusted-keys.ts'
import { verifyCommit } from './verify-commit.ts'

export interface VerifyWish {
  readonly tip: string
  /** The commit that was accepted last; null: none was. */
  readonly since: string | null
  /** `head`: the tip. `every`: the tip, and each first parent of it that `since` does not contain. */
  readonly mode: 'off' | 'head' | 'every'
  /** Whether it is asked if the tip contains `since`. */
  readonly forward: boolean
  /** The file of trusted keys as it is; null where the mode is `off`. */
  readonly keys: Uint8Array | null
  /** Milliseconds since 1970. */
  readonly now: number
}

export interface Verified {
  /** Whether the tip contains `since`; true where it was not asked. */
  readonly contains: boolean
  /** False where a shallow clone ends before everything shows that was asked. */
  readonly complete: boolean
  /** The newest that are not good, and those that are and were committed in somebody else's name. */
  readonly told: readonly SignedCommit[]
  /** Whether all that had to be signed is good. */
  readonly good: boolean
  readonly keyProblems: readonly KeyProblem[]
}

/** Commits that are told of; after as many that are not good, no more are looked at. */
const MOST_TOLD = 5
/** Clocks that differ. */
const SKEW = 10 * 60_000
/** In pieces, the first one small: mostly what was accepted is near. */
const FIRST_STEP = 32
const STEP = 2_000

/** Throws RepositoryFault `missing-ref` for a tip that is not there. A shallow history is fetched whole where it must be. */
export async function takeVerify(
  source: Source,
  wish: VerifyWish,
  signal: AbortSignal,
  mayDeepen = true,
): Promise<Verified> {
  const objects = await source.objects()
  if (!objects.store.has(wish.tip)) throw missingCommit(wish.tip, 'the repository')
  const line = newCommits(objects, wish)
  const contains =
    wish.forward && wish.since !== null && !line.meets ? isContained(objects, wish.since, wish.tip) : true
  const complete = contains !== null && line.complete
  if (!complete && mayDeepen && (await source.deepen(signal))) return takeVerify(source, wish, signal, false)
  const keys = wish.keys === null ? null : await readTrustedKeys(wish.keys)
  const usable = keys !== null && !keys.problems.some(({ fatal }) => fatal)
  const judged = usable
    ? await judge(objects, line.commits, keys, { from: oldest(objects, wish), until: wish.now + SKEW })
    : { told: [], good: wish.mode === 'off' }
  return { contains: contains ?? false, complete, ...judged, keyProblems: keys?.problems ?? [] }
}

interface NewCommits {
  readonly commits: readonly string[]
  /** Whether `since` stands on the line of first parents. */
  readonly meets: boolean
  readonly complete: boolean
}

/** What has to be signed, newest first. The tip is always among it. */
function newCommits({ store, shallow }: Objects, { tip, since, mode, forward }: VerifyWish): NewCommits {
  const onlyTip = { commits: mode === 'off' ? [] : [tip], complete: true }
  if (since === null || since === tip) return { ...onlyTip, meets: since === tip }
  if (mode !== 'every' && !forward) return { ...onlyTip, meets: false }
  const commits: string[] = []
  for (let next: string | null = tip; next !== null;) {
    const piece = walkFirstParents(store, shallow, next, commits.length === 0 ? FIRST_STEP : STEP)
    for (const { id } of piece.commits) {
      if (id === since) return mode === 'every' ? { commits, meets: true, complete: true } : { ...onlyTip, meets: true }
      commits.push(id)
    }
    if (!piece.complete) return { commits: mode === 'every' ? commits : onlyTip.commits, meets: false, complete: false }
    next = piece.next
  }
  if (mode !== 'every') return { ...onlyTip, meets: false }
  const known = new Set(store.has(since) ? ancestorsOf({ store, shallow }, since) : [])
  const first = commits.findIndex((id) => known.has(id))
  return { commits: first < 0 ? commits : commits.slice(0, Math.max(1, first)), meets: false, complete: true }
}

function* ancestorsOf({ store, shallow }: Pick<Objects, 'store' | 'shallow'>, commit: string): Generator<string> {
  for (const { id } of walkAncestors(store, shallow, commit)) yield id
}

/** Null where a shallow clone ends before it shows. */
function isContained({ store, shallow }: Objects, commit: string, tip: string): boolean | null {
  const walk = walkAncestors(store, shallow, tip)
  for (;;) {
    const step = walk.next()
    if (step.done === true) return step.value ? false : null
    if (step.value.id === commit) return true
  }
}

/**
 * Milliseconds since 1970 that no new commit counts as older than: when the accepted one was made. Else whoever holds a
 * key that has expired could begin a history of its own, long ago. Back to what the accepted one contains is not new.
 */
function oldest(objects: Objects, { tip, since }: VerifyWish): number {
  if (since === null || !objects.store.has(since)) return 0
  const { time } = readCommit(objects.store, since)
  if (readCommit(objects.store, tip).time >= time || isContained(objects, tip, since) === true) return 0
  return time
}

async function judge(
  { store, shallow }: Objects,
  commits: readonly string[],
  keys: TrustedKeys,
  { from, until }: { readonly from: number; readonly until: number },
): Promise<Pick<Verified, 'told' | 'good'>> {
  const told: SignedCommit[] = []
  let bad = 0
  for (const id of commits) {
    const { committer, parents } = readCommitText(store, id)
    const before = shallow.has(id) ? [] : parents.map((parent) => readCommit(store, parent).time)
    const times = { notBefore: Math.max(from, ...before), notAfter: until }
    const verdict = await verifyCommit(store.read(id).content, committer, keys, times)
    const isGood = verdict.kind === 'good'
    if (!isGood) bad++
    if (!isGood || !verdict.ownName) told.push({ commit: factsAt(store, id), verdict })
    if (bad >= MOST_TOLD) break
  }
  const good = told.filter(({ verdict }) => verdict.kind === 'good').slice(0, MOST_TOLD)
  return { told: [...told.filter(({ verdict }) => verdict.kind !== 'good'), ...good], good: bad === 0 }
}

function factsAt(store: Objects['store'], id: string): SignedCommit['commit'] {
  const { parents, subject, author, time } = readCommit(store, id)
  return { id, parents, subject, author, time }
}
