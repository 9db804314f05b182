// What a person asks of graft bump, as edits of the files and the words for their commit.

import { isMisnamed, namedSet, nothingNamed, setNames } from '../daemon/named-set.ts'
import { editedSnapshot } from '../desired/edited-snapshot.ts'
import { editImages, editVersion, type ImageWish } from '../desired/image-edit.ts'
import { isRefusal, type EditRefusal, type TextEdits } from '../desired/text-edits.ts'
import { setFile } from '../desired/image-place.ts'
import { parseReference } from '../desired/image-reference.ts'
import { LARGEST_READ_LIMITS } from '../desired/read-limits.ts'
import { createReader } from '../desired/read.ts'
import type { Tree } from '../desired/tree.ts'
import { bumpSubject } from '../report/bump-words.ts'
import type { Snapshot } from '../repository/snapshot.ts'
import type { BumpPlan } from './bump-land.ts'
import type { Invocation } from './command.ts'
import { Mistake, Problems } from './mistakes.ts'
import type { Opened } from './open-command.ts'
import { openRegistry } from './open-registry.ts'

export type AskedBump =
  | { readonly kind: 'changed' }
  | { readonly kind: 'version'; readonly set: string; readonly version: string }
  | {
      readonly kind: 'image'
      readonly names: readonly string[]
      readonly image: string | undefined
      readonly tag: string | undefined
      readonly digest: boolean
    }

export function bumpPlan(asked: AskedBump, opened: Opened, invocation: Invocation): BumpPlan {
  if (asked.kind === 'changed') {
    return {
      edit: null,
      named: null,
      mayChangeOthers: true,
      compareWithHistory: true,
      nothing: 'every leaf has a generation of its own already; there is nothing to change',
      subject: ({ leaves }) =>
        bumpSubject(
          leaves.map(({ leaf }) => leaf),
          null,
        ),
    }
  }
  if (asked.kind === 'version') {
    const { version } = asked
    return {
      async edit(snapshot, tree) {
        const set = setMeant(tree, asked.set)
        const made = editVersion(snapshot, set, version)
        return isRefusal(made) ? made : withRemark(snapshot, tree, made, set)
      },
      named: new Set(),
      mayChangeOthers: true,
      nothing: `${asked.set === '.' ? 'the deployment' : asked.set} says ${version} already; there is nothing to change`,
      subject: () => bumpSubject([asked.set === '.' ? 'everything' : asked.set], version),
    }
  }
  const { names, image, tag, digest } = asked
  const to = image ?? tag ?? null
  return {
    async edit(snapshot, tree) {
      const wishes = names.map((name): ImageWish => {
        checkLeaf(tree, name)
        return { leaf: name, ...(image === undefined ? {} : { image }), ...(tag === undefined ? {} : { tag }) }
      })
      const made = editImages(snapshot, tree, wishes)
      if (!digest || isRefusal(made)) return made
      const edited = treeOf(editedSnapshot(snapshot, made.changes))
      return editImages(snapshot, tree, await withDigests(wishes, edited, opened, invocation))
    },
    named: new Set(names),
    mayChangeOthers: false,
    nothing: `${names.join(', ')} ${names.length === 1 ? 'says' : 'say'} ${to ?? 'that digest'} already; there is nothing to change`,
    subject: () => (to === null ? `Pin ${names.join(', ')}` : bumpSubject(names, shortName(to))),
  }
}

/** What the registries serve now for the tags that the leaves have in `tree`. Throws an EngineFault of kind `registry`. */
async function withDigests(
  wishes: readonly ImageWish[],
  tree: Tree,
  { settings }: Opened,
  { surroundings }: Invocation,
): Promise<ImageWish[]> {
  const registry = openRegistry(settings, surroundings.env)
  try {
    const pinned: ImageWish[] = []
    for (const wish of wishes) {
      const image = parseReference(tree.leaves.get(wish.leaf)?.spec.image ?? '')
      if (image === null || image.tag === null) {
        throw new Mistake(`the image of ${wish.leaf} has no tag whose digest could be asked`, 'add --tag TAG')
      }
      pinned.push({ ...wish, digest: await registry.digest({ ...image, digest: null }) })
    }
    return pinned
  } finally {
    await registry.close()
  }
}

function treeOf(snapshot: Snapshot): Tree {
  const { tree, problems } = createReader(LARGEST_READ_LIMITS).read(snapshot, { host: null })
  if (tree === null) throw new Problems(problems)
  return tree
}

/** A version that no leaf uses is worth telling; one that would only be added for nobody is a slip. */
function withRemark(snapshot: Snapshot, tree: Tree, made: TextEdits, set: string): TextEdits | EditRefusal {
  if (made.changes.length === 0) return made
  const after = treeOf(editedSnapshot(snapshot, made.changes))
  const follows = [...after.leaves.values()].some(
    ({ name, ledgerDigest }) => tree.leaves.get(name)?.ledgerDigest !== ledgerDigest,
  )
  if (follows) return made
  const message = `no leaf ${set === '' ? 'of the deployment' : `in ${set}`} follows a version in ${setFile(set)}`
  if (made.edits.some(({ from }) => from !== null)) {
    return { ...made, remarks: [...made.remarks, `${message}, so nothing that runs changes`] }
  }
  const remedy = 'name the set whose set.yaml has the version, or use ${version} in the image of a leaf first'
  return { message, remedy }
}

function checkLeaf(tree: Tree, name: string): void {
  if (tree.leaves.has(name)) return
  const set = namedSet(tree, name)
  if (set !== null && !isMisnamed(set)) {
    throw new Mistake(`${name} is a set`, `graft bump ${name} --version VERSION gives all its leaves another version`)
  }
  const { message, remedy } = nothingNamed(tree, name, 'no leaf', [...tree.leaves.keys()])
  throw new Mistake(message, remedy)
}

function setMeant(tree: Tree, asked: string): string {
  const set = namedSet(tree, asked)
  if (isMisnamed(set)) throw new Mistake(set.message, set.remedy)
  if (set !== null) return set.path
  if (tree.leaves.has(asked)) {
    throw new Mistake(`${asked} is a leaf, and only a set has a version`, `graft bump ${asked} --tag TAG`)
  }
  const { message, remedy } = nothingNamed(tree, asked, 'no set', setNames(tree))
  throw new Mistake(message, remedy)
}

/** `quay.io/example/web:1.4` → `1.4`; a reference without a tag as it is. */
function shortName(to: string): string {
  const colon = to.lastIndexOf(':')
  return to.includes('@') || colon < to.lastIndexOf('/') || colon < 0 ? to : to.slice(colon + 1)
}
