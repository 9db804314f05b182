// One leaf file inside its set: defaults under it, variables filled in, contents found, digests made. Pure.
// What concerns more than this leaf (names, dependencies, clashes) is looked at in read.ts and what it calls.

import type { SnapshotEntry } from '../repository/snapshot.ts'
import { claimsOf } from './claims.ts'
import type { Claim } from './claims.ts'
import { gatherContents } from './leaf-contents.ts'
import type { Contents } from './leaf-contents.ts'
import { checkLeaf } from './leaf-checks.ts'
import { ledgerDigest } from './ledger-digest.ts'
import { mergeOver, originOf, withoutKey } from './merge.ts'
import type { Layer, Merged } from './merge.ts'
import type { Problem } from './problem.ts'
import { parseLeaf } from './schema/leaf.ts'
import type { LeafParts } from './schema/leaf.ts'
import { fillLayer, isMapping } from './set-context.ts'
import type { Defaults, LayerFault, Reading, SetContext } from './set-context.ts'
import type { Spec } from './spec.ts'
import type { Leaf } from './tree.ts'
import { wholeFile } from './yaml-document.ts'
import type { Place, ValuePath, YamlDocument } from './yaml-document.ts'

/** What came of one leaf file by itself. */
export interface ReadLeaf {
  readonly name: string
  readonly set: SetContext
  readonly document: YamlDocument
  /** Null where the file has problems. */
  readonly parts: LeafParts | null
  readonly spec: Spec | null
  readonly digest: string
  readonly contents: Contents
  readonly problems: readonly Problem[]
  /** The leaf's keys as merged, for finding a place again. */
  readonly merged: Merged | null
  readonly own: Layer
  readonly claims: readonly Claim[]
  /** The Leaf made of it last, with what it was made with: it is used again while that is the same. */
  last: { readonly dependencies: Leaf['dependencies']; readonly leaf: Leaf } | null
}

/** Of a leaf that takes nothing from the repository. */
export const NO_CONTENTS: Contents = {
  files: new Map(),
  fileFacts: {},
  symbolicFileFacts: {},
  environment: {},
  symbolicEnvironment: {},
  secrets: null,
  secretOrigins: new Map(),
  looked: new Map(),
  lasting: true,
}

/** Reads a leaf, or gives what was made of the same entry in the same set while what it mounts is the same too. */
export function readLeaf(entry: SnapshotEntry, name: string, set: SetContext, reading: Reading): ReadLeaf {
  const known = set.below.leaves.get(entry)
  if (known !== undefined && stillHolds(known, reading)) return known
  const fresh = readAfresh(entry, name, set, reading)
  if (fresh.contents.lasting) set.below.leaves.set(entry, fresh)
  return fresh
}

/** A set's `restart` is for its containers: a job runs once, whatever its neighbours do. */
function defaultsFor(kind: unknown, defaults: Defaults): Defaults {
  if (kind !== 'job') return defaults
  const real = withoutKey(defaults.real, 'restart')
  return {
    ...defaults,
    real,
    symbolic: defaults.symbolic === defaults.real ? real : withoutKey(defaults.symbolic, 'restart'),
  }
}

function stillHolds(leaf: ReadLeaf, reading: Reading): boolean {
  for (const [path, entry] of leaf.contents.looked) {
    if (reading.snapshot.entries.get(path) !== entry) return false
  }
  return true
}

function readAfresh(entry: SnapshotEntry, name: string, set: SetContext, reading: Reading): ReadLeaf {
  const document = reading.document(entry)
  const written = document.value
  const own: Layer = { document, base: [], value: isMapping(written) ? written : {} }
  const failed = (problems: readonly Problem[], merged: Merged | null = null): ReadLeaf => {
    return {
      name,
      set,
      document,
      parts: null,
      spec: null,
      digest: '',
      contents: NO_CONTENTS,
      problems,
      merged,
      own,
      claims: [],
      last: null,
    }
  }
  if (document.problems.length > 0) return failed(document.problems.map((problem) => ({ ...problem, leaf: name })))
  if (!set.readable) return failed([])
  if (!isMapping(written)) {
    const message = written === null ? 'the file is empty' : 'a leaf is a mapping of keys'
    return failed([{ ...wholeFile(entry, message, 'write generation: 1 and image: NAME'), leaf: name }])
  }

  const defaults = defaultsFor(own.value['kind'], set.defaults())
  const filled = fillLayer(own, set.scope)
  const merged = mergeOver(defaults.real, filled.real)
  const faults = [...defaults.faults, ...filled.faults].filter((fault) => isInForce(fault, merged))
  const problems: Problem[] = faults.map(({ layer, path, message, remedy }) => {
    const place = reading.locate(layer.document.entry, [...layer.base, ...path], 'value')
    return { ...place, message, remedy, leaf: layer === filled.real ? name : null, severity: 'unreadable' }
  })
  const hosted = defaults.symbolic !== defaults.real || filled.symbolic !== filled.real
  const ingress = set.root().ingress
  const real = parseLeaf(merged.value, { symbolic: false, ingress, leafName: name })
  for (const issue of real.issues) {
    const origin = originOf(merged, issue.path, filled.real)
    if (isEcho(origin.layer, origin.path, faults)) continue
    const place = reading.locate(origin.layer.document.entry, origin.path, issue.at)
    const leaf = origin.layer === filled.real ? name : null
    if (leaf === null && isTold(place, set)) continue
    problems.push({ ...place, message: issue.message, remedy: issue.remedy, leaf, severity: 'unreadable' })
  }
  if (real.parts === null) return failed(problems, merged)

  const symbolicMerged = hosted ? mergeOver(defaults.symbolic, filled.symbolic) : merged
  const symbolic = hosted ? parseLeaf(symbolicMerged.value, { symbolic: true, ingress, leafName: name }) : real
  if (symbolic.parts === null) {
    const [issue] = symbolic.issues
    const origin = originOf(symbolicMerged, issue?.path ?? [], filled.symbolic)
    const place = reading.locate(origin.layer.document.entry, origin.path, issue?.at ?? 'value')
    const message = `a host variable cannot stand here${issue === undefined ? '' : `: ${issue.message}`}`
    const remedy = 'write the value itself, or a variable of the repository'
    return failed([...problems, { ...place, message, remedy, leaf: name, severity: 'unreadable' }], merged)
  }

  const writer = (path: ValuePath): { layer: Layer; path: ValuePath } => originOf(merged, path, filled.real)
  const { contents, problems: missing } = gatherContents({ name, parts: real.parts, merged, writer, set, reading })
  problems.push(...missing, ...checkLeaf({ name, parts: real.parts, merged, writer, set, reading }))
  const spec: Spec = withContents(real.parts, contents, 'real')
  const digest = ledgerDigest(
    real.parts.kind,
    hosted || contents.environment !== contents.symbolicEnvironment || contents.fileFacts !== contents.symbolicFileFacts
      ? withContents(symbolic.parts, contents, 'symbolic')
      : spec,
  )
  const parts = problems.length === 0 ? real.parts : null
  return {
    name,
    set,
    document,
    parts,
    spec,
    digest,
    contents,
    problems,
    merged,
    own: filled.real,
    claims: claimsOf(spec, merged),
    last: null,
  }
}

/** `environment` wins over what the files say (Compose Specification, env_file). */
function withContents({ spec }: LeafParts, contents: Contents, form: 'real' | 'symbolic'): Spec {
  const { secrets } = contents
  const [fromFiles, files] =
    form === 'real'
      ? [contents.environment, contents.fileFacts]
      : [contents.symbolicEnvironment, contents.symbolicFileFacts]
  const all = Object.entries({ ...fromFiles, ...spec.environment })
  const plain = all.filter(([name]) => secrets === null || !Object.hasOwn(secrets.environment, name))
  const environment = sorted(Object.fromEntries(plain))
  return { ...spec, environment, files, ...(secrets === null ? {} : { secrets }) }
}

function sorted(record: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Whether what the faulty layer wrote is still there after merging: a default that is overridden hurts nobody. */
function isInForce(fault: LayerFault, merged: Merged): boolean {
  const [key, step] = fault.path
  const entries = merged.entryWriters.get(String(key))
  if (entries === undefined || step === undefined) return merged.writers.get(String(key)) === fault.layer
  return [...entries.values()].some((writer) => writer.layer === fault.layer && writer.step === step)
}

/** Whether an issue only repeats that a variable there could not be filled in. */
function isEcho(layer: Layer, path: ValuePath, faults: readonly LayerFault[]): boolean {
  return faults.some((fault) => {
    const full = [...fault.layer.base, ...fault.path]
    return fault.layer === layer && path.every((step, index) => String(step) === String(full[index])) && path.length > 0
  })
}

/** Whether a set's own problems, here or further out, name that line already. */
function isTold(place: Place, set: SetContext | null): boolean {
  if (set === null) return false
  return set.problems.some(({ file, line }) => file === place.file && line === place.line) || isTold(place, set.parent)
}

/** Where a value of the leaf was written, in whichever file. */
export function placeIn(leaf: ReadLeaf, path: ValuePath, at: 'key' | 'value', reading: Reading): Place {
  const origin = leaf.merged === null ? { layer: leaf.own, path } : originOf(leaf.merged, path, leaf.own)
  return reading.locate(origin.layer.document.entry, origin.path, at)
}
