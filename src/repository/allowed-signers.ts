// The file of SSH keys that are trusted, in the form that Git and ssh-keygen use.
// ssh-keygen(1), "ALLOWED SIGNERS"; patterns as in ssh_config(5), "PATTERNS".

import type { KeyProblem } from './signature-verdict.ts'
import { readPublicKey, type SshPublicKey, UnservedKey } from './ssh-public-key.ts'

export interface AllowedSigner {
  /** Patterns with commas between them, mostly addresses. */
  readonly principals: string
  /** What it may sign; null: anything. */
  readonly namespaces: string | null
  /** Milliseconds since 1970; both belong to the time that the key is for. */
  readonly validAfter: number | null
  readonly validBefore: number | null
  readonly key: SshPublicKey
}

/** A line that does not read admits nobody, and is a problem; the others count. */
export function readAllowedSigners(text: string): { signers: AllowedSigner[]; problems: KeyProblem[] } {
  const signers: AllowedSigner[] = []
  const problems: KeyProblem[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*(#|$)/.test(line)) continue
    const found = readLine(line.trim())
    if (typeof found === 'string') {
      const remedy = 'write PRINCIPALS [OPTIONS] KEYTYPE BASE64-KEY, for example ann@example.org ssh-ed25519 AAAA…'
      problems.push({ line: index + 1, message: `this line admits nobody: ${found}`, remedy, fatal: false })
    } else signers.push(found)
  }
  return { signers, problems }
}

/** The signer, or why the line is none. */
function readLine(line: string): AllowedSigner | string {
  const [, quoted, bare, rest = ''] = /^(?:"([^"]*)"|([^\s"]\S*))\s+(.*)$/.exec(line) ?? []
  const principals = quoted ?? bare
  if (principals === undefined || principals === '') return 'it does not begin with principals and a key'
  const plain = keyIn(rest)
  const [, options = '', after = ''] =
    plain === null ? (/^((?:[^\s"]|"(?:[^"\\]|\\.)*")+)\s+(.*)$/.exec(rest) ?? []) : []
  const found = plain ?? keyIn(after)
  if (found === null) return 'there is no key in it'
  if (found === 'broken') return 'its key is cut off or changed'
  const read = readOptions(options)
  if (typeof read === 'string') return read
  try {
    return { principals, ...read, key: readPublicKey(found) }
  } catch (error) {
    if (error instanceof UnservedKey) return error.message
    return `its key does not read: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** The decoded key at the beginning of a text; null where none begins there. */
function keyIn(text: string): Buffer | 'broken' | null {
  const [, type, base64] = /^((?:sk-)?(?:ssh|ecdsa)-[\w@.-]+)\s+(\S+)/.exec(text) ?? []
  if (type === undefined || base64 === undefined) return null
  const blob = Buffer.from(base64, 'base64')
  const isWhole = blob.toString('base64').replace(/=+$/, '') === base64.replace(/=+$/, '')
  const begins = blob.length > 4 && blob.subarray(4, 4 + blob.readUInt32BE(0)).toString('latin1') === type
  return isWhole && begins ? blob : 'broken'
}

type Options = Pick<AllowedSigner, 'namespaces' | 'validAfter' | 'validBefore'>

function readOptions(text: string): Options | string {
  const options: Record<string, string> = {}
  for (const [whole] of text.matchAll(/(?:[^,"]|"(?:[^"\\]|\\.)*")+/g)) {
    const [, name = '', value] = /^([\w-]+)(?:="((?:[^"\\]|\\.)*)")?$/.exec(whole) ?? []
    const key = name.toLowerCase()
    if (key === 'cert-authority') return 'it names an authority for certificates, and graft checks plain keys'
    if (!['namespaces', 'valid-after', 'valid-before'].includes(key) || value === undefined)
      return `${whole} is no option that it may have`
    if (key in options) return `${key} stands there twice`
    options[key] = value.replaceAll('\\"', '"')
  }
  const validAfter = readTime(options['valid-after'])
  const validBefore = readTime(options['valid-before'])
  if (validAfter === 'broken' || validBefore === 'broken')
    return 'its times are written as YYYYMMDD or YYYYMMDDHHMM[SS][Z]'
  if (validAfter !== null && validBefore !== null && validBefore <= validAfter) return 'its time ends before it begins'
  return { namespaces: options['namespaces'] ?? null, validAfter, validBefore }
}

/** `Z` means UTC; without it the time zone of this host counts. */
function readTime(text: string | undefined): number | 'broken' | null {
  if (text === undefined) return null
  const match = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(Z?)$/.exec(text)
  if (match === null) return 'broken'
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0))
  const parts = [year, month - 1, day, hour, minute, second] as const
  const time = match[7] === 'Z' ? Date.UTC(...parts) : new Date(...parts).getTime()
  const lastDay = new Date(Date.UTC(year, month, 0)).getUTCDate()
  const isDate = month >= 1 && month <= 12 && day >= 1 && day <= lastDay && hour < 24 && minute < 60 && second < 60
  return isDate && !Number.isNaN(time) ? time : 'broken'
}

/** Whether a text matches one of the patterns and none of those that begin with `!`. */
export function matchesPatterns(text: string, patterns: string): boolean {
  let matches = false
  for (const pattern of patterns.split(',')) {
    const isNegated = pattern.startsWith('!')
    if (!matchesPattern(text, isNegated ? pattern.slice(1) : pattern)) continue
    if (isNegated) return false
    matches = true
  }
  return matches
}

/** `*` is any text and `?` any character. Never takes more steps than the product of both lengths. */
function matchesPattern(text: string, pattern: string): boolean {
  let [at, next] = [0, 0]
  let [star, after] = [-1, 0]
  while (at < text.length) {
    if (next < pattern.length && pattern[next] !== '*' && (pattern[next] === '?' || pattern[next] === text[at])) {
      at++
      next++
    } else if (pattern[next] === '*') {
      star = next++
      after = at
    } else if (star >= 0) {
      next = star + 1
      at = ++after
    } else return false
  }
  while (pattern[next] === '*') next++
  return next === pattern.length
}
