// Another image, tag or version in the files of a deployment: each change where its author wrote the value, be it the
// leaf itself, a default or a variable. What cannot be changed for the leaves that were named alone is refused in words.
// Pure.

import type { Snapshot } from '../repository/snapshot.ts'
import {
  fileReader,
  imagePlace,
  joinImage,
  setFile,
  splitImage,
  variablePlace,
  type ReadFile,
  type WrittenImage,
  type WrittenText,
} from './image-place.ts'
import { parseReference } from './image-reference.ts'
import { createPad, finish, type EditRefusal, type Pad, type TextEdits } from './text-edits.ts'
import type { Leaf, Tree } from './tree.ts'

/** What one leaf is to run. Exactly what is named changes. */
export interface ImageWish {
  readonly leaf: string
  /** A whole reference, written into the leaf's own file. */
  readonly image?: string
  /** Another tag of the image it has. A digest that stood beside the old tag goes. */
  readonly tag?: string
  /** `sha256:…`, beside the tag it has, or gets by this wish. */
  readonly digest?: string
}

/** Edits of `tree`'s files, which are those of `snapshot`. Nothing is changed where the wishes are true already. */
export function editImages(snapshot: Snapshot, tree: Tree, wishes: readonly ImageWish[]): TextEdits | EditRefusal {
  const read = fileReader(snapshot)
  const pad = createPad(snapshot)
  const remarks: string[] = []
  for (const wish of wishes) {
    const leaf = tree.leaves.get(wish.leaf)
    if (leaf === undefined) return { message: `${tree.name} has no leaf ${wish.leaf}`, remedy: 'name a leaf' }
    const refusal = editOne(wish, { leaf, tree, read, pad, remarks })
    if (refusal !== null) return refusal
  }
  return finish(pad, remarks)
}

/** `version` in the file of a set; it is added there where only a set further out has one. */
export function editVersion(snapshot: Snapshot, set: string, version: string): TextEdits | EditRefusal {
  const read = fileReader(snapshot)
  const own = variablePlace('version', set, read)
  const pad = createPad(snapshot)
  const remarks: string[] = []
  const file = setFile(set)
  const before = own?.file === file ? own.template : null
  if (own !== null && own.file !== file) {
    remarks.push(`${file} has a version of its own now; until now it was ${own.template}, from ${own.file}`)
  }
  if (before?.includes('$') === true) {
    remarks.push(`version in ${file} was ${before}; it no longer follows a variable`)
  }
  if (version === '' || version.includes('$')) {
    return { message: `“${version}” is no version`, remedy: 'write for example --version 2025.2' }
  }
  pad.write({ file, path: ['version'], from: before, to: version, leaf: null, set })
  return finish(pad, remarks)
}

interface Work {
  readonly leaf: Leaf
  readonly tree: Tree
  readonly read: ReadFile
  readonly pad: Pad
  readonly remarks: string[]
}

function editOne(wish: ImageWish, work: Work): EditRefusal | null {
  const { leaf, tree, read, pad, remarks } = work
  const place = imagePlace(leaf, tree, read)
  if (wish.image !== undefined) {
    if (wish.image.includes('$') || parseReference(wish.image) === null) {
      return { message: `“${wish.image}” is no image`, remedy: 'write for example quay.io/example/web:1.4' }
    }
    const isOwn = place !== null && place.set === null
    const to = wish.digest === undefined ? wish.image : joinImage({ ...splitImage(wish.image), digest: wish.digest })
    if (place?.template.includes('$') && leaf.spec.image !== to) {
      remarks.push(`the image of ${leaf.name} was ${place.template}; it no longer follows a variable`)
    }
    if (place !== null && !isOwn && leaf.spec.image !== to) {
      remarks.push(`the image of ${leaf.name} was a default of ${place.file}; it has its own now`)
    }
    if (!isOwn && leaf.spec.image === to) return null
    const path = isOwn ? place.path : leaf.name === tree.ingress?.leaf ? ['ingress', 'image'] : ['image']
    pad.write({ file: leaf.file, path, from: isOwn ? place.template : null, to, leaf: leaf.name, set: null })
    return null
  }
  if (place === null) {
    return { message: `where ${leaf.name} has its image from cannot be told`, remedy: 'give it one with --image' }
  }
  return editTag(wish, place, work)
}

/** Tag or digest at the place where they are written. */
function editTag(wish: ImageWish, place: WrittenText, work: Work): EditRefusal | null {
  const { leaf, remarks, pad } = work
  const { tag } = wish
  const seen = wholeVariable(place.template)
  if (seen !== null) {
    const next = variablePlace(seen, leaf.set, work.read)
    return next === null || next.template.includes('$') ? outOfReach(leaf, place, seen) : editTag(wish, next, work)
  }
  const image = splitImage(place.template)
  let now: WrittenImage = image
  if (tag !== undefined) {
    if (parseReference(`x:${tag}`) === null || tag.includes('@')) {
      return { message: `“${tag}” is no tag`, remedy: 'write for example --tag 1.4' }
    }
    if (image.tag?.includes('$')) {
      const refusal = editVariable(image.tag, tag, leaf.set, place, work)
      if (refusal !== null) return refusal
    } else now = { ...now, tag }
    const isSame = parseReference(leaf.spec.image)?.tag === tag
    if (image.digest !== null && wish.digest === undefined && !isSame) {
      now = { ...now, digest: null }
      remarks.push(`${leaf.name} was pinned to ${image.digest.slice(0, 19)}…; --digest pins the new tag`)
    }
  }
  // Without a tag the digest alone would not say what to ask for next time.
  if (wish.digest !== undefined) now = { ...now, tag: now.tag ?? 'latest', digest: wish.digest }
  const to = joinImage(now)
  const { file, path, template, set } = place
  if (to !== template) pad.write({ file, path, from: template, to, leaf: leaf.name, set })
  return null
}

/** `before${NAME}after` → the value that NAME needs so that the whole is `wanted`, where NAME is written. */
function editVariable(
  template: string,
  wanted: string,
  set: string,
  place: WrittenText,
  work: Work,
  depth = 0,
): EditRefusal | null {
  const { leaf, read, pad } = work
  const variable = oneVariable(template)
  if (variable === null || depth > 10) {
    return {
      message: `the tag of ${leaf.name} is written ${template}, and which of its variables is meant cannot be told`,
      remedy: `change them in their files, or give ${leaf.name} an image of its own with --image`,
    }
  }
  const { before, name, after } = variable
  const fits = wanted.length > before.length + after.length && wanted.startsWith(before) && wanted.endsWith(after)
  if (!fits) {
    return {
      message: `the tag of ${leaf.name} is written ${template} in ${place.file}, and ${wanted} is no such tag`,
      remedy: `name a tag like ${before}…${after}, or give ${leaf.name} an image of its own with --image`,
    }
  }
  const value = wanted.slice(before.length, wanted.length - after.length)
  const source = variablePlace(name, set, read)
  if (source === null || source.set === null) return outOfReach(leaf, place, name)
  if (source.template.includes('$')) {
    const inner = oneVariable(source.template)
    // A value that names itself means the one further out.
    if (inner?.name === name) return outOfReach(leaf, place, name)
    return editVariable(source.template, value, source.set, source, work, depth + 1)
  }
  if (source.template !== value) {
    const { file, path, template: from } = source
    pad.write({ file, path, from, to: value, leaf: leaf.name, set: source.set })
  }
  return null
}

function outOfReach(leaf: Leaf, place: WrittenText, name: string): EditRefusal {
  return {
    message: `the image of ${leaf.name} follows the variable ${name} (${place.template} in ${place.file}), which no file of the repository sets to a plain value`,
    remedy: `change ${name} where it is set, or give ${leaf.name} an image of its own with --image`,
  }
}

/** The variable that a text consists of; null for any other text. */
function wholeVariable(template: string): string | null {
  const variable = oneVariable(template)
  return variable !== null && variable.before === '' && variable.after === '' ? variable.name : null
}

function oneVariable(template: string): { before: string; name: string; after: string } | null {
  const groups =
    /^(?<before>[^$]*)\$(?:\{(?<braced>[A-Za-z_]\w*)(?::?[-?][^${}]*)?\}|(?<bare>[A-Za-z_]\w*))(?<after>[^$]*)$/.exec(
      template,
    )?.groups
  if (groups === undefined) return null
  const { before = '', braced, bare, after = '' } = groups
  const name = braced ?? bare
  return name === undefined ? null : { before, name, after }
}
