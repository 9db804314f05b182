// A set as the leaves in it see it: its variables, the defaults that lie under its leaves, whether it runs. Pure.

import type { Snapshot, SnapshotEntry } from '../repository/snapshot.ts'
import { decodeText } from './entry-text.ts'
import { interpolateValue } from './interpolate-value.ts'
import type { InterpolatedValue } from './interpolate-value.ts'
import { NOTHING_MERGED, mergeOver } from './merge.ts'
import type { Layer, Merged } from './merge.ts'
import type { Problem } from './problem.ts'
import type { ReadLeaf } from './read-leaf.ts'
import type { ReadLimits } from './read-limits.ts'
import type { RootContext } from './read-deployment.ts'
import type { Issue } from './schema/issue.ts'
import type { SetParts } from './schema/set.ts'
import { parseSet } from './schema/set.ts'
import { innerScope } from './scope.ts'
import type { Scope } from './scope.ts'
import { faultWords } from './template-words.ts'
import type { Locate, YamlDocument } from './yaml-document.ts'

export interface SetContext {
  /** Folder; '' for the root. */
  readonly path: string
  readonly document: YamlDocument
  /** Null for the root. */
  readonly parent: SetContext | null
  readonly root: () => RootContext
  /** Null where the file has problems. */
  readonly parts: SetParts | null
  /** false where this file or one above is no YAML: nothing sensible can be said of what lies below. */
  readonly readable: boolean
  readonly scope: Scope
  readonly state: 'running' | 'stopped'
  readonly suspend: boolean
  readonly problems: readonly Problem[]
  /** What lies under the leaves directly in this set; worked out when the first of them asks. */
  readonly defaults: () => Defaults
  readonly below: MadeBelow
}

/** What was made before of the sets and leaves directly below a set: an equal entry is the same object. */
export interface MadeBelow {
  readonly sets: WeakMap<SnapshotEntry, SetContext>
  readonly leaves: WeakMap<SnapshotEntry, ReadLeaf>
  /** The set read last at each path. */
  readonly latest: Map<string, SetContext>
}

/** What reading any file needs to know. */
export interface Reading {
  readonly snapshot: Snapshot
  readonly limits: ReadLimits
  readonly locate: Locate
  readonly document: (entry: SnapshotEntry) => YamlDocument
}

export interface Defaults {
  readonly real: Merged
  /** The very same as `real` where no host variable had a part in it. */
  readonly symbolic: Merged
  readonly faults: readonly LayerFault[]
}

/** A variable in a layer that cannot be filled in. The path starts at the layer's base. */
export interface LayerFault {
  readonly layer: Layer
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly remedy: string
}

const TAKEN_AS_WRITTEN: ReadonlySet<string> = new Set(['description', 'defaults', 'variables', 'version'])

/** Reads one set.yaml inside `parent`, or gives what was made of the same entry there before. */
export function readSet(entry: SnapshotEntry, path: string, parent: SetContext, reading: Reading): SetContext {
  const known = parent.below.sets.get(entry)
  if (known !== undefined) return known
  const document = reading.document(entry)
  const { scope, problems } = scopeOf(document, parent.scope, reading.locate)
  const filled = interpolateValue(document.value, scope, TAKEN_AS_WRITTEN)
  problems.push(...document.problems, ...faultProblems(filled, scope, document, reading.locate))
  const parsed = document.problems.length > 0 ? { parts: null, issues: [] } : parseSet(filled.value)
  problems.push(...issueProblems(parsed.issues, document, problems, reading.locate))
  const facts = { path, document, parent, root: parent.root, parts: parsed.parts, scope, problems }
  const before = parent.below.latest.get(path)
  const context = makeContext(facts, before !== undefined && handsDownTheSame(before, facts) ? before.below : undefined)
  parent.below.sets.set(entry, context)
  parent.below.latest.set(path, context)
  return context
}

/**
 * Whether a set, edited, still means the same to everything below it (its description changed, what it depends on), so
 * that nothing there has to be read again. Places in its `defaults` must be where they were, for problems to point at.
 */
export function handsDownTheSame(before: SetContext, after: ContextFacts): boolean {
  if (before.parts === null || after.parts === null || before.problems.length + after.problems.length > 0) return false
  const handed = ({ version, variables, defaults, state, suspend }: SetParts): string =>
    JSON.stringify([version, variables, defaults, state, suspend])
  if (handed(before.parts) !== handed(after.parts)) return false
  if (Object.keys(after.parts.defaults).length === 0) return true
  const from = defaultsText(before.document)
  return from !== null && from === defaultsText(after.document)
}

/** The file from its `defaults` on, with the number of lines before; null where they cannot be found so simply. */
function defaultsText({ entry }: YamlDocument): string | null {
  const text = entry.content === null ? null : decodeText(entry.content)
  const at = text?.search(/^defaults:/m) ?? -1
  if (text === null || at < 0) return null
  return `${text.slice(0, at).split('\n').length}:${text.slice(at)}`
}

export interface ContextFacts {
  readonly path: string
  readonly document: YamlDocument
  readonly parent: SetContext | null
  readonly root: () => RootContext
  readonly parts: SetParts | null
  readonly scope: Scope
  readonly problems: readonly Problem[]
}

/** `below`: what was made below an earlier reading of the set, where it means the same to what lies there. */
export function makeContext(facts: ContextFacts, below?: MadeBelow): SetContext {
  const { document, parent, parts, scope } = facts
  let defaults: Defaults | null = null
  return {
    ...facts,
    readable: document.problems.length === 0 && (parent?.readable ?? true),
    state: parent?.state === 'stopped' ? 'stopped' : (parts?.state ?? 'running'),
    suspend: parent?.suspend === true || parts?.suspend === true,
    defaults: () => (defaults ??= mergeDefaults(layersOf(document, parent), scope)),
    below: below ?? { sets: new WeakMap(), leaves: new WeakMap(), latest: new Map() },
  }
}

/** Outermost first. */
function layersOf(document: YamlDocument, parent: SetContext | null): Layer[] {
  const outer = parent === null ? [] : layersOf(parent.document, parent.parent)
  const value = isMapping(document.value) ? document.value['defaults'] : undefined
  return isMapping(value) ? [...outer, { document, base: ['defaults'], value }] : outer
}

function mergeDefaults(layers: readonly Layer[], scope: Scope): Defaults {
  let real = NOTHING_MERGED
  let symbolic = NOTHING_MERGED
  const faults: LayerFault[] = []
  for (const layer of layers) {
    const filled = fillLayer(layer, scope)
    const same = real === symbolic && filled.real === filled.symbolic
    real = mergeOver(real, filled.real)
    symbolic = same ? real : mergeOver(symbolic, filled.symbolic)
    faults.push(...filled.faults)
  }
  return { real, symbolic, faults }
}

/** A pattern's `$` is no variable. */
const LITERAL_KEYS: ReadonlySet<string> = new Set(['image_policy'])

/** A layer with its variables filled in. Its faults name the layer that comes out as `real`. */
export function fillLayer(layer: Layer, scope: Scope): { real: Layer; symbolic: Layer; faults: LayerFault[] } {
  const filled = interpolateValue(layer.value, scope, LITERAL_KEYS)
  const real = { ...layer, value: filled.value as Record<string, unknown> }
  const symbolic =
    filled.symbolic === filled.value ? real : { ...layer, value: filled.symbolic as Record<string, unknown> }
  const faults = filled.faults.map(({ path, fault }) => ({ layer: real, path, ...faultWords(fault, scope) }))
  return { real, symbolic, faults }
}

/** The scope of a file with `version` and `variables`, and the problems of their values. */
export function scopeOf(document: YamlDocument, outer: Scope, locate: Locate): { scope: Scope; problems: Problem[] } {
  const templates = new Map<string, string>()
  const value = isMapping(document.value) ? document.value : {}
  if (isPlain(value['version'])) templates.set('version', String(value['version']))
  const problems: Problem[] = []
  for (const [name, text] of Object.entries(isMapping(value['variables']) ? value['variables'] : {})) {
    if (name !== 'version' && name !== 'prefix') {
      if (isPlain(text)) templates.set(name, String(text))
      continue
    }
    const place = locate(document.entry, ['variables', name], 'key')
    const remedy = name === 'version' ? 'write `version:` beside `variables:`' : 'write `prefix:` in deployment.yaml'
    problems.push({ ...place, message: `${name} is graft's own variable`, remedy, leaf: null, severity: 'unreadable' })
  }
  const { scope, faults } = innerScope(outer, templates)
  for (const { name, fault } of faults) {
    const isVersion = name === 'version'
    const place = locate(document.entry, isVersion ? ['version'] : ['variables', name], 'value')
    problems.push({ ...place, ...faultWords(fault, outer), leaf: null, severity: 'unreadable' })
  }
  return { scope, problems }
}

export function faultProblems(
  filled: InterpolatedValue,
  scope: Scope,
  document: YamlDocument,
  locate: Locate,
): Problem[] {
  return filled.faults.map(({ path, fault }) => ({
    ...locate(document.entry, path, 'value'),
    ...faultWords(fault, scope),
    leaf: null,
    severity: 'unreadable',
  }))
}

/** Issues of a file's shape; those at the place of an earlier problem are only its echo. */
export function issueProblems(
  issues: readonly Issue[],
  document: YamlDocument,
  earlier: readonly Problem[],
  locate: Locate,
): Problem[] {
  return issues
    .map((issue): Problem => {
      const place = locate(document.entry, issue.path, issue.at)
      return { ...place, message: issue.message, remedy: issue.remedy, leaf: null, severity: 'unreadable' }
    })
    .filter(
      (one) => one.line === null || !earlier.some((other) => other.line === one.line && other.column === one.column),
    )
}

export function isMapping(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function isPlain(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}
