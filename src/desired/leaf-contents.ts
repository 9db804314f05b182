// The contents that a leaf takes from the repository: its files, and the environment files. Pure.

import { posix } from 'node:path'
import type { SnapshotEntry } from '../repository/snapshot.ts'
import { findContent } from './content.ts'
import { parseEnvironmentFile } from './dotenv.ts'
import { decodeText } from './entry-text.ts'
import { interpolate } from './interpolate.ts'
import { sha256 } from './ledger-digest.ts'
import type { Layer, Merged } from './merge.ts'
import type { Problem } from './problem.ts'
import type { FileWish, LeafParts } from './schema/leaf.ts'
import { gatherSecrets } from './leaf-secrets.ts'
import type { SecretOrigin, SecretsSpec } from './secret-source.ts'
import type { Reading, SetContext } from './set-context.ts'
import type { FileFacts, Spec } from './spec.ts'
import { faultWords } from './template-words.ts'
import type { ValuePath } from './yaml-document.ts'

export interface Contents {
  /** Bytes by target. */
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly fileFacts: Spec['files']
  /** The very same object as `fileFacts` where no host variable had a part in a file. */
  readonly symbolicFileFacts: Spec['files']
  readonly environment: Record<string, string>
  /** The very same object as `environment` likewise. */
  readonly symbolicEnvironment: Record<string, string>
  /** Null for a leaf without secrets. */
  readonly secrets: SecretsSpec | null
  readonly secretOrigins: ReadonlyMap<string, SecretOrigin>
  /** Every path that was looked up, with what was there. */
  readonly looked: ReadonlyMap<string, SnapshotEntry | undefined>
  /** Whether the result depends on nothing but `looked`. */
  readonly lasting: boolean
}

export interface ContentWish {
  readonly name: string
  readonly parts: LeafParts
  readonly merged: Merged
  /** Who wrote the value at a path of the leaf, and under which path there. */
  readonly writer: (path: ValuePath) => { layer: Layer; path: ValuePath }
  readonly set: SetContext
  readonly reading: Reading
}

export interface Gathering extends ContentWish {
  readonly looked: Map<string, SnapshotEntry | undefined>
  readonly problems: Problem[]
  lasting: boolean
}

export function gatherContents(wish: ContentWish): { contents: Contents; problems: Problem[] } {
  const state: Gathering = { ...wish, looked: new Map(), problems: [], lasting: true }
  const files = gatherFiles(state)
  const environment = gatherEnvironment(state)
  const secrets = gatherSecrets(state)
  return {
    contents: { ...files, ...environment, ...secrets, looked: state.looked, lasting: state.lasting },
    problems: state.problems,
  }
}

function gatherFiles(state: Gathering): Pick<Contents, 'files' | 'fileFacts' | 'symbolicFileFacts'> {
  const files = new Map<string, Uint8Array>()
  const facts: Record<string, FileFacts> = {}
  const symbolic: Record<string, FileFacts> = {}
  let hosted = false
  for (const [target, wish] of Object.entries(state.parts.files)) {
    const path = ['files', writtenTarget(state, target)]
    checkTarget(state, target, path)
    const found = lookUp(state, wish.source, path, sourceStep(state, path))
    if (found === null) continue
    const filled = wish.interpolate
      ? fillIn(state, found.entry, found.bytes)
      : { real: found.bytes, symbolic: found.bytes }
    const { mode, uid, gid } = wish
    files.set(target, filled.real)
    facts[target] = { sha256: sha256(filled.real), mode, uid, gid }
    symbolic[target] =
      filled.symbolic === filled.real ? facts[target] : { sha256: sha256(filled.symbolic), mode, uid, gid }
    if (filled.symbolic !== filled.real) hosted = true
  }
  return { files, fileFacts: facts, symbolicFileFacts: hosted ? symbolic : facts }
}

/** The target as the author wrote it: the schema has made `/etc//a` into `/etc/a`. */
function writtenTarget(state: Gathering, target: string): string {
  const written = state.merged.value['files']
  if (written === null || typeof written !== 'object' || Object.hasOwn(written, target)) return target
  return Object.keys(written).find((key) => posix.normalize(key) === target) ?? target
}

function sourceStep(state: Gathering, path: readonly string[]): ValuePath {
  const written = (state.merged.value['files'] as Record<string, FileWish | string>)[path[1] ?? '']
  return typeof written === 'string' ? path : [...path, 'source']
}

/** A file inside a mount would change what is mounted, or vanish when the mount comes over it at start. */
function checkTarget(state: Gathering, target: string, path: ValuePath): void {
  const targets = Object.keys(state.parts.files)
  const above = targets.find((other) => target.startsWith(`${other}/`))
  if (above !== undefined) {
    addProblem(
      state,
      path,
      'key',
      `${target} lies inside ${above}, which is a file too`,
      'give one of them another path',
    )
  }
  for (const mount of state.parts.spec.mounts) {
    const inside = target === mount.target || target.startsWith(mount.target === '/' ? '/' : `${mount.target}/`)
    if (inside) {
      const message = `${target} lies inside the ${mount.type} mounted at ${mount.target}`
      const why =
        mount.type === 'tmpfs'
          ? 'it would vanish when the container starts'
          : 'it would change what the running container sees'
      addProblem(
        state,
        path,
        'key',
        `${message}: ${why}`,
        'mount a narrower folder, or give the file a path outside of it',
      )
    } else if (mount.target.startsWith(`${target}/`)) {
      addProblem(
        state,
        path,
        'key',
        `${target} is a file, and ${mount.target} is mounted inside it`,
        'give one of them another path',
      )
    }
  }
}

function fillIn(state: Gathering, entry: SnapshotEntry, bytes: Uint8Array): { real: Uint8Array; symbolic: Uint8Array } {
  const text = decodeText(bytes)
  if (text === null) {
    const remedy = 'save it as UTF-8, or take `interpolate` away'
    const nowhere = { line: null, column: null, text: null, leaf: state.name }
    const message = `${entry.path} is not a text in UTF-8, so variables cannot be filled in`
    state.problems.push({ file: entry.path, ...nowhere, message, remedy, severity: 'unreadable' })
    return { real: bytes, symbolic: bytes }
  }
  const filled = interpolate(text, state.set.scope.lookup, state.reading.limits.fileBytes)
  for (const fault of filled.faults) {
    const before = text.slice(0, fault.at)
    const line = before.split('\n').length
    const start = before.lastIndexOf('\n') + 1
    const shown = (text.slice(fault.at).split('\n', 1)[0] ?? '').slice(0, 80)
    const place = { file: entry.path, line, column: fault.at - start + 1, text: shown }
    state.problems.push({ ...place, ...faultWords(fault, state.set.scope), leaf: state.name, severity: 'unreadable' })
  }
  const real = Buffer.from(filled.text, 'utf8')
  return { real, symbolic: filled.fromHost ? Buffer.from(filled.symbolic, 'utf8') : real }
}

function gatherEnvironment(state: Gathering): Pick<Contents, 'environment' | 'symbolicEnvironment'> {
  const environment: Record<string, string> = {}
  const symbolic: Record<string, string> = {}
  let hosted = false
  const isList = Array.isArray(state.merged.value['env_file'])
  for (const [index, wish] of state.parts.env_file.entries()) {
    const path = isList ? ['env_file', index] : ['env_file']
    const found = lookUp(state, wish.path, path, path, wish.required)
    if (found === null) continue
    const text = decodeText(found.bytes)
    if (text === null) {
      addProblem(state, path, 'value', `${found.entry.path} is not a text in UTF-8`, 'save it as UTF-8')
      continue
    }
    const file = parseEnvironmentFile(text, wish.format === 'raw' ? 'raw' : 'compose', state.set.scope.lookup)
    for (const { line, text: shown, fault } of file.faults) {
      const words = fault.kind === 'form' ? fault : faultWords(fault, state.set.scope)
      const place = { file: found.entry.path, line, column: 1, text: shown }
      const { message, remedy } = words
      state.problems.push({ ...place, message, remedy, leaf: state.name, severity: 'unreadable' })
    }
    for (const [key, value] of file.real) environment[key] = value
    for (const [key, value] of file.symbolic) symbolic[key] = value
    if (file.fromHost) hosted = true
  }
  return { environment, symbolicEnvironment: hosted ? symbolic : environment }
}

function lookUp(state: Gathering, source: string, path: ValuePath, step: ValuePath, required = true) {
  const writer = state.writer(path).layer.document.entry.path
  const found = findContent(state.reading.snapshot, writer, source, state.reading.limits.fileBytes)
  if (found.path !== null) state.looked.set(found.path, state.reading.snapshot.entries.get(found.path))
  if (found.kind === 'found') return found
  if (found.kind === 'absent' && !required) return null
  // What is suggested instead of an absent file depends on all the others.
  if (found.kind === 'absent') state.lasting = false
  addProblem(state, step, 'value', found.refusal.message, found.refusal.remedy)
  return null
}

export function addProblem(
  state: Gathering,
  path: ValuePath,
  at: 'key' | 'value',
  message: string,
  remedy: string,
): void {
  const origin = state.writer(path)
  const place = state.reading.locate(origin.layer.document.entry, origin.path, at)
  state.problems.push({ ...place, message, remedy, leaf: state.name, severity: 'unreadable' })
}
