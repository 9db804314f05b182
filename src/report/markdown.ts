// Text of somebody else's inside Markdown that a forge renders: nothing in it can become markup, a link, a mention or HTML.

import { plain } from './columns.ts'

/**
 * One line of text as text: every sign that Markdown, HTML or a forge gives a meaning stands for itself. `most`: characters
 * of the text that are shown.
 */
export function markdownText(text: string, most = 500): string {
  return first(text, most)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[\\`*_{}[\]()#+!|~$^=-]/g, String.raw`\$&`)
    .replace(/[@:/.]/g, (sign) => `&#${sign.charCodeAt(0)};`)
}

/**
 * One line of text in the face of code, safe inside a table: in a code element and not between backticks, where a pipe
 * would end the cell. `most`: characters of the text that are shown.
 */
export function markdownCode(text: string, most = 200): string {
  return `<code>${first(text, most).replace(/[^\p{L}\p{N} …→]/gu, (sign) => `&#${sign.codePointAt(0) ?? 0xfffd};`)}</code>`
}

function first(text: string, most: number): string {
  const line = plain(text)
  if (line.length <= most) return line
  // Whole characters, none cut in two.
  const characters = Array.from(line.slice(0, most * 2))
  return `${characters.slice(0, most - 1).join('')}…`
}
