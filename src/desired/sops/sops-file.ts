// A file that SOPS encrypted, as far as it can be read without a key: its values in order, encrypted or not, and what
// its metadata says of keys and of the MAC. Pure. (SOPS's own documentation, "Encryption protocol".)

/** What a value is in a file of SOPS: a leaf of its tree. Keys and order are in plain text in every such file. */
export type SopsNode =
  | { readonly kind: 'mapping'; readonly entries: readonly (readonly [key: string, node: SopsNode])[] }
  | { readonly kind: 'list'; readonly items: readonly SopsNode[] }
  /** The number of a value in `SopsFile.values`. */
  | { readonly kind: 'value'; readonly index: number }

export type SopsFormat = 'yaml' | 'json' | 'dotenv' | 'ini' | 'binary'

export interface SopsValue {
  /** Keys from the root; positions in lists are no part of it, as SOPS has it. */
  readonly path: readonly string[]
  /** `ENC[…]` as written; null: the value is not encrypted. */
  readonly encrypted: string | null
  /** Of one that is not encrypted: as it counts in the MAC, empty for null. */
  readonly plain: string
  /** The same for writing it again. */
  readonly scalar: string | number | boolean | bigint | null
}

export interface SopsMetadata {
  /** Armored age files that each hold the data key, with the recipient each was made for. */
  readonly age: readonly { readonly recipient: string; readonly enc: string }[]
  /** As written: what the MAC is bound to. */
  readonly lastmodified: string
  /** `ENC[…]` */
  readonly mac: string
  /** Whether the MAC is over encrypted values alone. */
  readonly macOnlyEncrypted: boolean
}

export interface SopsFile {
  readonly format: SopsFormat
  readonly root: SopsNode
  readonly values: readonly SopsValue[]
  readonly metadata: SopsMetadata
}

/** Why a file or a value cannot be used: one sentence each, without a closing full stop. */
export interface SopsFault {
  readonly message: string
  readonly remedy: string
}

export function isFault<T extends object>(result: T | SopsFault): result is SopsFault {
  return 'remedy' in result
}

/** `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]` */
export const ENCRYPTED =
  /^ENC\[AES256_GCM,data:([A-Za-z0-9+/=]*),iv:([A-Za-z0-9+/=]+),tag:([A-Za-z0-9+/=]+),type:([a-z0-9]+)\]$/

/** As SOPS chooses it from the file's name; whatever it does not know is binary. */
export function formatOf(path: string): SopsFormat {
  const extension = /\.([A-Za-z0-9]+)$/.exec(path)?.[1]
  if (extension === 'yaml' || extension === 'yml') return 'yaml'
  if (extension === 'json') return 'json'
  if (extension === 'env') return 'dotenv'
  return extension === 'ini' ? 'ini' : 'binary'
}
