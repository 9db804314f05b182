// The secrets of a leaf: found by their names in deployment.yaml and, where they lie in the repository, in the file that
// SOPS encrypted. No key is needed for any of it, and no value is seen. Pure.

import { posix } from 'node:path'

import type { SnapshotEntry } from '../repository/snapshot.ts'
import { findContent } from './content.ts'
import { addProblem, type Gathering } from './leaf-contents.ts'
import { nearest } from './nearest.ts'
import type { SecretWish } from './schema/keys/secrets.ts'
import {
  isBelow,
  needsFolder,
  SECRETS_FOLDER,
  type SecretFile,
  type SecretOrigin,
  type SecretsSpec,
} from './secret-source.ts'
import { parseSops } from './sops/parse-sops.ts'
import { ciphertextDigest, selectSecret } from './sops/select-secret.ts'
import { isFault, type SopsFault, type SopsFile } from './sops/sops-file.ts'
import type { ValuePath } from './yaml-document.ts'

export interface Secrets {
  readonly secrets: SecretsSpec | null
  readonly secretOrigins: ReadonlyMap<string, SecretOrigin>
}

export function gatherSecrets(state: Gathering): Secrets {
  const { files, environment } = state.parts.secrets
  const origins = new Map<string, SecretOrigin>()
  if (files.length === 0 && Object.keys(environment).length === 0) return { secrets: null, secretOrigins: origins }
  const secrets: SecretsSpec = { files: {}, environment: {} }
  const targets = new Map<string, SecretFile>()
  for (const [index, wish] of files.entries()) {
    const path = ['secrets', index]
    const content = contentOf(state, wish.source, path, origins)
    checkPlace(state, wish, path, targets)
    if (content !== null) targets.set(wish.target, { content, ...ownership(wish, state.parts.spec.user) })
  }
  for (const target of [...targets.keys()].sort()) {
    const file = targets.get(target)
    if (file !== undefined) secrets.files[target] = file
  }
  for (const name of Object.keys(environment).sort()) {
    const content = contentOf(state, environment[name] ?? '', ['environment', name], origins)
    if (content !== null) secrets.environment[name] = content
  }
  return { secrets, secretOrigins: origins }
}

/**
 * The numbers of the leaf's own user where it is written in numbers: it alone may read the file then. The name of a user
 * means a number that only the image knows, so the file is readable for all in the container, as Compose has it.
 */
function ownership(wish: SecretWish, user: string | undefined): Omit<SecretFile, 'content'> {
  const [, ownUid, ownGid] = /^(\d+)(?::(\d+))?$/.exec(user ?? '') ?? []
  const uid = wish.uid ?? Number(ownUid ?? 0)
  const gid = wish.gid ?? Number(ownGid ?? 0)
  const isKnown = wish.uid !== undefined || ownUid !== undefined
  return { mode: wish.mode ?? (isKnown ? 0o400 : 0o444), uid, gid }
}

/** Null where it cannot be used, which is told. */
function contentOf(
  state: Gathering,
  secret: string,
  path: ValuePath,
  origins: Map<string, SecretOrigin>,
): string | null {
  const root = state.set.root()
  const declared = root.parts?.secrets
  // The mistakes of deployment.yaml are told there.
  if (declared === undefined) return null
  const source = Object.hasOwn(declared, secret) ? declared[secret] : undefined
  if (source === undefined) {
    const close = nearest(secret, Object.keys(declared))
    const remedy = `${close === null ? '' : `did you mean ${close}? Or `}declare ${secret} under secrets in deployment.yaml`
    addProblem(state, path, 'value', `the secret ${secret} is not declared`, remedy)
    return null
  }
  if (source.from === 'host') {
    const content = `host:${source.name}`
    origins.set(content, { from: 'host', secret, name: source.name })
    return content
  }
  const { entry } = root.document
  const found = findContent(state.reading.snapshot, entry.path, source.file)
  if (found.path !== null) state.looked.set(found.path, state.reading.snapshot.entries.get(found.path))
  if (found.kind === 'absent') state.lasting = false
  if (found.kind !== 'found') return refuse(state, secret, 'file', found.refusal)
  const file = sopsOf(found.entry, found.bytes)
  if (isFault(file)) {
    const { message, remedy } = file
    return refuse(state, secret, 'file', {
      message: `${found.path} cannot be used: ${message}`,
      remedy: remedy.replaceAll('FILE', found.path),
    })
  }
  const selection = selectSecret(file, source.key)
  if (isFault(selection)) {
    const message = `${found.path}: ${selection.message}`
    return refuse(state, secret, source.key === null ? 'file' : 'key', { ...selection, message })
  }
  const content = `sops:${ciphertextDigest(selection)}`
  origins.set(content, { from: 'repository', secret, path: found.path, file, key: source.key })
  return content
}

/** At the secret's own lines in deployment.yaml: every leaf that uses it says the same, and it is told once. */
function refuse(state: Gathering, secret: string, step: 'file' | 'key', fault: SopsFault): null {
  const { entry } = state.set.root().document
  const place = state.reading.locate(entry, ['secrets', secret, step], 'value')
  state.problems.push({ ...place, message: fault.message, remedy: fault.remedy, leaf: null, severity: 'unreadable' })
  return null
}

const parsed = new WeakMap<SnapshotEntry, SopsFile | SopsFault>()

/** An entry that did not change is not read again. */
function sopsOf(entry: SnapshotEntry, bytes: Uint8Array): SopsFile | SopsFault {
  const known = parsed.get(entry)
  if (known !== undefined) return known
  const file = parseSops(entry.path, bytes)
  parsed.set(entry, file)
  return file
}

/**
 * A file inside a volume or a folder of the host would lie there for good. Below a tmpfs, and in a container with a
 * read-only root, only files directly in /run/secrets have a place: a folder of their own is mounted there.
 */
function checkPlace(state: Gathering, wish: SecretWish, path: ValuePath, before: ReadonlyMap<string, unknown>): void {
  const { spec, files } = state.parts
  const { target } = wish
  const say = (message: string, remedy: string): void => addProblem(state, path, 'value', message, remedy)
  if (before.has(target)) return say(`two secrets have the path ${target}`, 'give one of them another target')
  const clash = [...Object.keys(files), ...before.keys()].find(
    (other) => isBelow(target, String(other)) || isBelow(String(other), target) || other === target,
  )
  if (clash !== undefined) return say(`${target} clashes with the file ${clash}`, 'give one of them another path')
  for (const mount of spec.mounts) {
    if (isBelow(mount.target, target) || mount.target === target) {
      return say(`${target} is a file, and ${mount.target} is mounted there`, 'give one of them another path')
    }
    if (!isBelow(target, mount.target) || (mount.type === 'tmpfs' && mount.target !== SECRETS_FOLDER)) continue
    const remedy = 'give it an absolute target outside of the mount, or use it in `environment`'
    return say(`${target} lies inside the ${mount.type} mounted at ${mount.target}, and would stay there`, remedy)
  }
  if (needsFolder(spec, target) && posix.dirname(target) !== SECRETS_FOLDER) {
    const why = spec.read_only ? 'the container is read-only' : 'it lies inside a tmpfs'
    say(
      `${target} cannot be put there: ${why}`,
      `leave target out, or write a name: the file then lies in ${SECRETS_FOLDER}`,
    )
  }
}
