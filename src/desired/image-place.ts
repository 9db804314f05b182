// Where a leaf's image is written, and the variables in it: in the leaf's own file, in the defaults of a set above, or in
// `ingress`. Pure.

import type { Snapshot, SnapshotEntry } from '../repository/snapshot.ts'
import { LARGEST_READ_LIMITS } from './read-limits.ts'
import { isMapping } from './set-context.ts'
import type { Leaf, Tree } from './tree.ts'
import { readYaml, type ValuePath } from './yaml-document.ts'

/** A text in a file, with its variables as they are written. */
export interface WrittenText {
  readonly file: string
  readonly path: ValuePath
  readonly template: string
  /** Path of the set whose file it is; null for a leaf's own file and for `ingress`. */
  readonly set: string | null
}

/** An image as its author wrote it, taken apart without filling in variables. */
export interface WrittenImage {
  /** Everything before the tag: `quay.io/kolla/nova-api`, `${registry}/web`. */
  readonly name: string
  /** Null where none is written. */
  readonly tag: string | null
  /** `sha256:…`; null where none is written. */
  readonly digest: string | null
}

/** Files as values, each parsed once. Keep it no longer than one command. */
export type ReadFile = (path: string) => Readonly<Record<string, unknown>>

export function fileReader({ entries }: Snapshot): ReadFile {
  const known = new Map<SnapshotEntry, Readonly<Record<string, unknown>>>()
  return (path) => {
    const entry = entries.get(path)
    if (entry === undefined) return {}
    const before = known.get(entry)
    if (before !== undefined) return before
    const { value } = readYaml(entry, LARGEST_READ_LIMITS)
    const mapping = isMapping(value) ? value : {}
    known.set(entry, mapping)
    return mapping
  }
}

/** Null where it is written nowhere that can be told. */
export function imagePlace(leaf: Leaf, tree: Tree, read: ReadFile): WrittenText | null {
  if (leaf.name === tree.ingress?.leaf) {
    const ingress = read(leaf.file)['ingress']
    return written(leaf.file, ['ingress', 'image'], isMapping(ingress) ? ingress['image'] : null, null)
  }
  const own = read(leaf.file)
  if (own['image'] != null) return written(leaf.file, ['image'], own['image'], null)
  for (const set of setsAbove(leaf.set)) {
    const file = setFile(set)
    const defaults = read(file)['defaults']
    if (isMapping(defaults) && defaults['image'] != null) {
      return written(file, ['defaults', 'image'], defaults['image'], set)
    }
  }
  return null
}

/** Where the value of `name` that a set sees comes from: `version` or an entry of `variables`, nearest first. */
export function variablePlace(name: string, set: string, read: ReadFile): WrittenText | null {
  for (const path of setsAbove(set)) {
    const file = setFile(path)
    const { version, variables } = read(file)
    if (name === 'version' && version != null) return written(file, ['version'], version, path)
    if (name !== 'version' && isMapping(variables) && variables[name] != null) {
      return written(file, ['variables', name], variables[name], path)
    }
  }
  return null
}

/** `nova-api:${version}@sha256:…` → its parts. A colon inside a variable's braces belongs to the variable. */
export function splitImage(template: string): WrittenImage {
  const masked = template.replace(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, (match) => 'x'.repeat(match.length))
  const at = masked.indexOf('@')
  const end = at < 0 ? template.length : at
  const colon = masked.indexOf(':', masked.lastIndexOf('/', end) + 1)
  const hasTag = colon >= 0 && colon < end
  return {
    name: template.slice(0, hasTag ? colon : end),
    tag: hasTag ? template.slice(colon + 1, end) : null,
    digest: at < 0 ? null : template.slice(at + 1),
  }
}

export function joinImage({ name, tag, digest }: WrittenImage): string {
  return `${name}${tag === null ? '' : `:${tag}`}${digest === null ? '' : `@${digest}`}`
}

/** The file of a set. */
export function setFile(set: string): string {
  return set === '' ? 'deployment.yaml' : `${set}/set.yaml`
}

/** A set and those around it, nearest first; folders that are no sets have no file, and so say nothing. */
export function setsAbove(set: string): string[] {
  const paths: string[] = []
  for (let path = set; path !== ''; path = path.slice(0, Math.max(0, path.lastIndexOf('/')))) paths.push(path)
  return [...paths, '']
}

function written(file: string, path: ValuePath, value: unknown, set: string | null): WrittenText | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null
  return { file, path, template: String(value), set }
}
