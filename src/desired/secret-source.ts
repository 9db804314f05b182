// Where a secret comes from, and what of it a spec says: never its value. Pure.

import type { SecretValue } from './secret-value.ts'
import type { Spec } from './spec.ts'
import type { SopsFile } from './sops/sops-file.ts'

/** One of `secrets` in deployment.yaml. */
export type SecretSource =
  /** A file of the repository that SOPS encrypted; `file` as written there, `key` null for the whole of it. */
  | { readonly from: 'repository'; readonly file: string; readonly key: readonly string[] | null }
  /** A file below the host's own folder of secrets. */
  | { readonly from: 'host'; readonly name: string }

/** A source that was looked up. `secret` is its name in deployment.yaml. */
export type SecretOrigin =
  | {
      readonly from: 'repository'
      readonly secret: string
      /** Path below the deployment's folder. */
      readonly path: string
      readonly file: SopsFile
      readonly key: readonly string[] | null
    }
  | { readonly from: 'host'; readonly secret: string; readonly name: string }

/**
 * A leaf's secrets as its spec has them. `content` says which value, as far as the repository knows it:
 * `sops:` and the SHA-256 of its ciphertext, or `host:` and its name.
 */
export interface SecretsSpec {
  /** By absolute path in the container. */
  files: Record<string, SecretFile>
  /** Variable → content. */
  environment: Record<string, string>
}

export interface SecretFile {
  content: string
  mode: number
  uid: number
  gid: number
}

/** A leaf's secrets in plain text, as this host opened them, by content. */
export interface OpenSecrets {
  readonly values: ReadonlyMap<string, SecretValue>
  /** HMAC-SHA-256 (hex) of each value under the host's own key. */
  readonly fingerprints: ReadonlyMap<string, string>
}

/** Where secrets lie in a container unless a leaf says otherwise (Compose Specification, services.secrets). */
export const SECRETS_FOLDER = '/run/secrets'

/**
 * Whether a file can only be put at a path once a folder of its own is mounted there: the root is read-only, or a tmpfs
 * covers it.
 */
export function needsFolder(spec: Pick<Spec, 'read_only' | 'mounts'>, target: string): boolean {
  return spec.read_only || spec.mounts.some((mount) => mount.type === 'tmpfs' && isBelow(target, mount.target))
}

/** Whether the spec's secrets need a folder of their own. */
export function needsSecretsFolder(spec: Pick<Spec, 'read_only' | 'mounts' | 'secrets'>): boolean {
  return Object.keys(spec.secrets?.files ?? {}).some((target) => needsFolder(spec, target))
}

export function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder === '/' ? '/' : `${folder}/`)
}
