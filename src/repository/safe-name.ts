// Which names in a tree are read at all: those that mean one and the same path everywhere.

/** Bytes of one name, and folders above it, beyond which an entry is refused. */
export const NAME_LIMIT = 255
export const DEPTH_LIMIT = 32

/**
 * Why an entry of this name is refused, in words; null where it is fine. `depth` counts the folders above it,
 * from the deployment's folder.
 */
export function whyRefused(name: string, depth: number): string | null {
  if (name === '' || name === '.' || name === '..') return `a name may not be “${name}”`
  if (name.toLowerCase() === '.git') return 'a name may not be “.git” in any case'
  if (name.includes('/')) return 'a name may not hold a slash'
  if (name.includes('\\')) return 'a name may not hold a backslash'
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f-\u009f]/.test(name)) return 'a name may not hold control characters'
  if (name.includes('\ufffd')) return 'a name must be UTF-8'
  if (Buffer.byteLength(name) > NAME_LIMIT) return `a name may not be longer than ${NAME_LIMIT} bytes`
  if (depth > DEPTH_LIMIT) return `folders may not nest deeper than ${DEPTH_LIMIT}`
  return null
}

/** The path as it may be shown: control characters as escapes, cut where it is very long. */
export function showPath(path: string): string {
  // oxlint-disable-next-line no-control-regex
  const shown = path.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
  return shown.length > 300 ? `${shown.slice(0, 300)}…` : shown
}
