// Which leaves follow their image_policy together: those whose tag is one value that they share change in one step, and
// whoever would be changed without a policy that allows it keeps all of them where they are.

import { editedSnapshot } from '../desired/edited-snapshot.ts'
import { editImages, type ImageWish } from '../desired/image-edit.ts'
import type { Reader } from '../desired/read.ts'
import type { Tree } from '../desired/tree.ts'
import { isRefusal, type TextEdit } from '../desired/text-edits.ts'
import type { ImageNews } from '../registry/image-news.ts'
import type { Snapshot } from '../repository/snapshot.ts'

export interface Follower {
  readonly wish: ImageWish
  readonly news: ImageNews
}

/** Leaves that change together. */
export interface Group {
  readonly followers: readonly Follower[]
  /** Path of the set whose value they share; null for a leaf by itself. */
  readonly set: string | null
}

export interface Groups {
  readonly groups: readonly Group[]
  /** Why a leaf stays, each a sentence without a full stop. */
  readonly remarks: readonly string[]
}

/** `followers`: in the order of the tree. */
export function groupFollowers(snapshot: Snapshot, tree: Tree, reader: Reader, followers: readonly Follower[]): Groups {
  const remarks: string[] = []
  const groups: { followers: Follower[]; places: Set<string>; set: string | null }[] = []
  for (const follower of followers) {
    const made = editImages(snapshot, tree, [follower.wish])
    if (isRefusal(made)) {
      remarks.push(`${follower.wish.leaf} stays: ${made.message}; ${made.remedy}`)
      continue
    }
    if (made.changes.length === 0) continue
    const shared = made.edits.filter(({ set }) => set !== null)
    const places = new Set(shared.map(placeOf))
    const joined = groups.filter((group) => [...places].some((place) => group.places.has(place)))
    const merged = {
      followers: [...joined.flatMap((group) => group.followers), follower],
      places: new Set([...joined.flatMap((group) => [...group.places]), ...places]),
      set: joined[0]?.set ?? shared[0]?.set ?? null,
    }
    for (const group of joined) groups.splice(groups.indexOf(group), 1)
    groups.push(merged)
  }
  const kept = groups.filter((group) => {
    const why = whyNot(snapshot, tree, reader, group.followers)
    const names = group.followers.map(({ wish }) => wish.leaf)
    if (why !== null) remarks.push(`${names.join(', ')} ${names.length === 1 ? 'stays' : 'stay'}: ${why}`)
    return why === null
  })
  return { groups: kept, remarks }
}

/** Null where the whole group can change, and nobody else does. */
function whyNot(snapshot: Snapshot, tree: Tree, reader: Reader, followers: readonly Follower[]): string | null {
  const made = editImages(
    snapshot,
    tree,
    followers.map(({ wish }) => wish),
  )
  if (isRefusal(made)) return `${made.message}; ${made.remedy}`
  const shared = made.edits.find(({ set }) => set !== null)
  if (shared === undefined) return null
  const after = reader.read(editedSnapshot(snapshot, made.changes), { host: null }).tree
  if (after === null) return 'the files would not read any more'
  const names = new Set(followers.map(({ wish }) => wish.leaf))
  const others = [...after.leaves.values()].filter(
    ({ name, ledgerDigest }) => !names.has(name) && tree.leaves.get(name)?.ledgerDigest !== ledgerDigest,
  )
  if (others.length === 0) return null
  const listed = others.slice(0, 4).map(({ name }) => name)
  const more = others.length > 4 ? ` and ${others.length - 4} more` : ''
  return `${shared.path.join('.')} in ${shared.file} is also that of ${listed.join(', ')}${more}, which may not follow to ${shared.to}`
}

function placeOf({ file, path }: TextEdit): string {
  return `${file}\n${path.join('\n')}`
}
