// Says which files of a work tree Git ignores. Git documentation, gitignore, "Pattern format".

export interface IgnoreRule {
  readonly negated: boolean
  readonly foldersOnly: boolean
  /** Against the whole path below the rule's folder, or against the last name only. */
  readonly wholePath: boolean
  readonly pattern: RegExp
}

/** The rules of one file, and the folder it lies in (`''`, or ending in `/`). */
export interface IgnoreFile {
  readonly folder: string
  readonly rules: readonly IgnoreRule[]
}

export function parseIgnoreFile(folder: string, text: string): IgnoreFile {
  return {
    folder,
    rules: text
      .replace(/^\ufeff/, '')
      .split(/\r?\n|\r$/)
      .flatMap(parseRule),
  }
}

/**
 * Whether Git ignores the path; `files` from the outermost to the innermost that lie above it. The folders above
 * the path must not be ignored themselves: nothing inside an ignored folder can be taken back in.
 */
export function isIgnored(files: readonly IgnoreFile[], path: string, folder: boolean): boolean {
  for (let at = files.length - 1; at >= 0; at--) {
    const file = files[at]
    if (file === undefined || !path.startsWith(file.folder)) continue
    const below = path.slice(file.folder.length)
    const name = below.slice(below.lastIndexOf('/') + 1)
    const last = file.rules.findLast(
      ({ foldersOnly, wholePath, pattern }) => (folder || !foldersOnly) && pattern.test(wholePath ? below : name),
    )
    if (last !== undefined) return !last.negated
  }
  return false
}

function parseRule(line: string): IgnoreRule[] {
  // Trailing spaces do not count unless a backslash stands before them.
  let text = line.replace(/((?:^|[^\\])(?:\\\\)*) +$/, '$1')
  if (text === '' || text.startsWith('#')) return []
  const negated = text.startsWith('!')
  if (negated) text = text.slice(1)
  const foldersOnly = text.endsWith('/')
  if (foldersOnly) text = text.slice(0, -1)
  const wholePath = text.includes('/')
  if (text.startsWith('/')) text = text.slice(1)
  const source = text === '' ? null : translate(text, wholePath ? text.search(/[*?[\\]/) : 0)
  if (source === null) return []
  return [{ negated, foldersOnly, wholePath, pattern: new RegExp(`^${source}$`, 's') }]
}

/**
 * A pattern as a regular expression; null where it can never match. `start`: where its first wildcard stands; Git
 * compares what lies before it as plain text and takes up the pattern there, so that `a**` + `/b` has a boundary after `a`.
 */
function translate(glob: string, start: number): string | null {
  let result = ''
  for (let at = 0; at < glob.length; at++) {
    const character = glob.charAt(at)
    if (character === '*') {
      let stars = 1
      while (glob[at + stars] === '*') stars++
      const starts = at === start || glob[at - 1] === '/'
      const after = glob[at + stars]
      if (stars > 1 && starts && after === '/') {
        result += '(?:.*/)?'
        at += stars
      } else if (stars > 1 && starts && after === undefined) {
        result += '.*'
        at += stars - 1
      } else {
        result += '[^/]*'
        at += stars - 1
      }
    } else if (character === '?') result += '[^/]'
    else if (character === '[') {
      const found = characterClass(glob, at)
      if (found === null) return null
      result += found.source
      at = found.end
    } else if (character === '\\') {
      if (at + 1 >= glob.length) return null
      result += literal(glob.charAt(++at))
    } else result += literal(character)
  }
  return result
}

const NAMED: Readonly<Record<string, string>> = {
  alnum: 'A-Za-z0-9',
  alpha: 'A-Za-z',
  digit: '0-9',
  lower: 'a-z',
  upper: 'A-Z',
  space: '\\s',
  punct: '!-\\/:-@\\[-`{-~',
  xdigit: '0-9A-Fa-f',
}

function characterClass(glob: string, start: number): { source: string; end: number } | null {
  let at = start + 1
  const negated = glob[at] === '!' || glob[at] === '^'
  if (negated) at++
  let inside = ''
  for (let first = true; ; first = false) {
    const character = glob[at]
    if (character === undefined) return null
    if (character === ']' && !first) break
    const named = /^\[:(\w+):\]/.exec(glob.slice(at))
    if (named !== null) {
      const range = NAMED[named[1] ?? '']
      if (range === undefined) return null
      inside += range
      at += named[0].length
      continue
    }
    if (character === '\\') at++
    const plain = glob[at]
    if (plain === undefined) return null
    // A dash between two characters stays a range.
    inside += plain === '-' && character === '-' && !first && glob[at + 1] !== ']' ? '-' : `\\u{${hex(plain)}}`
    at++
  }
  try {
    void new RegExp(`[${inside}]`, 'u')
  } catch {
    return null
  }
  const plain = inside.replace(/\\u\{(\w+)\}/g, (_, digits: string) => `\\u${digits.padStart(4, '0')}`)
  return { source: `(?!/)[${negated ? '^' : ''}${plain}]`, end: at }
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16)
}

function literal(character: string): string {
  return /[.*+?^${}()|[\]\\/]/.test(character) ? `\\${character}` : character
}
