// The host's age keys: read from its own file, which nobody else may read, and used to take a file's data key out.

import { readFile, stat } from 'node:fs/promises'

import { armor, Decrypter, identityToRecipient } from 'age-encryption'

import type { SopsFault, SopsMetadata } from '../../desired/sops/sops-file.ts'

export interface AgeIdentities {
  readonly file: string
  /** `AGE-SECRET-KEY-1…`; empty where `fault` says why. */
  readonly keys: readonly string[]
  readonly fault: SopsFault | null
}

/** Hybrid keys begin with `AGE-SECRET-KEY-PQ-1`. */
const IDENTITY = /^AGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]+$/

/** A file as `age-keygen` writes it: one identity a line, `#` before a remark. */
export async function readAgeIdentities(file: string): Promise<AgeIdentities> {
  const failed = (message: string, remedy: string): AgeIdentities => ({ file, keys: [], fault: { message, remedy } })
  let text: string
  try {
    const { mode } = await stat(file)
    if ((mode & 0o077) !== 0) {
      const digits = (mode & 0o777).toString(8).padStart(4, '0')
      return failed(`the age key file ${file} may be read by others (mode ${digits})`, `run chmod 600 ${file}`)
    }
    text = await readFile(file, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    return code === 'ENOENT'
      ? failed(
          `this host has no age key: ${file} is not there`,
          `make one with age-keygen -o ${file} (mode 0600), add its public key to the file's recipients and run sops updatekeys`,
        )
      : failed(`the age key file ${file} cannot be read (${code})`, 'let the user graft runs as read it')
  }
  const keys: string[] = []
  for (const [index, written] of text.split('\n').entries()) {
    const line = written.trim()
    if (line === '' || line.startsWith('#')) continue
    if (!IDENTITY.test(line)) {
      const message = `line ${index + 1} of the age key file ${file} is no age identity`
      return failed(message, 'write one AGE-SECRET-KEY-1… a line; keys of SSH and of plugins are not served')
    }
    keys.push(line)
  }
  return keys.length === 0
    ? failed(`the age key file ${file} holds no identity`, 'write one AGE-SECRET-KEY-1… a line')
    : { file, keys, fault: null }
}

/** Each try costs time, and whoever may push may write such a file: characters of one, and how many are tried. */
const LARGEST_HEADER = 16 * 1024
const MOST_TRIES = 8

/** Empty for a damaged identity. */
async function recipientOf(key: string): Promise<string> {
  try {
    return await identityToRecipient(key)
  } catch {
    return ''
  }
}

/** The 32 bytes that a file's values are encrypted with. */
export async function findDataKey(metadata: SopsMetadata, identities: AgeIdentities): Promise<Uint8Array | SopsFault> {
  if (identities.fault !== null) return identities.fault
  const decrypter = new Decrypter()
  try {
    for (const key of identities.keys) decrypter.addIdentity(key)
  } catch {
    return {
      message: `the age key file ${identities.file} holds a damaged identity`,
      remedy: 'take it from its backup',
    }
  }
  const own = new Set(await Promise.all(identities.keys.map((key) => recipientOf(key))))
  const ours = metadata.age.filter(({ recipient, enc }) => own.has(recipient) && enc.length <= LARGEST_HEADER)
  for (const { enc } of ours.slice(0, MOST_TRIES)) {
    try {
      const key = await decrypter.decrypt(armor.decode(enc))
      if (key.length === 32) return key
    } catch {
      // Damaged: another one may do.
    }
  }
  const recipients = metadata.age.map(({ recipient }) => recipient).slice(0, 4)
  return {
    message: `no age key of this host opens it; it is encrypted for ${recipients.join(', ')}`,
    remedy: `add this host's public key (age-keygen -y ${identities.file}) to its recipients and run sops updatekeys`,
  }
}
