// Reads Git's configuration files, as far as graft needs them: every value of every key, in order.
// Git documentation, git-config, "CONFIGURATION FILE" and "Syntax", without included files.

import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

export interface ConfigEntry {
  /** In lower case. */
  readonly section: string
  /** As it is written: `https://Host/` in `[url "https://Host/"]`; null where there is none. */
  readonly subsection: string | null
  /** In lower case. */
  readonly name: string
  readonly value: string
}

/**
 * The files that count, the nearest first: a repository's own (null: none), the user's, the system's. Git documentation,
 * git-config, "FILES".
 */
export function configFiles(own: string | null): readonly string[] {
  const users = process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config')
  const global = process.env['GIT_CONFIG_GLOBAL']
  const user = global ? [global] : [join(homedir(), '.gitconfig'), join(users, 'git', 'config')]
  return [...(own === null ? [] : [own]), ...user, '/etc/gitconfig']
}

/** A file's entries; none where it cannot be read. */
export function entriesOf(file: string): readonly ConfigEntry[] {
  try {
    return readConfig(readFileSync(file, 'utf8'))
  } catch {
    return []
  }
}

/** What does not read is passed over, as far as the end of its line. */
export function readConfig(text: string): readonly ConfigEntry[] {
  const entries: ConfigEntry[] = []
  let section = ''
  let subsection: string | null = null
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/)
  for (let at = 0; at < lines.length; at++) {
    let line = (lines[at] ?? '').trimStart()
    const head = /^\[\s*([\w-]+)(?:\.([^\]\s"]+))?\s*(?:"((?:[^"\\]|\\.)*)")?\s*\]/.exec(line)
    if (head !== null) {
      const [whole, name = '', dotted, quoted] = head
      section = name.toLowerCase()
      subsection = quoted?.replaceAll(/\\(.)/g, '$1') ?? dotted?.toLowerCase() ?? null
      line = line.slice(whole.length).trimStart()
    }
    const pair = /^([A-Za-z][\w-]*)\s*(?:(=)\s*(.*))?$/s.exec(line)
    if (pair === null) continue
    const [, name = '', equals, start = ''] = pair
    let raw = start
    // A backslash at the end goes on in the next line.
    while (/(?:^|[^\\])(?:\\\\)*\\$/.test(raw) && at + 1 < lines.length) raw = raw.slice(0, -1) + (lines[++at] ?? '')
    const value = equals === undefined ? 'true' : valueOf(raw)
    entries.push({ section, subsection, name: name.toLowerCase(), value })
  }
  return entries
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', b: '\b' }

/** Quotes and escapes undone; a comment outside quotes and the blanks at the end are gone. */
function valueOf(raw: string): string {
  let value = ''
  let kept = 0
  let quoted = false
  for (let at = 0; at < raw.length; at++) {
    const character = raw.charAt(at)
    if (character === '\\') {
      const next = raw.charAt(++at)
      value += ESCAPES[next] ?? next
      kept = value.length
    } else if (character === '"') {
      quoted = !quoted
      kept = value.length
    } else if (!quoted && (character === '#' || character === ';')) break
    else {
      value += character
      if (quoted || !/\s/.test(character)) kept = value.length
    }
  }
  return value.slice(0, kept)
}
