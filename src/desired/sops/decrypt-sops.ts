// The values of a file of SOPS, given its data key: AES-256-GCM with the path as additional data, and the MAC over all of
// them (SOPS's own documentation, "Message Authentication Code"). Pure; the same key and file give the same values.

import { createDecipheriv, createHash } from 'node:crypto'

import { ENCRYPTED, isFault, type SopsFault, type SopsFile, type SopsValue } from './sops-file.ts'

/** A value in plain text. */
export interface OpenValue {
  readonly bytes: Uint8Array
  /** SOPS's name for its type: `str`, `int`, `float`, `bool`, `bytes`, `comment`; null: it was not encrypted. */
  readonly type: string | null
}

/** What a MAC over encrypted values alone begins with: SHA-256 of `sops`. */
const ONLY_ENCRYPTED = createHash('sha256').update('sops').digest()

/** One for each of `file.values`, in their order; a fault where the key or the MAC does not fit. */
export function decryptSops(file: SopsFile, dataKey: Uint8Array): readonly OpenValue[] | SopsFault {
  const { metadata, values } = file
  const hash = createHash('sha512')
  if (metadata.macOnlyEncrypted) hash.update(ONLY_ENCRYPTED)
  const open: OpenValue[] = []
  for (const value of values) {
    const result = openValue(value, dataKey)
    if (isFault(result)) return result
    if (!metadata.macOnlyEncrypted || result.type !== null) hash.update(macBytes(result))
    open.push(result)
  }
  const mac = decrypt(metadata.mac, dataKey, metadata.lastmodified)
  if (mac === null) return wrongMac('its MAC cannot be decrypted')
  // SOPS writes it in upper-case hexadecimal digits.
  const found = Buffer.from(mac.bytes).toString('latin1')
  if (found !== hash.digest('hex').toUpperCase()) return wrongMac('its MAC is not that of its values')
  return open
}

function openValue(value: SopsValue, dataKey: Uint8Array): OpenValue | SopsFault {
  if (value.encrypted === null) return { bytes: Buffer.from(value.plain, 'utf8'), type: null }
  const result = decrypt(value.encrypted, dataKey, `${value.path.join(':')}:`)
  if (result !== null) return result
  const message = `the value of ${value.path.join('.')} does not decrypt: it was changed, moved, or encrypted with another data key`
  return { message, remedy: 'take the file back from before the change, and edit it with sops' }
}

/** Null where key, additional data and ciphertext do not belong together. */
function decrypt(text: string, key: Uint8Array, additional: string): OpenValue | null {
  const [, data, iv, tag, type] = ENCRYPTED.exec(text) ?? []
  if (data === undefined || iv === undefined || tag === undefined || type === undefined) return null
  try {
    const authTag = Buffer.from(tag, 'base64')
    // A shorter tag would be easier to forge.
    if (authTag.length !== 16) return null
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64'))
    decipher.setAAD(Buffer.from(additional, 'utf8'))
    decipher.setAuthTag(authTag)
    return { bytes: Buffer.concat([decipher.update(Buffer.from(data, 'base64')), decipher.final()]), type }
  } catch {
    return null
  }
}

function macBytes({ bytes, type }: OpenValue): Uint8Array {
  if (type === 'comment') return new Uint8Array()
  if (type !== 'bool') return bytes
  return Buffer.from(/^(1|t|true)$/i.test(Buffer.from(bytes).toString('latin1')) ? 'True' : 'False')
}

function wrongMac(message: string): SopsFault {
  return {
    message: `${message}: somebody changed the file without its key`,
    remedy: 'take the file back from before the change, and edit it with sops',
  }
}
