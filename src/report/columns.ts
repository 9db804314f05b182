// Text in columns: widths without colours, padding, and cutting to the width of a terminal.

// eslint-disable-next-line no-control-regex
const COLOUR = /\u001B\[[0-9;]*m/g
/** What steers a terminal: control sequences, and commands to its window that end with BEL or ST. */
// eslint-disable-next-line no-control-regex
const STEERING = /\u001B\][^\u0007\u001B]*(?:\u0007|\u001B\\)?|\u001B[[(][0-?]*[ -/]*[@-~]|\u001B[@-Z\\-_]?/g
// eslint-disable-next-line no-control-regex
const UNSEEN = /[\u0000-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]+/g

// eslint-disable-next-line no-control-regex
const UNSEEN_IN_LINES = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]+/g
// eslint-disable-next-line no-control-regex
const STEERS = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/
// eslint-disable-next-line no-control-regex
const UNESCAPED = /[\u007F-\u009F\u202A-\u202E\u2066-\u2069]/g

/** Columns a text takes, its colours not counted. Wide characters (CJK, emoji) count as two. */
export function width(text: string): number {
  let columns = 0
  for (const character of text.replace(COLOUR, '')) columns += columnsOf(character.codePointAt(0) ?? 0)
  return columns
}

export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - width(text)))
}

export function padStart(text: string, columns: number): string {
  return ' '.repeat(Math.max(0, columns - width(text))) + text
}

/** Cuts a text, colours kept whole and ended, so that it takes at most so many columns; `…` says that it was cut. */
export function cut(text: string, columns: number): string {
  if (width(text) <= columns) return text
  if (columns <= 0) return ''
  let result = ''
  let used = 0
  let coloured = false
  // eslint-disable-next-line no-control-regex
  for (const part of text.matchAll(/\u001B\[[0-9;]*m|[^]/gu)) {
    const [piece] = part
    if (piece.startsWith('\u001B')) {
      result += piece
      coloured = true
      continue
    }
    const wide = columnsOf(piece.codePointAt(0) ?? 0)
    if (used + wide > columns - 1) break
    result += piece
    used += wide
  }
  return `${result}…${coloured ? '\u001B[0m' : ''}`
}

/** Rows with each column as wide as its widest cell; the last one is as long as it likes. */
export function align(rows: readonly (readonly string[])[], gap = 2): string[] {
  const widths: number[] = []
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, width(cell))
  return rows.map((row) => {
    const last = row.findLastIndex((cell) => cell !== '')
    return row
      .slice(0, last + 1)
      .map((cell, index) => (index === last ? cell : padEnd(cell, (widths[index] ?? 0) + gap)))
      .join('')
  })
}

/**
 * A text of somebody else's (a log, a commit's subject, a probe's answer) on one line and without control characters,
 * so that it cannot steer the terminal.
 */
export function plain(text: string): string {
  return text.replace(STEERING, '').replace(UNSEEN, ' ').trim()
}

/**
 * A text as it may go to a terminal: colours, line ends and tabs stay, and nothing else that steers it (cursor, title,
 * clipboard, hidden text, the direction of writing).
 */
export function withoutSteering(text: string): string {
  if (!STEERS.test(text)) return text
  const parts = text.split(COLOUR)
  const colours = text.match(COLOUR) ?? []
  return parts
    .map((part, index) => part.replace(STEERING, '').replace(UNSEEN_IN_LINES, '') + shown(colours[index] ?? ''))
    .join('')
}

/** As `withoutSteering`, for one line of somebody else's: its colours end with it. */
export function ownColours(line: string): string {
  const clean = withoutSteering(line.replaceAll('\n', ' '))
  return clean.includes('\u001B') ? `${clean}\u001B[0m` : clean
}

/** A colour, unless it hides what follows. */
function shown(colour: string): string {
  return /[[;]0*8[;m]/.test(colour.replace(/[34]8;(?:5;\d+|2;\d+;\d+;\d+)/g, '')) ? '' : colour
}

/** JSON that says the same and steers no terminal: what JSON does not escape by itself is escaped as well. */
export function steadyJson(json: string): string {
  return json.replace(UNESCAPED, (sign) => `\\u${(sign.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`)
}

function columnsOf(code: number): number {
  if (code < 32 || (code >= 0x300 && code <= 0x36f) || code === 0x200d || (code >= 0xfe00 && code <= 0xfe0f)) return 0
  const wide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff)
  return wide ? 2 : 1
}
