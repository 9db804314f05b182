// Writes files as SOPS writes them, from its documentation: what graft decrypts in tests was encrypted by other code.

import { createCipheriv, createHash, randomBytes } from 'node:crypto'

import { armor, Encrypter } from 'age-encryption'
import { stringify } from 'yaml'

export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain }

export interface SopsOptions {
  readonly recipients: readonly string[]
  /** Keys that end like this, and what is below them, stay in plain text. */
  readonly unencryptedSuffix?: string
  readonly macOnlyEncrypted?: boolean
  /** The same key gives files that can be compared. */
  readonly dataKey?: Uint8Array
  readonly lastmodified?: string
  /** More of the metadata, or other values in it. */
  readonly metadata?: Readonly<Record<string, unknown>>
}

/** `path` decides about the format; for a binary file `data` is its text. */
export async function writeSops(path: string, data: Plain, options: SopsOptions): Promise<string> {
  const key = options.dataKey ?? randomBytes(32)
  const lastmodified = options.lastmodified ?? '2026-01-02T03:04:05Z'
  const suffix = options.unencryptedSuffix ?? '_unencrypted'
  const extension = /\.(yaml|json|env|ini)$/.exec(path)?.[1] ?? 'binary'
  const hash = createHash('sha512')
  if (options.macOnlyEncrypted === true) hash.update(createHash('sha256').update('sops').digest())

  function walk(value: Plain, at: readonly string[]): Plain {
    if (value === null) return null
    if (Array.isArray(value)) return (value as readonly Plain[]).map((item) => walk(item, at))
    if (typeof value === 'object') {
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, walk(item, [...at, name])]))
    }
    const [type, text] = typed(value, extension)
    const isPlain = at.some((step) => step.endsWith(suffix))
    if (!isPlain || options.macOnlyEncrypted !== true) hash.update(text)
    return isPlain || text === '' ? value : encrypt(text, type, key, `${at.join(':')}:`)
  }

  const wrapped = extension === 'binary' ? { data } : data
  const encrypted = walk(wrapped, []) as { readonly [key: string]: Plain }
  const mac = encrypt(hash.digest('hex').toUpperCase(), 'str', key, lastmodified)
  const age = await Promise.all(
    options.recipients.map(async (recipient) => ({ recipient, enc: await wrap(key, recipient) })),
  )
  const metadata = {
    age,
    lastmodified,
    mac,
    unencrypted_suffix: suffix,
    ...(options.macOnlyEncrypted === true ? { mac_only_encrypted: true } : {}),
    version: '3.11.0',
    ...options.metadata,
  }
  if (extension === 'yaml') return stringify({ ...encrypted, sops: metadata }, { lineWidth: 0 })
  if (extension === 'json' || extension === 'binary')
    return JSON.stringify({ ...encrypted, sops: metadata }, null, '\t')
  const flat = flatten(metadata)
  if (extension === 'env') {
    const lines = [...Object.entries(encrypted), ...flat.map(([name, value]) => [`sops_${name}`, value] as const)]
    return `# a remark\n${lines.map(([name, value]) => `${name}=${escaped(value)}`).join('\n')}\n`
  }
  const sections = Object.entries(encrypted as Record<string, Record<string, Plain>>)
  const all = [...sections, ['sops', Object.fromEntries(flat)] as const]
  return all
    .map(
      ([name, members]) =>
        `[${name}]\n${Object.entries(members)
          .map(([key, value]) => `${key} = ${escaped(value)}`)
          .join('\n')}\n`,
    )
    .join('\n')
}

function typed(value: string | number | boolean, extension: string): [type: string, text: string] {
  if (typeof value === 'boolean') return ['bool', value ? 'True' : 'False']
  if (typeof value === 'string') return ['str', value]
  return [extension === 'json' || !Number.isInteger(value) ? 'float' : 'int', String(value)]
}

function encrypt(text: string, type: string, key: Uint8Array, additional: string): string {
  const iv = randomBytes(32)
  const cipher = createCipheriv('aes-256-gcm', key, iv)
  cipher.setAAD(Buffer.from(additional))
  const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  const tag = cipher.getAuthTag().toString('base64')
  return `ENC[AES256_GCM,data:${data.toString('base64')},iv:${iv.toString('base64')},tag:${tag},type:${type}]`
}

async function wrap(key: Uint8Array, recipient: string): Promise<string> {
  const encrypter = new Encrypter()
  encrypter.addRecipient(recipient)
  return armor.encode(await encrypter.encrypt(key))
}

function flatten(metadata: Readonly<Record<string, unknown>>): [string, Plain][] {
  return Object.entries(metadata).flatMap(([name, value]): [string, Plain][] =>
    Array.isArray(value)
      ? value.flatMap((item: Record<string, string>, index) =>
          Object.entries(item).map(([key, text]): [string, Plain] => [`${name}__list_${index}__map_${key}`, text]),
        )
      : [[name, value as Plain]],
  )
}

function escaped(value: Plain): string {
  return String(value).replaceAll('\n', '\\n')
}
