// How a leaf's keys lie over the defaults of its sets, and where each value of the result was written. Pure.
//
// The nearest writer of a key wins. Mappings of independent entries (MERGED_KEYS) merge entry by entry, in Compose's
// mapping or list form; every other value replaces the one further out whole. `null` takes a default away.

import type { ValuePath, YamlDocument } from './yaml-document.ts'

const MERGED_KEYS: ReadonlySet<string> = new Set([
  'environment',
  'labels',
  'annotations',
  'sysctls',
  'ulimits',
  'files',
  'update',
  'healthcheck',
])
/** Kinds of check that exclude each other: naming one takes the others' defaults away. */
const CHECK_KINDS = ['test', 'http', 'tcp', 'disable']

/** One mapping of leaf keys as it stands in a file, at `base`. */
export interface Layer {
  readonly document: YamlDocument
  readonly base: ValuePath
  readonly value: Readonly<Record<string, unknown>>
}

export interface Merged {
  readonly value: Readonly<Record<string, unknown>>
  /** Who wrote each key. */
  readonly writers: ReadonlyMap<string, Layer>
  /** Who wrote each entry of a key that was merged from more than one layer, and under which step there. */
  readonly entryWriters: ReadonlyMap<string, ReadonlyMap<string, EntryWriter>>
}

interface EntryWriter {
  readonly layer: Layer
  readonly step: string | number
}

export const NOTHING_MERGED: Merged = { value: {}, writers: new Map(), entryWriters: new Map() }

/** The same without a key, itself where the key is not there. */
export function withoutKey(merged: Merged, key: string): Merged {
  if (!merged.writers.has(key)) return merged
  const value = { ...merged.value }
  delete value[key]
  const writers = new Map(merged.writers)
  writers.delete(key)
  return { ...merged, value, writers }
}

export function mergeOver(outer: Merged, layer: Layer): Merged {
  const value: Record<string, unknown> = { ...outer.value }
  const writers = new Map(outer.writers)
  const entryWriters = new Map(outer.entryWriters)
  for (const [key, own] of Object.entries(layer.value)) {
    const before = value[key]
    const writer = writers.get(key)
    if (own === null && writer !== undefined) {
      delete value[key]
      writers.delete(key)
      entryWriters.delete(key)
      continue
    }
    const merged = writer === undefined || !MERGED_KEYS.has(key) ? null : mergeEntries(key, before, own)
    if (merged === null || writer === undefined) {
      value[key] = own
      entryWriters.delete(key)
    } else {
      value[key] = merged.value
      const earlier = entryWriters.get(key)
      const entries = new Map<string, EntryWriter>()
      for (const name of Object.keys(merged.value)) {
        const step = merged.ownSteps.get(name)
        const inherited = earlier?.get(name) ?? { layer: writer, step: merged.outerSteps.get(name) ?? name }
        entries.set(name, step === undefined ? inherited : { layer, step })
      }
      entryWriters.set(key, entries)
    }
    writers.set(key, layer)
  }
  return { value, writers, entryWriters }
}

/** Where the value at `path` of the result was written; the layer's own base where nobody wrote it. */
export function originOf(merged: Merged, path: ValuePath, own: Layer): { layer: Layer; path: ValuePath } {
  const [key, entry, ...rest] = path
  const entryWriter = entry === undefined ? undefined : merged.entryWriters.get(String(key))?.get(String(entry))
  if (key !== undefined && entryWriter !== undefined) {
    return { layer: entryWriter.layer, path: [...entryWriter.layer.base, key, entryWriter.step, ...rest] }
  }
  const layer = merged.writers.get(String(key)) ?? own
  return { layer, path: [...layer.base, ...path] }
}

interface Entries {
  readonly value: Record<string, unknown>
  /** Entry → its key or index in the written form. */
  readonly steps: ReadonlyMap<string, string | number>
}

function mergeEntries(key: string, outer: unknown, own: unknown) {
  const before = entriesOf(outer)
  const after = entriesOf(own)
  if (before === null || after === null) return null
  const value = { ...before.value }
  if (key === 'healthcheck' && CHECK_KINDS.some((kind) => Object.hasOwn(after.value, kind))) {
    for (const kind of CHECK_KINDS) delete value[kind]
  }
  for (const [name, member] of Object.entries(after.value)) {
    if (member === null && Object.hasOwn(value, name)) delete value[name]
    else value[name] = member
  }
  return { value, outerSteps: before.steps, ownSteps: after.steps }
}

/** Compose's two forms of a mapping: `{A: b}` and `[A=b]`. Null for anything else, which the schema will judge. */
function entriesOf(written: unknown): Entries | null {
  if (written === null || typeof written !== 'object') return null
  const value: Record<string, unknown> = {}
  const steps = new Map<string, string | number>()
  if (!Array.isArray(written)) {
    for (const [name, member] of Object.entries(written)) {
      value[name] = member
      steps.set(name, name)
    }
    return { value, steps }
  }
  for (const [index, item] of written.entries()) {
    if (typeof item !== 'string') return null
    const equals = item.indexOf('=')
    const name = equals < 0 ? item : item.slice(0, equals)
    if (name === '__proto__') return null
    value[name] = equals < 0 ? null : item.slice(equals + 1)
    steps.set(name, index)
  }
  return { value, steps }
}
