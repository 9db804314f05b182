// Secrets in a plan: compared by keyed digests, named by where they go, never shown. Pure.

import type { OpenSecrets, SecretsSpec } from '../desired/secret-source.ts'
import type { Leaf } from '../desired/tree.ts'
import type { GraftLabels } from './observed.ts'
import type { SpecFields } from './spec-fields.ts'
import type { FieldChange } from './verdict.ts'

/** Hexadecimal digits of a digest in a label: enough to see a change, and of no use for guessing without the key. */
const LABEL_DIGITS = 32

/** The spec's secrets with the keyed digest of each value for its content. */
export function resolvedSecrets(spec: SecretsSpec, open: OpenSecrets): SecretsSpec {
  const fingerprint = (content: string): string => open.fingerprints.get(content) ?? content
  return {
    files: Object.fromEntries(
      Object.entries(spec.files).map(([target, file]) => [target, { ...file, content: fingerprint(file.content) }]),
    ),
    environment: Object.fromEntries(
      Object.entries(spec.environment).map(([name, content]) => [name, fingerprint(content)]),
    ),
  }
}

/** For the label: by field (`secrets./run/secrets/x`, `environment.NAME`); null for a leaf without secrets. */
export function secretDigests(leaf: Leaf): Record<string, string> | null {
  const { spec, secrets } = leaf
  if (spec.secrets === undefined) return null
  const { files, environment } = secrets === undefined ? spec.secrets : resolvedSecrets(spec.secrets, secrets)
  const digests: Record<string, string> = {}
  for (const [target, { content, mode, uid, gid }] of Object.entries(files)) {
    digests[`secrets.${target}`] = `${short(content)} ${mode.toString(8)} ${uid}:${gid}`
  }
  for (const [name, content] of Object.entries(environment)) {
    digests[`environment.${name}`] = short(content)
  }
  return digests
}

/** Of a digest its first digits; a reference that nobody opened as it is. */
function short(content: string): string {
  return content.includes(':') ? content : content.slice(0, LABEL_DIGITS)
}

/** What differs between a container's secrets and the leaf's, with nothing of a value in it. */
export function secretChanges(leaf: Leaf, labels: GraftLabels): FieldChange[] {
  // A variable that is no secret any more is told with its value, like any other.
  const isPlain = (field: string): boolean =>
    field.startsWith('environment.') && Object.hasOwn(leaf.spec.environment, field.slice('environment.'.length))
  return changes(labels.secrets ?? {}, secretDigests(leaf) ?? {}).filter(({ field }) => !isPlain(field))
}

/** The same between two readings of a leaf, as far as the repository alone tells them apart. */
export function secretsBetween(before: Leaf, after: Leaf): FieldChange[] {
  return changes(secretDigests(withoutValues(before)) ?? {}, secretDigests(withoutValues(after)) ?? {})
}

function withoutValues({ secrets: _secrets, ...leaf }: Leaf): Leaf {
  return leaf
}

type Digests = Readonly<Record<string, string>>

function changes(from: Digests, to: Digests): FieldChange[] {
  return [...new Set([...Object.keys(from), ...Object.keys(to)])].flatMap((field): FieldChange[] => {
    if (from[field] === to[field]) return []
    const isThere = (all: Digests): boolean => Object.hasOwn(all, field)
    return [{ field, from: isThere(from) ? '(hidden)' : null, to: isThere(to) ? '(hidden, differs)' : null }]
  })
}

/**
 * The running container's fields without variables that are secrets, there or in the leaf: of a container that was made
 * by hand, what stands in a variable that is to hold a secret is most likely that secret.
 */
export function withoutSecretFields(fields: SpecFields, leaf: Leaf, labels: GraftLabels): SpecFields {
  const names = [
    ...Object.keys(labels.secrets ?? {}),
    ...Object.keys(leaf.spec.secrets?.environment ?? {}).map((name) => `environment.${name}`),
  ]
  if (names.length === 0) return fields
  const kept = new Map(fields)
  for (const name of names) kept.delete(name)
  return kept
}
