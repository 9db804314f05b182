// Gives the leaves of a tree the values of their secrets: decrypted with this host's age keys, or read from its own files.
// A leaf that cannot have one of its own is held with words; nothing else is.

import { createHmac } from 'node:crypto'
import { join } from 'node:path'

import type { Problem } from '../../desired/problem.ts'
import { createRedactor, type Redactor } from '../../desired/redaction.ts'
import type { OpenSecrets, SecretOrigin } from '../../desired/secret-source.ts'
import { SecretValue, secretText } from '../../desired/secret-value.ts'
import { decryptSops, type OpenValue } from '../../desired/sops/decrypt-sops.ts'
import { encryptedOf, plainText, selectSecret } from '../../desired/sops/select-secret.ts'
import { isFault, type SopsFault, type SopsFile } from '../../desired/sops/sops-file.ts'
import type { Leaf, Tree } from '../../desired/tree.ts'
import type { Settings } from '../settings.ts'
import { findDataKey, readAgeIdentities, type AgeIdentities } from './age-identities.ts'
import { LARGEST_SECRET, readHostSecret } from './host-secrets.ts'

export interface SecretOpener {
  /**
   * The tree with the values of its leaves' secrets, and why a leaf could not get them. A leaf whose values are the same
   * as before is the same object.
   */
  open(tree: Tree): Promise<{ readonly tree: Tree; readonly held: ReadonlyMap<string, Problem> }>
}

/** Where a host keeps its secrets and its age keys, unless it says otherwise. */
export function secretPlaces(settings: Pick<Settings, 'secrets' | 'age_key_file'>, state: string) {
  return {
    folder: settings.secrets ?? join(state, 'secrets'),
    keyFile: settings.age_key_file ?? join(state, 'age.key'),
  }
}

const redactors = new WeakMap<object, Redactor>()

/** What is taken out of an engine's words, for everything that was opened with these very settings. */
export function redactorOf(settings: object): Redactor {
  const redactor = redactors.get(settings) ?? createRedactor()
  redactors.set(settings, redactor)
  return redactor
}

export interface OpenerOptions {
  readonly folder: string
  readonly keyFile: string
  readonly hostKey: () => Promise<Uint8Array>
  /** Learns every value that a leaf uses. */
  readonly redactor: Redactor
}

export function createSecretOpener(options: OpenerOptions): SecretOpener {
  const files = new WeakMap<SopsFile, { readonly keys: string; readonly open: readonly OpenValue[] }>()
  const opened = new WeakMap<Leaf, Leaf>()

  async function decrypted(file: SopsFile, identities: AgeIdentities): Promise<readonly OpenValue[] | SopsFault> {
    const keys = identities.keys.join('\n')
    const known = files.get(file)
    if (known !== undefined && known.keys === keys) return known.open
    const dataKey = await findDataKey(file.metadata, identities)
    if (isFault(dataKey)) return dataKey
    const open = decryptSops(file, dataKey)
    if (isFault(open)) return open
    files.set(file, { keys, open })
    return open
  }

  async function valueOf(
    origin: SecretOrigin,
    identities: () => Promise<AgeIdentities>,
  ): Promise<SecretValue | SopsFault> {
    if (origin.from === 'host') {
      const bytes = await readHostSecret(options.folder, origin.name)
      return isFault(bytes) ? bytes : new SecretValue(bytes)
    }
    const selection = selectSecret(origin.file, origin.key)
    if (isFault(selection)) return selection
    const open = await decrypted(origin.file, await identities())
    if (isFault(open)) {
      const { message, remedy } = open
      return { message: `${origin.path}: ${message}`, remedy: remedy.replaceAll('FILE', origin.path) }
    }
    const bytes = plainText(selection, open)
    // Of a whole file, what uses it writes single values.
    options.redactor.learn(encryptedOf(selection, open).map((value) => new SecretValue(value)))
    if (bytes.length <= LARGEST_SECRET) return new SecretValue(bytes)
    return {
      message: `it holds more than ${LARGEST_SECRET / 1024} KiB`,
      remedy: 'put it into the container another way',
    }
  }

  async function openLeaf(
    leaf: Leaf,
    origins: ReadonlyMap<string, SecretOrigin>,
    identities: () => Promise<AgeIdentities>,
  ): Promise<Leaf | SopsFault> {
    const values = new Map<string, SecretValue>()
    const fingerprints = new Map<string, string>()
    const hostKey = await options.hostKey()
    const variables = new Set(Object.values(leaf.spec.secrets?.environment ?? {}))
    for (const [content, origin] of origins) {
      const value = await valueOf(origin, identities)
      if (isFault(value)) return { ...value, message: `its secret ${origin.secret} cannot be read: ${value.message}` }
      const text = variables.has(content) ? secretText(value) : ''
      if (text === null || text.includes('\0')) {
        const message = `its secret ${origin.secret} is no text, and a variable can only hold one`
        return { message, remedy: 'use it as a file, under `secrets` of the leaf' }
      }
      values.set(content, value)
      fingerprints.set(content, createHmac('sha256', hostKey).update('secret\0').update(value.reveal()).digest('hex'))
    }
    const secrets: OpenSecrets = { values, fingerprints }
    options.redactor.learn(values.values())
    const before = opened.get(leaf)
    if (before?.secrets !== undefined && isSame(before.secrets, secrets)) return before
    const fresh = { ...leaf, secrets }
    opened.set(leaf, fresh)
    return fresh
  }

  return {
    async open(tree) {
      const held = new Map<string, Problem>()
      let keys: Promise<AgeIdentities> | null = null
      const identities = (): Promise<AgeIdentities> => (keys ??= readAgeIdentities(options.keyFile))
      let leaves: Map<string, Leaf> | null = null
      for (const leaf of tree.leaves.values()) {
        if (leaf.secretOrigins === undefined) continue
        const result = await openLeaf(leaf, leaf.secretOrigins, identities)
        if ('remedy' in result) held.set(leaf.name, problemOf(leaf, result))
        else (leaves ??= new Map(tree.leaves)).set(leaf.name, result)
      }
      return { tree: leaves === null ? tree : { ...tree, leaves }, held }
    },
  }
}

function isSame(a: OpenSecrets, b: OpenSecrets): boolean {
  if (a.fingerprints.size !== b.fingerprints.size) return false
  for (const [content, digest] of a.fingerprints) if (b.fingerprints.get(content) !== digest) return false
  return true
}

function problemOf(leaf: Leaf, { message, remedy }: SopsFault): Problem {
  const place = { file: leaf.file, line: leaf.generationLine, column: 1, text: null }
  return { ...place, message, remedy, leaf: leaf.name, severity: 'held' }
}
