// From the bytes of a file to what SOPS wrote in it, without any key. Pure; never throws.

import { formatOf, type SopsFault, type SopsFile, type SopsFormat, type SopsMetadata } from './sops-file.ts'
import { readDotenv, readIni } from './read-lines.ts'
import { readStructured, type Structured } from './read-structured.ts'

/** `path` decides about the format, as SOPS does it. */
export function parseSops(path: string, bytes: Uint8Array): SopsFile | SopsFault {
  const format = formatOf(path)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return notEncrypted(path)
  }
  const read = readAs(format, text)
  if ('remedy' in read) return format === 'binary' ? notEncrypted(path) : read
  if (read.metadata === null || read.metadata === undefined) return notEncrypted(path)
  const metadata = metadataOf(read.metadata)
  if ('remedy' in metadata) return metadata
  const isWhole = read.root.kind === 'mapping' && read.root.entries.length === 1 && read.root.entries[0]?.[0] === 'data'
  if (format === 'binary' && !isWhole) return { message: 'it holds no `data`', remedy: 'write it with sops' }
  return { format, root: read.root, values: read.values, metadata }
}

function readAs(format: SopsFormat, text: string): Structured | SopsFault {
  if (format === 'dotenv') return readDotenv(text)
  return format === 'ini' ? readIni(text) : readStructured(text, format !== 'yaml')
}

function notEncrypted(path: string): SopsFault {
  return {
    message: 'it is not encrypted with SOPS',
    remedy: `encrypt it: sops encrypt --in-place --age RECIPIENT ${path}; where its plain text was ever pushed, change the secret itself too`,
  }
}

/** How else SOPS can keep a data key, in its metadata's words and in ours. */
const OTHER_KEYS = {
  pgp: 'PGP',
  kms: 'AWS KMS',
  gcp_kms: 'GCP KMS',
  azure_kv: 'Azure Key Vault',
  hc_vault: 'HashiCorp Vault',
  hckms: 'Huawei KMS',
} as const

function metadataOf(found: unknown): SopsMetadata | SopsFault {
  if (!isMapping(found)) return { message: 'what stands under sops is no mapping', remedy: 'write it with sops' }
  const age = listOf(found['age']).flatMap((one) =>
    isMapping(one) && typeof one['enc'] === 'string' ? [{ recipient: String(one['recipient']), enc: one['enc'] }] : [],
  )
  if (listOf(found['key_groups']).length > 0) {
    const message = 'its data key is divided into key groups (Shamir), which is not served'
    return { message, remedy: 'encrypt it with one group of age recipients: shamir_threshold and key_groups left out' }
  }
  if (age.length === 0) {
    const kinds = Object.entries(OTHER_KEYS).flatMap(([key, words]) => (listOf(found[key]).length > 0 ? [words] : []))
    const message =
      kinds.length === 0
        ? 'it is encrypted for nobody'
        : `it is encrypted for ${kinds.join(' and ')} alone, and graft decrypts with age keys`
    return { message, remedy: 'add an age recipient to .sops.yaml and run: sops updatekeys FILE' }
  }
  const { mac, lastmodified } = found
  if (typeof mac !== 'string' || mac === '' || typeof lastmodified !== 'string') {
    const message = 'it has no MAC, so nobody can tell whether it was changed'
    return { message, remedy: 'write it with sops, without --ignore-mac' }
  }
  return { age, mac, lastmodified, macOnlyEncrypted: found['mac_only_encrypted'] === true }
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
