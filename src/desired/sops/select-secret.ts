// One value of a file of SOPS, or the whole of it: which values it is made of, a digest of their ciphertext, and its plain
// text once they are decrypted. Pure.

import { stringify } from 'yaml'

import { canonicalJson, sha256 } from '../ledger-digest.ts'
import type { OpenValue } from './decrypt-sops.ts'
import type { SopsFault, SopsFile, SopsNode } from './sops-file.ts'

/** `key`: keys and positions from the root; null: the whole file. */
export interface Selection {
  readonly file: SopsFile
  readonly node: SopsNode
  readonly whole: boolean
}

export function selectSecret(file: SopsFile, key: readonly string[] | null): Selection | SopsFault {
  if (file.format === 'binary') {
    const [entry] = file.root.kind === 'mapping' ? file.root.entries : []
    if (key !== null) return { message: 'it is a binary file and has no keys', remedy: 'leave `key` out' }
    return checked({ file, node: entry?.[1] ?? file.root, whole: false }, [])
  }
  let node = file.root
  for (const [index, step] of (key ?? []).entries()) {
    const next: SopsNode | undefined =
      node.kind === 'mapping'
        ? node.entries.find(([name]) => name === step)?.[1]
        : node.kind === 'list' && /^\d+$/.test(step)
          ? node.items[Number(step)]
          : undefined
    if (next === undefined) {
      const above = (key ?? []).slice(0, index).join('.')
      const there = node.kind === 'mapping' ? node.entries.map(([name]) => name) : []
      return {
        message: `it has no ${step}${above === '' ? '' : ` below ${above}`}`,
        remedy: there.length === 0 ? 'name a key that is there' : `name one of ${there.slice(0, 12).join(', ')}`,
      }
    }
    node = next
  }
  if (key !== null && node.kind !== 'value') {
    return { message: `${key.join('.')} is no single value`, remedy: 'name one value in it, or leave `key` out' }
  }
  return checked({ file, node, whole: key === null }, key ?? [])
}

/** What is in plain text in a repository is no secret. */
function checked(selection: Selection, key: readonly string[]): Selection | SopsFault {
  const found = valuesOf(selection.node)
  if (found.some((index) => selection.file.values[index]?.encrypted !== null)) return selection
  const what = key.length === 0 ? 'none of its values is' : `${key.join('.')} is not`
  return { message: `${what} encrypted`, remedy: 'encrypt it with sops, or write it where it is no secret' }
}

function valuesOf(node: SopsNode): number[] {
  if (node.kind === 'value') return [node.index]
  const inner = node.kind === 'list' ? node.items : node.entries.map(([, member]) => member)
  return inner.flatMap(valuesOf)
}

/** SHA-256 (hex) of the ciphertext alone: a file encrypted for one more recipient has the same. */
export function ciphertextDigest({ file, node, whole }: Selection): string {
  const texts = valuesOf(node).map((index) => {
    const { encrypted, plain, path } = file.values[index] ?? { encrypted: null, plain: '', path: [] }
    return whole ? [...path, encrypted ?? `plain ${plain}`] : [encrypted]
  })
  return sha256(canonicalJson(whole ? [file.format, texts] : texts))
}

/** The plain text. A single value is its own text; a whole file is written again in its format, without comments. */
export function plainText({ file, node, whole }: Selection, open: readonly OpenValue[]): Uint8Array {
  const valueAt = (index: number): OpenValue => open[index] ?? { bytes: new Uint8Array(), type: null }
  if (node.kind === 'value' && !whole) {
    const value = valueAt(node.index)
    return value.type === 'bool' ? Buffer.from(String(isTrue(value))) : value.bytes
  }
  const data = dataOf(node, (index) => scalarOf(valueAt(index), file.values[index]?.scalar ?? null))
  return Buffer.from(written(file, data), 'utf8')
}

/** The single values that a selection is made of and that are encrypted, decrypted. */
export function encryptedOf({ node }: Selection, open: readonly OpenValue[]): Uint8Array[] {
  return valuesOf(node).flatMap((index) => {
    const value = open[index]
    return value === undefined || value.type === null ? [] : [value.bytes]
  })
}

type Data = string | number | boolean | bigint | null | readonly Data[] | ReadonlyMap<string, Data>

function dataOf(node: SopsNode, valueAt: (index: number) => Data): Data {
  if (node.kind === 'value') return valueAt(node.index)
  if (node.kind === 'list') return node.items.map((item) => dataOf(item, valueAt))
  return new Map(node.entries.map(([key, member]) => [key, dataOf(member, valueAt)]))
}

function scalarOf(value: OpenValue, plain: Data): Data {
  if (value.type === null) return plain
  if (value.type === 'bool') return isTrue(value)
  const text = Buffer.from(value.bytes).toString('utf8')
  // A number that is none was written by somebody else than sops; it stays what it is.
  if (value.type === 'int' && /^-?\d{1,40}$/.test(text)) return BigInt(text)
  return value.type === 'float' && Number.isFinite(Number(text)) ? Number(text) : text
}

function isTrue({ bytes }: OpenValue): boolean {
  return /^(1|t|true)$/i.test(Buffer.from(bytes).toString('latin1'))
}

function written({ format }: SopsFile, data: Data): string {
  if (format === 'yaml') return stringify(data)
  if (format === 'json') return `${jsonText(data, '')}\n`
  const lines = (members: Data, separator: string, breaks: boolean): string[] =>
    members instanceof Map
      ? [...members].map(([name, value]) => {
          const text = String(value)
          return `${name}${separator}${breaks ? text.replaceAll('\n', '\\n') : text}`
        })
      : []
  if (format === 'dotenv') return `${lines(data, '=', true).join('\n')}\n`
  const sections = data instanceof Map ? [...data] : []
  return sections.map(([name, members]) => `[${name}]\n${lines(members, ' = ', false).join('\n')}\n`).join('\n')
}

/** Keys in the order of the file, whatever they look like. */
function jsonText(data: Data, indent: string): string {
  const inner = `${indent}  `
  if (Array.isArray(data)) {
    const items = (data as readonly Data[]).map((item) => `${inner}${jsonText(item, inner)}`)
    return items.length === 0 ? '[]' : `[\n${items.join(',\n')}\n${indent}]`
  }
  if (data instanceof Map) {
    const members = [...(data as ReadonlyMap<string, Data>)].map(
      ([key, value]) => `${inner}${JSON.stringify(key)}: ${jsonText(value, inner)}`,
    )
    return members.length === 0 ? '{}' : `{\n${members.join(',\n')}\n${indent}}`
  }
  return typeof data === 'bigint' ? String(data) : JSON.stringify(data)
}
