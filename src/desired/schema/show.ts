// How values and places of a YAML file are written in messages to people: short, on one line.

const LONGEST = 80

/** At most 80 characters, on one line. */
export function cut(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ')
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST - 1)}…`
}

/** What was found, as a noun phrase: `text "abc"`, `the number 5`, `a list`. */
export function describe(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (typeof value === 'string') return `text "${cut(value)}"`
  if (typeof value === 'number' || typeof value === 'bigint') return `the number ${value}`
  if (typeof value === 'boolean') return String(value)
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'a mapping' : `a ${typeof value}`
}

/** `healthcheck.http.port`, `ports[2].target`, `files["/etc/a b"]`. */
export function place(path: readonly (string | number)[]): string {
  let shown = ''
  for (const part of path) {
    if (typeof part === 'number') shown += `[${part}]`
    else if (/^[\w-]+$/.test(part)) shown += shown === '' ? part : `.${part}`
    else shown += `["${cut(part)}"]`
  }
  return shown
}

/** A value as one line of YAML (flow style), for examples in remedies. */
export function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, item]) => `${flow(key)}: ${flow(item)}`)
    return `{${entries.join(', ')}}`
  }
  if (typeof value !== 'string') return String(value)
  const isText = Number.isNaN(Number(value)) && !/^(true|false|null|yes|no|on|off)$/i.test(value)
  const plain = isText && /^[\w/.…][\w/.@-]*$/u.test(value)
  return plain ? value : JSON.stringify(value)
}

/** `a`, `a or b`, `a, b or c`. */
export function either(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}
